"""Draw the exemplars of prompts: human query-passage pairs or raw passages."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count as turns
from pathlib import Path

from synthrank.data.passage_texts import id_texts, texts_of
from synthrank.data.records import Exemplar, Query
from synthrank.data.sampling import shuffle, sort_key
from synthrank.data.trec import best_first
from synthrank.errors import BudgetError

Own = Mapping[str, set[str]]
"""The relevant passages per query id."""


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
    """Return up to ``count`` queries in a seeded order, each with one relevant passage.

    Args:
        passages: the passages of the corpus.
        queries: the training queries.
        judged: the grades of the passages per query id. A random passage of the best grade is taken.
        excluded: passages that are never shown because they answer a held-out query.
        count: the number of pairs.
        seed: seed of the orders of queries and of passages.
        words: cut each passage to this many words; None to keep it whole.
    """
    query_of = {query.id: query.text for query in queries}
    answer_of: dict[str, str] = {}
    for name in shuffle(query_of, seed):
        if len(answer_of) == count:
            break
        free = [item for item in best_first(judged.get(name, {})) if item[0] not in excluded]
        if free:
            answer_of[name] = shuffle([passage for passage, grade in free if grade == free[0][1]], seed, name)[0]
    text_of = texts_of(passages, answer_of.values())
    return [
        Exemplar(answer, cut_words(text_of[answer], words), name, query_of[name]) for name, answer in answer_of.items()
    ]


def draw_pairs(pool: Sequence[Exemplar], query: str, own: Own, *, count: int, seed: int) -> list[Exemplar]:
    """Return ``count`` pairs of ``pool`` in a seeded order per query, without its own pair and its relevant passages.

    Raises:
        BudgetError: the pool has too few other pairs.
    """
    mine = own.get(query, set())
    free = {item.query_id: item for item in pool if item.query_id != query and item.id not in mine}
    if len(free) < count:
        raise BudgetError(
            f"query {query}: {count} exemplars needed, but only {len(free)} of the {len(pool)} labelled pairs do not "
            "answer the query; raise exemplars.labels or lower exemplars.count"
        )
    return [free[name] for name in shuffle(free, seed, query)[:count]]


def draw_passages(
    passages: Path,
    queries: Sequence[Query],
    own: Own,
    excluded: set[str],
    *,
    count: int,
    seed: int,
    words: int | None,
) -> dict[str, list[Exemplar]]:
    """Return ``count`` raw passages per query, drawn from the whole corpus.

    A draw is a place in the file: a hash of the seed, the query and the number of the draw. It is independent of all
    other queries and needs no shuffle of the corpus. The file is read twice: once for the places of excluded passages,
    once for the texts of drawn passages. Memory holds only these.

    Args:
        passages: the passages of the corpus.
        queries: the training queries.
        own: the relevant passages per query id, which its prompt does not show.
        excluded: passages that are never shown because they answer a held-out query.
        count: the number of passages per query.
        seed: seed of the draws.
        words: cut each passage to this many words; None to keep it whole.

    Raises:
        BudgetError: the corpus has too few passages that may be shown for a query.
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
                f"{passages}: {count} exemplars needed, but only {left} passages may be shown for query {query.id}; "
                "lower exemplars.count"
            )
        places[query.id] = _draw_places(query.id, size, never, mine, count, seed)
    wanted = {number for numbers in places.values() for number in numbers}
    shown = {
        number: Exemplar(name, cut_words(text, words))
        for number, (name, text) in enumerate(id_texts(passages))
        if number in wanted
    }
    return {query: [shown[number] for number in numbers] for query, numbers in places.items()}


def _draw_places(query: str, size: int, never: set[int], mine: set[int], count: int, seed: int) -> list[int]:
    """Return the first ``count`` distinct places of a query's random sequence that are in neither set."""
    found: dict[int, None] = {}
    for number in _generate_places(query, size, seed):
        if number not in never and number not in mine:
            found[number] = None
            if len(found) == count:
                break
    return list(found)


def _generate_places(query: str, size: int, seed: int) -> Iterator[int]:
    return (int.from_bytes(sort_key(str(turn), seed, query)[:8], "big") % size for turn in turns())


def cut_words(text: str, words: int | None) -> str:
    """Return the first words of a text, with an ellipsis if the text is longer."""
    parts = text.split()
    return " ".join(parts[:words]) + (" …" if words and len(parts) > words else "")
