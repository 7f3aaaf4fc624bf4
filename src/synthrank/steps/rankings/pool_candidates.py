"""Step pool_candidates: pool the candidates of several first stages for a language model to rank."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.pools import PoolSpec
from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Pool, Pooled, Query
from synthrank.data.trec import Run, rank, read_run
from synthrank.errors import BudgetError
from synthrank.steps.rankings.pool_tally import PoolTally
from synthrank.steps.rankings.pooling import (
    SourceRanks,
    Taken,
    assign_sources,
    take_by_level,
    take_from_one,
    take_fused,
    take_in_turn,
)

log = logging.getLogger(__name__)

QUERIES_AT_ONCE = 1000
"""Queries per fusion; bounds memory, because a fused ranking contains the passages of all its rankings."""


def pool_candidates(
    *, spec: Path, queries: Path, runs: list[Path], excluded: list[Path], candidates: Path, stats: Path
) -> None:
    """Pool the passages that several first stages found per query, in the order of the language model's prompt.

    Every candidate lists the sources that have it within the source depth, with its rank in each source's ranking.
    Passages that answer held-out queries are removed before the pool is cut to its depth. The passage that a query was
    made from is also removed unless the pool has ``keep_source``. Ranks do not change when passages are removed. A
    pool may have fewer candidates than the depth; a query without a candidate is left out and counted.

    Args:
        spec: the pool's entity file.
        queries: the queries.
        runs: per source of the pool, its run for the queries.
        excluded: the file of passages that training must not use; empty if the queries are held out.
        candidates: the pools to write.
        stats: the counts to write.

    Raises:
        BudgetError: no query has a candidate.
    """
    pool: PoolSpec = load(PoolSpec, spec)
    asked = list(read_jsonl(queries, Query))
    lists = [read_run(run, pool.source_depth) for run in runs]
    tally = PoolTally(pool.sources, pool.depth)
    excluded_ids = {name for path in excluded for name in read_excluded(path)}
    pools = list(_make_pools(pool, asked, lists, excluded_ids, tally))
    if not pools:
        raise BudgetError(
            f"{spec}: none of {len(asked)} queries has a candidate; run the pool's sources for these queries, on a "
            "corpus with passages that do not answer held-out queries"
        )
    write_jsonl(candidates, pools)
    write_json(stats, tally.stats())
    log.info("%s", tally.stats())


def _make_pools(
    pool: PoolSpec, asked: Sequence[Query], lists: Sequence[Run], excluded: set[str], tally: PoolTally
) -> Iterator[Pool]:
    """Yield the pool of each query that has one."""
    dealt = (
        assign_sources((query.id for query in asked), len(lists), pool.seed)
        if pool.strategy == "per-query-source"
        else {}
    )
    for chunk in split_into_batches(asked, QUERIES_AT_ONCE):
        fused = _fuse(chunk, lists, pool.rrf_k) if pool.strategy == "rrf" else {}
        for query in chunk:
            tally.count_search([not run.get(query.id) for run in lists], dealt.get(query.id))
            found = _find_sources(query, lists, excluded, pool.keep_source, tally)
            taken = _take(pool, query.id, found, dealt, fused)
            tally.count_pool(taken, found)
            if taken:
                candidates = tuple(Pooled(name, _read_ranks(name, pool, found)) for name in taken)
                yield Pool(query.id, query.text, candidates, pool.sources[dealt[query.id]] if dealt else "")


def _find_sources(
    query: Query, lists: Sequence[Run], excluded: set[str], keep_source: bool, tally: PoolTally
) -> SourceRanks:
    """Return the ranks per source of the passages found for a query, without passages that must not be candidates."""
    listed = [[name for name, _ in run.get(query.id, ())] for run in lists]
    held_out = {name for names in listed for name in excluded.intersection(names)}
    own = {query.source} if not keep_source and any(query.source in names for names in listed) else set()
    tally.count_left_out(held_out, bool(own - held_out))
    hidden = held_out | own
    return [{name: place for place, name in enumerate(names, 1) if name not in hidden} for names in listed]


def _take(
    pool: PoolSpec, query: str, found: SourceRanks, dealt: Mapping[str, int], fused: Mapping[str, Sequence[str]]
) -> Taken:
    """Return a query's candidates by the pool's strategy."""
    if pool.strategy == "per-query-source":
        return take_from_one(found, dealt[query], pool.depth)
    if pool.strategy == "round-robin":
        return take_in_turn(found, pool.depth)
    if pool.strategy == "union":
        return take_by_level(found, pool.depth)
    kept = (name for name in fused.get(query, ()) if any(name in ranks for ranks in found))
    return take_fused(kept, found, pool.depth)


def _fuse(chunk: Sequence[Query], lists: Sequence[Run], k: int) -> dict[str, list[str]]:
    """Return the passages of each query by reciprocal rank fusion, best first."""
    from synthrank.data.fusion import (
        reciprocal_rank_fusion,  # imports trectools, which takes seconds and only this strategy needs
    )

    parts = [{query.id: run[query.id] for query in chunk if query.id in run} for run in lists]
    fused = reciprocal_rank_fusion(parts, k)
    return {query: [name for name, _ in rank(scored)] for query, scored in fused.items()}


def _read_ranks(name: str, pool: PoolSpec, found: SourceRanks) -> dict[str, int]:
    """Return a passage's rank in each source that found it, in the order of the sources."""
    return {source: ranks[name] for source, ranks in zip(pool.sources, found, strict=True) if name in ranks}
