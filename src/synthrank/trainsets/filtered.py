"""Positives without the pairs of a query and a passage that a recipe's filter drops."""

from collections import Counter
from collections.abc import Callable
from math import ceil
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import read_jsonl
from synthrank.records import ScoredList, WrittenPassage
from synthrank.specs.filters import FilterSpec, RoundTripFilter, ScoreFilter
from synthrank.trainsets.unleaked import Written
from synthrank.trec import read_run

Keep = Callable[[WrittenPassage], bool]


def filtered(written: Written, spec: FilterSpec, evidence: Path, count: Counter[str]) -> Written:
    """Return the pairs that a filter keeps, queries and passages in their order; a query without a pair is left out.

    Args:
        written: the passages of each query that may train.
        spec: the filter.
        evidence: the scores of all pairs, or for a round trip the run of the queries over the passages.
        count: ``filter_pairs`` that were looked at, ``filter_dropped`` of them.

    Raises:
        DataError: a pair has no score.
    """
    pairs = [item for items in written.values() for item in items]
    keeps = _found_again(spec, evidence) if isinstance(spec, RoundTripFilter) else _scored_well(pairs, spec, evidence)
    left = {name: [item for item in items if keeps(item)] for name, items in written.items()}
    count.update(filter_pairs=len(pairs), filter_dropped=len(pairs) - sum(map(len, left.values())))
    return {name: items for name, items in left.items() if items}


def _found_again(spec: RoundTripFilter, run: Path) -> Keep:
    found = {query: {name for name, _ in listed} for query, listed in read_run(run, spec.depth).items()}
    return lambda item: item.id in found.get(item.query_id, ())


def _scored_well(pairs: list[WrittenPassage], spec: ScoreFilter, scores: Path) -> Keep:
    score_of = {
        (listed.query_id, name): score
        for listed in read_jsonl(scores, ScoredList)
        for name, score in zip(listed.ids, listed.scores, strict=True)
    }
    for item in pairs:
        if (item.query_id, item.id) not in score_of:
            raise DataError(f"{scores}: passage {item.id} of query {item.query_id} has no score; delete the file")
    lowest = spec.min_score
    if spec.keep_share and pairs:
        ranked = sorted((score_of[item.query_id, item.id] for item in pairs), reverse=True)
        lowest = ranked[ceil(spec.keep_share * len(ranked)) - 1]
    return lambda item: lowest is None or score_of[item.query_id, item.id] >= lowest
