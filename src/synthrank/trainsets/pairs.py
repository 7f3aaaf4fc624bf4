"""Groups of a recipe of pairs: a positive, labelled 1, and its negatives, labelled 0."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from math import ceil
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import read_jsonl
from synthrank.records import Candidate, Group, ScoredList, WrittenPassage
from synthrank.specs.filters import FilterSpec, RoundTripFilter, ScoreFilter
from synthrank.specs.recipes import PairsRecipe
from synthrank.trainsets.selection import COUNTED, Selection, choose
from synthrank.trainsets.unleaked import Written
from synthrank.trec import read_run

Keep = Callable[[WrittenPassage], bool]


def pair_groups(
    recipe: PairsRecipe,
    selection: Selection,
    judged: dict[str, set[str]],
    files: Iterable[tuple[Path, Path, tuple[Path, Path]]],
    filters: Sequence[Path],
    reworded: Collection[str],
    counts: dict[str, Counter[str]],
) -> list[Group]:
    """Return one group a positive, paradigm by paradigm.

    Args:
        recipe: the recipe.
        selection: takes the queries, passages and negatives.
        judged: per query the passages that are judged relevant to it.
        files: of each paradigm its queries, its written passages, and the run and the passages of its negatives.
        filters: what the filter of each goes by that has one.
        reworded: the paradigms whose negative passages are another wording of those that the run names.
        counts: gets what was counted, by paradigm.
    """
    groups: list[Group] = []
    evidence = iter(filters)
    for wanted, (queries, positives, negatives) in zip(recipe.positives, files, strict=True):
        count = counts[wanted.paradigm] = Counter(COUNTED)
        order, found = selection.order(queries), selection.written(positives)
        known = {name: {item.id for item in items} for name, items in found.items()} | judged
        if wanted.filter:
            found = filtered(found, wanted.filter, next(evidence), count)
        usable = selection.unleaked.written(found, order, wanted.queries, count)
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
