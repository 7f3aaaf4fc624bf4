"""Strategies that combine the rankings of several first stages into one pool of candidates per query.

A strategy returns passages in the order of the pool, each with the position of the source that it was taken from.
Ranks are the ranks in the retrievers' rankings: removed passages leave gaps, and other passages do not move up.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from synthrank.data.sampling import shuffle

SourceRanks = Sequence[Mapping[str, int]]
"""Per source, in the order of the pool's sources: passage id to rank from 1, best first."""

Taken = dict[str, int]
"""Passage id to the position of the source it was taken from, in the order of the pool."""


def assign_sources(queries: Iterable[str], sources: int, seed: int) -> dict[str, int]:
    """Return the position of the source that serves each query: sources take turns over a seeded order of the queries.

    Every source serves the same number of queries; if they do not divide evenly, the first sources serve one more.
    """
    return {name: place % sources for place, name in enumerate(shuffle(queries, seed))}


def take_from_one(found: SourceRanks, source: int, depth: int) -> Taken:
    """Take the best passages of one source; other sources do not fill a short ranking, so that shares stay equal."""
    return dict.fromkeys(islice(found[source], depth), source)


def take_in_turn(found: SourceRanks, depth: int) -> Taken:
    """Take the best remaining passage of each source in turn, first source first, until the rankings end.

    With four sources and a depth of 30, the first two sources give eight passages and the others seven.
    """
    taken: Taken = {}
    turns = deque((source, iter(ranks)) for source, ranks in enumerate(found))
    while turns and len(taken) < depth:
        source, names = turns.popleft()
        best = next((name for name in names if name not in taken), None)
        if best is not None:
            taken[best] = source
            turns.append((source, names))
    return taken


def take_by_level(found: SourceRanks, depth: int) -> Taken:
    """Take all passages down to the deepest level at which the sources together have at most ``depth`` passages.

    Level k contains the passages that any source has at rank k or better. Passages are in the order of their best rank,
    ties in the order of the sources. Levels are not cut: a pool has fewer than ``depth`` passages unless a level fits
    exactly.
    """
    best: dict[str, tuple[int, int]] = {}
    for source, ranks in enumerate(found):
        for name, rank in ranks.items():
            if name not in best or rank < best[name][0]:
                best[name] = rank, source
    ordered = sorted(best.items(), key=_get_place)
    beyond = ordered[depth][1][0] if len(ordered) > depth else None
    return {name: source for name, (rank, source) in ordered[:depth] if beyond is None or rank < beyond}


def take_fused(names: Iterable[str], found: SourceRanks, depth: int) -> Taken:
    """Take passages in fused order, each from the source with its best rank; the earlier source wins ties."""
    return {
        name: min((ranks[name], source) for source, ranks in enumerate(found) if name in ranks)[1]
        for name in islice(names, depth)
    }


def _get_place(item: tuple[str, tuple[int, int]]) -> tuple[int, int]:
    return item[1]
