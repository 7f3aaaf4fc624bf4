"""What may be wrong with a study although every file is right by itself: one check a kind.

Each check yields lines for a person: the file, the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthrank.errors import known
from synthrank.specs.corpora import TRAIN
from synthrank.specs.recipes import DistilRecipe, OrderRecipe, PairsRecipe, TeacherRecipe
from synthrank.specs.retrievers import Dense

if TYPE_CHECKING:
    from synthrank.study import Study


def problems(study: Study) -> Iterable[str]:
    """Yield one line for each thing that does not fit together."""
    for check in (_corpora, _testsets, _recipes, _experiment):
        yield from check(study)


def _corpora(study: Study) -> Iterable[str]:
    for name, corpus in study.entities["corpora"].items():
        overlap = corpus.splits.keys() & study.entities["augmentations"].keys()
        if overlap:
            yield f"{study.folder}/corpora/{name}.yaml: splits: {min(overlap)!r} is the name of an augmentation too"


def _testsets(study: Study) -> Iterable[str]:
    for name, testset in study.entities["testsets"].items():
        yield from _split(study, f"{study.folder}/testsets/{name}.yaml", testset.corpus, testset.split)


def _recipes(study: Study) -> Iterable[str]:
    for name, recipe in study.entities["recipes"].items():
        origin = f"{study.folder}/recipes/{name}.yaml"
        if isinstance(recipe, PairsRecipe):
            yield from _split(study, origin, recipe.corpus, TRAIN)
        elif isinstance(recipe, TeacherRecipe):
            yield from _split(study, origin, recipe.corpus, recipe.split)
        elif isinstance(recipe, DistilRecipe):
            if not isinstance(study.entities["retrievers"][recipe.teacher], Dense):
                yield f"{origin}: teacher: got {recipe.teacher!r}; it must be dense"
        elif isinstance(recipe, OrderRecipe):
            names = {*study.entities["augmentations"], *study.entities["corpora"][recipe.corpus].splits}
            if recipe.queries not in names:
                yield f"{origin}: queries: got {recipe.queries!r}; no such augmentation or split ({known(names)})"


def _experiment(study: Study) -> Iterable[str]:
    experiment = study.experiment
    if any(study.is_generated(name) for name in experiment.recipes) and not experiment.llms:
        yield "experiment: llms: is empty, but a recipe has generated passages; name at least one LLM"
    if experiment.twolar:
        recipes = {*experiment.twolar.recipes, *(n for a in experiment.twolar.ablations.values() for n in a.recipes)}
        if any(study.is_generated(name) for name in recipes) and not experiment.twolar.llms:
            yield "experiment: twolar.llms: is empty, but a recipe needs a language model; name at least one LLM"


def _split(study: Study, origin: str, corpus: str, split: str) -> Iterable[str]:
    splits = study.entities["corpora"][corpus].splits
    if split not in splits:
        yield f"{origin}: split: corpus {corpus!r} has no split {split!r} ({known(splits)})"
