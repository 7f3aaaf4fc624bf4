"""How deep the lists of a system reach on a test set: a measure that looks deeper is not what its name says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from synthrank.specs.measures import cutoff_of
from synthrank.specs.retrievers import Ordered, Recorded, Reranked

if TYPE_CHECKING:
    from synthrank.study import Study

WHOLE = "whole"
"""The depth of lists that hold the whole collection, as far as its file states how large that is."""

LISTED = "listed"
"""The depth of lists that others made: no file states it, the longest of them shows it."""


def first_stage_depth(study: Study, retriever: str, testset: str) -> str:
    """Return the depth of a first stage's lists on a test set: a number, :data:`WHOLE` or :data:`LISTED`."""
    spec = study.entities["testsets"][testset]
    depth = _kept(study, retriever)
    if depth is None:
        return LISTED
    passages = study.entities["corpora"][spec.corpus].counts.passages
    return WHOLE if passages is not None and depth >= passages else str(depth - spec.drop_identical_ids)


def ranker_depth(study: Study, ranker: str, testset: str) -> str:
    """Return the depth of a ranker's own lists on a test set, likewise: what it searches or reorders."""
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
    """Return the depth of a ranker's lists fused with those of its first stage; for one that searches, its own."""
    reranked = study.entities["testsets"][testset].reranked(study.entities["rankers"][ranker].rerank)
    return first_stage_depth(study, reranked[0], testset) if reranked else ranker_depth(study, ranker, testset)


def _kept(study: Study, retriever: str) -> int | None:
    """Return how many passages a retriever keeps; None where a file of others' says."""
    spec = study.entities["retrievers"][retriever]
    if isinstance(spec, Recorded):
        return None
    if isinstance(spec, Ordered):
        depth: int = study.entities["pools"][spec.pool].depth
        return depth
    first = _kept(study, spec.retriever) if isinstance(spec, Reranked) else spec.depth
    return None if first is None else min(spec.depth, first)


def depth_problems(study: Study) -> Iterable[str]:
    """Yield a line for each measure that a table has alone, and that looks deeper than a system's lists.

    Of the measures of all runs, those that look too deep are marked in the tables for each system.
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
                        f"experiment: {key}: got {measure!r}, but the lists of ranker {ranker!r} on test set "
                        f"{testset!r} are {depth} deep; state a measure to that depth, or rank deeper"
                    )
