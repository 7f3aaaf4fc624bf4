"""Depths of the rankings of a system on a test set, and a check that cutoffs of measures do not exceed them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from synthrank.config.measures import cutoff_of

if TYPE_CHECKING:
    from synthrank.config.study import Study

WHOLE = "whole"
"""The depth of rankings of the whole corpus, if the corpus's file states its size."""

LISTED = "listed"
"""The depth of external rankings. No file states it; it is the length of the longest ranking."""


def first_stage_depth(study: Study, retriever: str, testset: str) -> str:
    """Return the depth of a first stage's rankings on a test set: a number, :data:`WHOLE` or :data:`LISTED`."""
    spec = study.entities["testsets"][testset]
    depth = _kept_depth(study, retriever)
    if depth is None:
        return LISTED
    passages = study.entities["corpora"][spec.corpus].counts.passages
    return WHOLE if passages is not None and depth >= passages else str(depth - spec.drop_identical_ids)


def ranker_depth(study: Study, ranker: str, testset: str) -> str:
    """Return the depth of a ranker's rankings on a test set: a number, :data:`WHOLE` or :data:`LISTED`."""
    spec, settings = study.entities["rankers"][ranker], study.entities["testsets"][testset]
    reranked = settings.reranked(spec.rerank)
    if reranked:
        retriever, depth = reranked
        first = first_stage_depth(study, retriever, testset)
        if first == LISTED:
            return LISTED
        depth = depth if first == WHOLE else min(depth, int(first))
    else:
        depth = spec.depth - settings.drop_identical_ids
    passages = study.entities["corpora"][settings.corpus].counts.passages
    return WHOLE if passages is not None and depth >= passages else str(depth)


def fused_depth(study: Study, ranker: str, testset: str) -> str:
    """Return the depth of a reranker's fused rankings, or of the rankings of a ranker that searches."""
    reranked = study.entities["testsets"][testset].reranked(study.entities["rankers"][ranker].rerank)
    return first_stage_depth(study, reranked[0], testset) if reranked else ranker_depth(study, ranker, testset)


def _kept_depth(study: Study, retriever: str) -> int | None:
    """Return the number of passages that a retriever keeps per query, or None for external rankings."""
    spec = study.entities["retrievers"][retriever]
    if spec.kind == "recorded":
        return None
    if spec.kind == "ordered":
        depth: int = study.entities["pools"][spec.pool].depth
        return depth
    first = _kept_depth(study, spec.retriever) if spec.kind == "reranked" else spec.depth
    return None if first is None else min(spec.depth, first)


def depth_problems(study: Study) -> Iterable[str]:
    """Yield a line per measure of one table whose cutoff exceeds the depth of a system's rankings.

    The experiment's ``measures`` are not checked. Tables mark their cutoffs that exceed a system's depth.
    """
    experiment = study.experiment
    if experiment.claims:
        rankers = [name for claim in experiment.stated_claims for name in claim.rankers]
        yield from _too_deep(study, "claims.measure", [experiment.claims.measure], rankers, experiment.suites)
    if experiment.bias:
        of_bias = experiment.bias
        yield from _too_deep(study, "bias.measure", [of_bias.measure], experiment.rankers, of_bias.suites)
    if experiment.twolar:
        twolar = experiment.twolar
        yield from _too_deep(study, "twolar.measures", twolar.measures, twolar.rankers, experiment.suites)


def _too_deep(
    study: Study, key: str, measures: Iterable[str], rankers: Iterable[str], suites: Iterable[str]
) -> Iterator[str]:
    testsets = study.testsets_of(*suites)
    for measure in measures:
        for ranker in dict.fromkeys(rankers):
            for testset in testsets:
                depth, cutoff = ranker_depth(study, ranker, testset), cutoff_of(measure)
                if cutoff and depth.isdecimal() and cutoff > int(depth):
                    yield (
                        f"experiment: {key}: the cutoff of {measure!r} exceeds depth {depth} of ranker {ranker!r} on "
                        f"test set {testset!r}; lower the cutoff or raise the depth"
                    )
