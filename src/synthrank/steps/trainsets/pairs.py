"""Groups of a recipe of pairs: a positive, labelled 1, and its negatives, labelled 0."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from math import ceil
from pathlib import Path

from synthrank.config.filters import FilterSpec, RoundTripFilter, ScoreFilter
from synthrank.config.recipes import PairsRecipe
from synthrank.contamination.decontaminate import WrittenByQuery
from synthrank.data.files import read_jsonl
from synthrank.data.records import Candidate, Group, ScoredList, WrittenPassage
from synthrank.data.trec import read_run
from synthrank.errors import DataError
from synthrank.steps.trainsets.selection import COUNTED, GroupSelection, choose

KeepPassage = Callable[[WrittenPassage], bool]


def pair_groups(
    recipe: PairsRecipe,
    selection: GroupSelection,
    judged: dict[str, set[str]],
    files: Iterable[tuple[Path, Path, tuple[Path, Path]]],
    filters: Sequence[Path],
    reworded: Collection[str],
    counts: dict[str, Counter[str]],
) -> list[Group]:
    """Return one group per positive, paradigm by paradigm.

    Args:
        recipe: the recipe.
        selection: selects the queries, passages and negatives.
        judged: per query, its relevant passages.
        files: per paradigm, its queries, its passages, and the run and the passages of its negatives.
        filters: the scores or the run of each paradigm with a filter.
        reworded: the paradigms whose negatives are rewritten versions of the passages that the run names.
        counts: the counts to update, by paradigm.
    """
    groups: list[Group] = []
    evidence = iter(filters)
    for wanted, (queries, positives, negatives) in zip(recipe.positives, files, strict=True):
        count = counts[wanted.paradigm] = Counter(COUNTED)
        order, found = selection.order(queries), selection.written(positives)
        known = {name: {item.id for item in items} for name, items in found.items()} | judged
        if wanted.filter:
            found = apply_filter(found, wanted.filter, next(evidence), count)
        usable = selection.overlap_filter.written(found, order, wanted.queries, count)
        served = choose(usable, order, wanted.queries, count, positives, "positives.queries")
        chosen = [item for items in served.values() for item in items[: wanted.per_query]]
        count["groups"] = len(chosen)
        drawn, same = selection.negatives(
            chosen, chosen, negatives, recipe.negatives, known, count, reworded=wanted.paradigm in reworded
        )
        groups += [
            Group(
                item.query_id,
                item.query,
                (Candidate(item.id, item.text, 1.0, wanted.paradigm), *items),
                tuple(sorted({*known.get(item.query_id, ()), *same.get(item.query_id, ())})),
            )
            for item, items in drawn
        ]
    return groups


def apply_filter(written: WrittenByQuery, spec: FilterSpec, evidence: Path, count: Counter[str]) -> WrittenByQuery:
    """Return the pairs that a filter keeps, in the same order; a query without a pair is left out.

    Args:
        written: the usable passages of each query.
        spec: the filter.
        evidence: the scores of all pairs or, for a round trip, the run of the queries on the passages.
        count: gets ``filter_pairs``, the number of pairs, and ``filter_dropped``, the number of dropped pairs.

    Raises:
        DataError: a pair has no score.
    """
    pairs = [item for items in written.values() for item in items]
    keeps = (
        _keep_if_source_is_found(spec, evidence)
        if isinstance(spec, RoundTripFilter)
        else _keep_if_scored_well(pairs, spec, evidence)
    )
    left = {name: [item for item in items if keeps(item)] for name, items in written.items()}
    count.update(filter_pairs=len(pairs), filter_dropped=len(pairs) - sum(map(len, left.values())))
    return {name: items for name, items in left.items() if items}


def _keep_if_source_is_found(spec: RoundTripFilter, run: Path) -> KeepPassage:
    found = {query: {name for name, _ in listed} for query, listed in read_run(run, spec.depth).items()}
    return lambda item: item.id in found.get(item.query_id, ())


def _keep_if_scored_well(pairs: list[WrittenPassage], spec: ScoreFilter, scores: Path) -> KeepPassage:
    score_of = {
        (listed.query_id, name): score
        for listed in read_jsonl(scores, ScoredList)
        for name, score in zip(listed.ids, listed.scores, strict=True)
    }
    for item in pairs:
        if (item.query_id, item.id) not in score_of:
            raise DataError(
                f"{scores}: passage {item.id} of query {item.query_id} has no score; delete the file to score again"
            )
    lowest = spec.min_score
    if spec.keep_share and pairs:
        ranked = sorted((score_of[item.query_id, item.id] for item in pairs), reverse=True)
        lowest = ranked[ceil(spec.keep_share * len(ranked)) - 1]
    return lambda item: lowest is None or score_of[item.query_id, item.id] >= lowest
