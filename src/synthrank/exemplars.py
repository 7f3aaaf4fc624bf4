"""Exemplars: what a prompt shows as examples, human query-passage pairs or raw passages."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count as turns
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.order import place, seeded
from synthrank.records import Exemplar, Query
from synthrank.texts import id_texts, texts_of
from synthrank.trec import best_first

Own = Mapping[str, set[str]]
"""Per query id the passages that are relevant to it."""


def pairs(
    passages: Path,
    queries: Sequence[Query],
    judged: Mapping[str, Mapping[str, int]],
    excluded: set[str],
    *,
    count: int,
    seed: int,
    words: int | None,
) -> list[Exemplar]:
    """Return the first ``count`` queries of a seeded order, each with one relevant passage; fewer if there are fewer.

    Args:
        passages: the passages of the corpus.
        queries: the training queries.
        judged: per query id the grades of its passages. One of the best grade is shown, in an order of the query's own.
        excluded: passages that are never shown, because they answer a held-out query.
        count: how many pairs.
        seed: seed of the orders of queries and of passages.
        words: cut each passage to this many words; none to leave it whole.
    """
    query_of = {query.id: query.text for query in queries}
    answer_of: dict[str, str] = {}
    for name in seeded(query_of, seed):
        if len(answer_of) == count:
            break
        free = [item for item in best_first(judged.get(name, {})) if item[0] not in excluded]
        if free:
            answer_of[name] = seeded([passage for passage, grade in free if grade == free[0][1]], seed, name)[0]
    text_of = texts_of(passages, answer_of.values())
    return [Exemplar(answer, cut(text_of[answer], words), name, query_of[name]) for name, answer in answer_of.items()]


def drawn_pairs(pool: Sequence[Exemplar], query: str, own: Own, *, count: int, seed: int) -> list[Exemplar]:
    """Return ``count`` pairs out of ``pool`` in an order of the query's own: neither its pair nor what answers it.

    Raises:
        BudgetError: too few are left.
    """
    mine = own.get(query, set())
    free = {item.query_id: item for item in pool if item.query_id != query and item.id not in mine}
    if len(free) < count:
        raise BudgetError(
            f"query {query}: {len(free)} of the {len(pool)} labelled pairs do not answer it, {count} are to be shown; "
            "raise exemplars.labels or lower exemplars.count"
        )
    return [free[name] for name in seeded(free, seed, query)[:count]]


def drawn_passages(
    passages: Path,
    queries: Sequence[Query],
    own: Own,
    excluded: set[str],
    *,
    count: int,
    seed: int,
    words: int | None,
) -> dict[str, list[Exemplar]]:
    """Return ``count`` raw passages for each query, drawn for it out of the whole collection.

    A query's draws are places in the file, from hashes of the seed, the query and the number of the draw. They depend
    on no other query, and no order of the whole collection is made for each. The file is read twice, for the places of
    what may not be shown and for the texts of what is: memory holds those, and never the collection.

    Args:
        passages: the passages of the corpus.
        queries: the training queries.
        own: per query id its relevant passages, which it is not shown.
        excluded: passages that are never shown, because they answer a held-out query.
        count: how many passages a query.
        seed: seed of the draws.
        words: cut each passage to this many words; none to leave it whole.

    Raises:
        BudgetError: the collection has too few passages that a query may be shown.
    """
    closed = excluded | {name for names in own.values() for name in names}
    place_of: dict[str, int] = {}
    size = 0
    for name, _ in id_texts(passages):
        if name in closed:
            place_of[name] = size
        size += 1
    never = {place_of[name] for name in excluded & place_of.keys()}
    places: dict[str, list[int]] = {}
    for query in queries:
        mine = {place_of[name] for name in own.get(query.id, set()) & place_of.keys()} - never
        if (left := size - len(never) - len(mine)) < count:
            raise BudgetError(
                f"{passages}: {left} passages may be shown for query {query.id}, {count} are needed; lower "
                "exemplars.count"
            )
        places[query.id] = _places(query.id, size, never, mine, count, seed)
    wanted = {number for numbers in places.values() for number in numbers}
    shown = {
        number: Exemplar(name, cut(text, words))
        for number, (name, text) in enumerate(id_texts(passages))
        if number in wanted
    }
    return {query: [shown[number] for number in numbers] for query, numbers in places.items()}


def _places(query: str, size: int, never: set[int], mine: set[int], count: int, seed: int) -> list[int]:
    """Return the first ``count`` different places of a query's endless sequence that are in neither set."""
    found: dict[int, None] = {}
    for number in _sequence(query, size, seed):
        if number not in never and number not in mine:
            found[number] = None
            if len(found) == count:
                break
    return list(found)


def _sequence(query: str, size: int, seed: int) -> Iterator[int]:
    return (int.from_bytes(place(str(turn), seed, query)[:8], "big") % size for turn in turns())


def cut(text: str, words: int | None) -> str:
    """Return the first words of a text, with an ellipsis where something is left out."""
    parts = text.split()
    return " ".join(parts[:words]) + (" …" if words and len(parts) > words else "")
