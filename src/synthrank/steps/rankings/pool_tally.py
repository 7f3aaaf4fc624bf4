"""Counts of pooled candidates."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from synthrank.steps.rankings.pooling import SourceRanks, Taken


class PoolTally:
    """Counts of pools: short pools, removed passages, and the contribution of each source."""

    def __init__(self, sources: Sequence[str], depth: int) -> None:
        self._depth = depth
        self._count: Counter[str] = Counter()
        self._held_out: set[str] = set()
        self._sources: dict[str, Counter[str]] = {name: Counter() for name in sources}

    def count_search(self, empty: Sequence[bool], dealt: int | None) -> None:
        """Count a query.

        Args:
            empty: per source, whether its run has no passage for the query.
            dealt: the position of the only source that serves the query; None if all sources do.
        """
        self._count["queries"] += 1
        for place, (count, nothing) in enumerate(zip(self._sources.values(), empty, strict=True)):
            count["queries"] += dealt in (None, place)
            count["queries_without_hit"] += nothing

    def count_left_out(self, held_out: set[str], own: bool) -> None:
        """Count the passages that were removed from a query's rankings.

        Args:
            held_out: the removed passages that answer a held-out query.
            own: whether the passage that the query was made from was removed and is not in ``held_out``.
        """
        self._held_out |= held_out
        self._count["held_out_candidates"] += len(held_out)
        self._count["own_passages"] += own

    def count_pool(self, taken: Taken, found: SourceRanks) -> None:
        """Count a query's pool."""
        self._count["queries_without_candidate"] += not taken
        self._count["pools"] += bool(taken)
        self._count["short_pools"] += 0 < len(taken) < self._depth
        self._count["candidates"] += len(taken)
        counts = list(self._sources.values())
        for name, taken_from in taken.items():
            finders = [count for count, ranks in zip(counts, found, strict=True) if name in ranks]
            counts[taken_from]["candidates"] += 1
            for count in finders:
                count["candidates_found"] += 1
            counts[taken_from]["candidates_found_alone"] += len(finders) == 1

    def stats(self) -> dict[str, Any]:
        """Return the counts.

        ``held_out_passages`` counts distinct passages that were removed because they answer held-out queries;
        ``held_out_candidates`` counts their removals over all queries. Per source, ``queries`` counts the queries that
        it serves, ``queries_without_hit`` the queries without a passage in its run, ``candidates`` the candidates taken
        from its ranking, and ``candidates_found`` the candidates of all pools that it has within the source depth.
        ``share_alone`` is the share of its ``candidates`` that no other source has within that depth, or null if it
        has no candidates.
        """
        keys = ("queries", "queries_without_candidate", "pools", "short_pools", "candidates")
        return {
            **{key: self._count[key] for key in keys},
            "held_out_passages": len(self._held_out),
            "held_out_candidates": self._count["held_out_candidates"],
            "own_passages": self._count["own_passages"],
            "sources": {name: _summarise_source(count) for name, count in self._sources.items()},
        }


def _summarise_source(count: Counter[str]) -> dict[str, int | float | None]:
    keys = ("queries", "queries_without_hit", "candidates", "candidates_found", "candidates_found_alone")
    candidates = count["candidates"]
    share = round(count["candidates_found_alone"] / candidates, 4) if candidates else None
    return {**{key: count[key] for key in keys}, "share_alone": share}
