"""The experiment in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.files import count_lines
from synthrank.report.ranked import JudgedSet
from synthrank.specs.base import load
from synthrank.specs.filters import RoundTripFilter
from synthrank.specs.paradigms import (
    GeneratedParadigm,
    GradedParadigm,
    HumanParadigm,
    ParadigmSpec,
    QueriedParadigm,
    rewords,
)
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.recipes import DistilRecipe, GradedRecipe, OrderRecipe, PairsRecipe, RecipeSpec
from synthrank.specs.testsets import TestsetSpec


def summary(experiment: Mapping[str, Any], specs: Sequence[Path], tested: Sequence[JudgedSet]) -> dict[str, Any]:
    """Return what is compared, with what, on what: rows of short texts.

    Args:
        experiment: as it is configured.
        specs: every file that it uses.
        tested: its test sets.
    """
    of_kind = {kind: {path.stem: path for path in specs if path.parent.name == kind} for kind in
               ("recipes", "paradigms", "rankers")}  # fmt: skip
    names = dict.fromkeys([*(name for name in experiment["recipes"] if "@" not in name), *of_kind["recipes"]])
    return {
        "recipes": [(name, _recipe(load(RecipeSpec, of_kind["recipes"][name]))) for name in names],
        "paradigms": [(name, _paradigm(load(ParadigmSpec, path))) for name, path in of_kind["paradigms"].items()],
        "rankers": [(name, load(RankerSpec, path).architecture) for name, path in of_kind["rankers"].items()],
        "testsets": [_testset(item) for item in tested],
        "compared": experiment["recipes"],
    }


def _recipe(spec: Any) -> str:
    if isinstance(spec, PairsRecipe):
        positives = " and ".join(
            f"{item.paradigm} passages for {item.queries:,} queries{_kept(item.filter)}" for item in spec.positives
        )
        negatives = spec.negatives
        return f"{positives} of {spec.corpus}, against {negatives.count} passages each that {negatives.retriever} found"
    if isinstance(spec, GradedRecipe):
        return f"{spec.paradigm} passages of several grades for {spec.queries:,} queries of {spec.corpus}"
    if isinstance(spec, DistilRecipe):
        return f"what {spec.retriever} finds for {spec.queries} of {spec.corpus}, as alike as {spec.teacher} finds it"
    if isinstance(spec, OrderRecipe):
        return f"candidates for {spec.queries} of {spec.corpus}, in the order of a language model ({spec.ranking})"
    return f"orders that others recorded for queries of {spec.corpus}"


def _kept(spec: Any) -> str:
    """Return by what passages are filtered, in words; nothing where they are not."""
    if spec is None:
        return ""
    if isinstance(spec, RoundTripFilter):
        return f" (those that {spec.retriever} finds again among the first {spec.depth})"
    share = f"the best {spec.keep_share:.0%}" if spec.keep_share else f"those that score {spec.min_score:g} or more"
    return f" ({share} by {spec.scores.split('/', 1)[-1]})"


def _paradigm(spec: Any) -> str:
    if isinstance(spec, HumanParadigm):
        return "passages of the corpus that people judged relevant; nothing is written"
    if isinstance(spec, GeneratedParadigm):
        shown = spec.exemplars
        pairs = f"queries with their passage as examples, drawn for it out of {shown.labels}" if shown else ""
        examples = {"passages": "passages of the corpus as examples, drawn for it", "pairs": pairs}
        what = f"for each query {shown.count} {examples[shown.kind]}" if shown else "no example"
        return f"written by a language model that is shown {what}"
    if isinstance(spec, GradedParadigm):
        return f"written by a language model at grades {', '.join(map(str, spec.levels))}, in one reply"
    if isinstance(spec, QueriedParadigm):
        return f"passages of the corpus, with the queries that {spec.augmentation} made from them"
    if rewords(spec):
        return f"passages of the corpus that people judged relevant, reworded by {spec.written_by}"
    return f"written elsewhere, by {spec.written_by}"


def _testset(item: JudgedSet) -> tuple[str, str, str, int]:
    spec: TestsetSpec = load(TestsetSpec, item.spec)
    return item.spec.stem, spec.corpus, spec.split, count_lines(item.queries)
