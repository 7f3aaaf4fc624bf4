"""How the lists of several first stages become one pool of candidates for one query.

A strategy returns passages in the order of the pool, each with the place of the source whose list it was taken from.
Ranks are those of the retrievers' own lists: where passages were left out, ranks are missing, and none moves up.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from synthrank.order import seeded

Found = Sequence[Mapping[str, int]]
"""What each source found for a query, in the order of the pool's sources: passage id to rank from 1, best first."""

Taken = dict[str, int]
"""Passage id to the place of the source it was taken from, in the order of the pool."""


def deal(queries: Iterable[str], sources: int, seed: int) -> dict[str, int]:
    """Return the place of the source that serves each query: in a seeded order of the queries, each source in turn.

    Every source serves equally many queries; where they do not divide evenly, the first ones serve one more.
    """
    return {name: place % sources for place, name in enumerate(seeded(queries, seed))}


def from_one(found: Found, source: int, depth: int) -> Taken:
    """Take the best of one source's list. Where that is short or empty no other source steps in, so shares stay."""
    return dict.fromkeys(islice(found[source], depth), source)


def in_turn(found: Found, depth: int) -> Taken:
    """Take the best passage not yet taken of each source in turn, the first source first; a list that ends drops out.

    With four sources and a depth of 30 the first two are taken from eight times and the others seven.
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


def by_level(found: Found, depth: int) -> Taken:
    """Take everything down to the deepest level at which the sources together hold at most ``depth`` passages.

    Level k holds what any source has at its own rank k or better. Passages come by their best rank, ties by the order
    of the sources. Nothing of the next level fills up, because it would be cut in the middle: a pool has fewer than
    ``depth`` passages unless a level fits exactly.
    """
    best: dict[str, tuple[int, int]] = {}
    for source, ranks in enumerate(found):
        for name, rank in ranks.items():
            if name not in best or rank < best[name][0]:
                best[name] = rank, source
    ordered = sorted(best.items(), key=_place)
    beyond = ordered[depth][1][0] if len(ordered) > depth else None
    return {name: source for name, (rank, source) in ordered[:depth] if beyond is None or rank < beyond}


def as_fused(names: Iterable[str], found: Found, depth: int) -> Taken:
    """Take passages in a fused order, each from the source that has it at the best rank, ties by order of sources."""
    return {
        name: min((ranks[name], source) for source, ranks in enumerate(found) if name in ranks)[1]
        for name in islice(names, depth)
    }


def _place(item: tuple[str, tuple[int, int]]) -> tuple[int, int]:
    return item[1]
