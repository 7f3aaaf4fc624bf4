"""Human query-passage pairs that a prompt shows as examples."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from synthrank.order import seeded
from synthrank.records import Exemplar, Query
from synthrank.texts import texts_of


def pairs(
    passages: Path,
    queries: Sequence[Query],
    own: Mapping[str, set[str]],
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
        own: per query id its relevant passages; the first by id is shown.
        excluded: passages that are never shown, because they answer a held-out query.
        count: how many pairs.
        seed: seed of the order of queries.
        words: cut each passage to this many words; none to leave it whole.
    """
    mine = {query.id: sorted(own.get(query.id, set()) - excluded) for query in queries}
    chosen = [name for name in seeded(mine, seed) if mine[name]][:count]
    text_of = texts_of(passages, {mine[name][0] for name in chosen})
    query_of = {query.id: query.text for query in queries}
    return [Exemplar(mine[name][0], cut(text_of[mine[name][0]], words), name, query_of[name]) for name in chosen]


def cut(text: str, words: int | None) -> str:
    """Return the first words of a text, with an ellipsis where something is left out."""
    parts = text.split()
    return " ".join(parts[:words]) + (" …" if words and len(parts) > words else "")
