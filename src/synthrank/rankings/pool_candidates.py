"""Step pool_candidates: the candidates of several first stages that a language model will order."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.rankings.pool_tally import PoolTally
from synthrank.rankings.strategies import Found, Taken, as_fused, by_level, deal, from_one, in_turn
from synthrank.records import Pool, Pooled, Query
from synthrank.specs.base import load
from synthrank.specs.pools import PoolSpec
from synthrank.texts import chunks
from synthrank.trec import Run, rank, read_run

log = logging.getLogger(__name__)

QUERIES_AT_ONCE = 1000
"""Queries whose lists are fused before they are pooled: a fused list is as long as all of its lists together."""


def pool_candidates(
    *, spec: Path, queries: Path, runs: list[Path], held_out: list[Path], candidates: Path, stats: Path
) -> None:
    """Pool what several first stages found for each query, in the order in which a language model will see it.

    Every candidate keeps which sources have it within the source depth, and at which rank of their own lists, whatever
    the strategy. Passages that answer held-out queries are left out before the pool's depth counts, and so is the
    passage that a query was made from, where the pool's file says so; ranks stay those of the lists. A pool with fewer
    candidates than the depth is kept as it is; a query without any is left out, and counted.

    Args:
        spec: the pool's entity file.
        queries: the queries.
        runs: for each source of the pool its run of them.
        held_out: qrels of the splits that training must not see; none where the queries are held out themselves.
        candidates: written: the pools.
        stats: written: what was counted.

    Raises:
        BudgetError: no query has a candidate.
    """
    pool: PoolSpec = load(PoolSpec, spec)
    asked = list(read_jsonl(queries, Query))
    lists = [read_run(run, pool.source_depth) for run in runs]
    tally = PoolTally(pool.sources, pool.depth)
    pools = list(_pools(pool, asked, lists, excluded_passages(held_out), tally))
    if not pools:
        raise BudgetError(
            f"{spec}: none of {len(asked)} queries has a candidate; its sources must have been run for these queries, "
            "over a collection that holds more than answers to held-out ones"
        )
    write_jsonl(candidates, pools)
    write_json(stats, tally.stats())
    log.info("%s", tally.stats())


def _pools(
    pool: PoolSpec, asked: Sequence[Query], lists: Sequence[Run], excluded: set[str], tally: PoolTally
) -> Iterator[Pool]:
    """Yield the pool of each query that has one."""
    dealt = deal((query.id for query in asked), len(lists), pool.seed) if pool.strategy == "per-query-source" else {}
    for chunk in chunks(asked, QUERIES_AT_ONCE):
        fused = _fused(chunk, lists, pool.rrf_k) if pool.strategy == "rrf" else {}
        for query in chunk:
            tally.searched([not run.get(query.id) for run in lists], dealt.get(query.id))
            found = _found(query, lists, excluded, pool.keep_source, tally)
            taken = _taken(pool, query.id, found, dealt, fused)
            tally.pooled(taken, found)
            if taken:
                candidates = tuple(Pooled(name, _ranks(name, pool, found)) for name in taken)
                yield Pool(query.id, query.text, candidates, pool.sources[dealt[query.id]] if dealt else "")


def _found(query: Query, lists: Sequence[Run], excluded: set[str], keep_source: bool, tally: PoolTally) -> Found:
    """Return the ranks of what each source found for a query, without what may be no candidate."""
    listed = [[name for name, _ in run.get(query.id, ())] for run in lists]
    held_out = {name for names in listed for name in excluded.intersection(names)}
    own = {query.source} if not keep_source and any(query.source in names for names in listed) else set()
    tally.left_out(held_out, bool(own - held_out))
    hidden = held_out | own
    return [{name: place for place, name in enumerate(names, 1) if name not in hidden} for names in listed]


def _taken(
    pool: PoolSpec, query: str, found: Found, dealt: Mapping[str, int], fused: Mapping[str, Sequence[str]]
) -> Taken:
    """Return a query's candidates as the pool's strategy has it."""
    if pool.strategy == "per-query-source":
        return from_one(found, dealt[query], pool.depth)
    if pool.strategy == "round-robin":
        return in_turn(found, pool.depth)
    if pool.strategy == "union":
        return by_level(found, pool.depth)
    kept = (name for name in fused.get(query, ()) if any(name in ranks for ranks in found))
    return as_fused(kept, found, pool.depth)


def _fused(chunk: Sequence[Query], lists: Sequence[Run], k: int) -> dict[str, list[str]]:
    """Return the passages of each query by reciprocal rank fusion, best first."""
    from synthrank.fusion import reciprocal_rank_fusion  # loads trectools: seconds that other strategies need not wait

    parts = [{query.id: run[query.id] for query in chunk if query.id in run} for run in lists]
    fused = reciprocal_rank_fusion(parts, k)
    return {query: [name for name, _ in rank(scored)] for query, scored in fused.items()}


def _ranks(name: str, pool: PoolSpec, found: Found) -> dict[str, int]:
    """Return the rank at which each source that found a passage has it, in the order of the sources."""
    return {source: ranks[name] for source, ranks in zip(pool.sources, found, strict=True) if name in ranks}
