"""What losses need of training sets and recipes do not give: labels 1 and 0, or a teacher's scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthrank.filter_problems import unfit_reranker
from synthrank.specs.rankers import DISTILS, PromptRanker
from synthrank.specs.recipes import GradedRecipe, PairsRecipe

if TYPE_CHECKING:
    from synthrank.study import Study

BINARY = ("multiple-negatives", "cached-multiple-negatives", "binary-cross-entropy")
"""Losses that take labels 1 and 0."""


def label_problems(study: Study) -> Iterable[str]:
    """Yield one line for each teacher that gives no logits, and each ranker whose loss cannot read its training set."""
    for name, recipe in study.entities["recipes"].items():
        if isinstance(recipe, PairsRecipe) and recipe.teacher:
            yield from _teacher(study, f"{study.folder}/recipes/{name}.yaml: teacher", recipe.teacher)
    for name, ranker in _trained(study):
        recipe, loss = study.entities["recipes"][name], study.entities["rankers"][ranker].loss
        if isinstance(recipe, GradedRecipe) and loss in BINARY:
            yield (
                f"experiment: recipe {name!r} labels with levels, but ranker {ranker!r} trains with {loss}, which "
                "takes labels 1 and 0; train it by a loss over the list, as listnet, in an experiment of its own"
            )
        if loss == DISTILS and not (isinstance(recipe, PairsRecipe) and recipe.teacher):
            yield (
                f"experiment: ranker {ranker!r} trains with {loss}, which takes a teacher's scores, but recipe "
                f"{name!r} has none; name a teacher in a recipe of pairs, or train another ranker on it"
            )


def _teacher(study: Study, origin: str, teacher: str) -> Iterable[str]:
    """Yield a line for a teacher that is no pretrained reranker, or whose scores are no logits."""
    ranker, unfit = study.entities["rankers"][teacher], list(unfit_reranker(study, origin, teacher))
    yield from unfit
    if not unfit and ranker.score == "softmax" and (isinstance(ranker, PromptRanker) or ranker.labels == 2):
        yield (
            f"{origin}: got {teacher!r}; its scores are probabilities, whose softmax tells passages hardly apart; name "
            "a ranker with score difference"
        )


def _trained(study: Study) -> Iterable[tuple[str, str]]:
    """Return each recipe with each ranker that the tables of systems, claims and sizes train on it."""
    experiment = study.experiment
    trained = [(experiment.recipes, experiment.rankers)]
    claims = experiment.claims.claims.values() if experiment.claims else ()
    trained += [(item.recipes, item.rankers) for item in claims]
    if experiment.sizes:
        trained.append((experiment.sizes.recipes, experiment.sizes.rankers or experiment.rankers))
    return dict.fromkeys((name, ranker) for names, rankers in trained for name in names for ranker in rankers)
