"""What may be wrong with the sections of an experiment: what its tables compare, train and test on.

Each check yields lines for a person: the key, what is wrong, what would be right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthrank.distillation import recipes_of
from synthrank.errors import known
from synthrank.origins import origins
from synthrank.seen import seen
from synthrank.specs.corpora import MixedCorpus
from synthrank.specs.llms import GeminiLlm, OpenAiLlm
from synthrank.specs.rankers import DISTILS
from synthrank.specs.recipes import GradedRecipe, OrderRecipe, PairsRecipe, Sized

if TYPE_CHECKING:
    from synthrank.specs.experiment import Claim
    from synthrank.study import Study

BINARY = ("multiple-negatives", "cached-multiple-negatives", "binary-cross-entropy")
"""Losses that take labels 1 and 0."""


def experiment_problems(study: Study) -> Iterable[str]:
    """Yield one line for each thing that a table could not be made with, or would be made wrongly with."""
    for check in (_sizes, _claims, _enrichment, _llms, _suites, _distillation, _losses):
        yield from check(study)


def _claims(study: Study) -> Iterable[str]:
    claims = study.experiment.claims
    if claims is None:
        return
    if claims.measure not in study.measures:
        yield f"experiment: claims.measure: got {claims.measure!r}; no run is measured by it ({known(study.measures)})"
    seeds = len(study.experiment.seeds)
    if "seeds" in claims.over and seeds < 2:
        yield (
            f"experiment: claims.over: got {list(claims.over)}; with {seeds} training seed nothing is known of others: "
            "state [queries], or two seeds or more, better five"
        )
    if claims.first_look and ("seeds" not in claims.over or claims.first_look > seeds):
        yield (
            f"experiment: claims.first_look: got {claims.first_look}; it takes claims over [queries, seeds] and at "
            f"least as many training seeds, not {seeds} over {list(claims.over)}; or state null"
        )
    same = origins(study)
    testsets = study.testsets_of(*study.experiment.suites)
    before = {name for names in seen(study).values() for name in names}
    tested, unseen = ({same[spec.corpus] for name, spec in testsets.items() if name not in out} for out in ((), before))
    for name, claim in claims.claims.items():
        origin = f"experiment: claims.claims.{name}"
        yield from _one_corpus(study, origin, claim.recipes)
        yield from _equal_pairs(study, name, claim)
        own = study.entities["recipes"][claim.control].corpus
        for where in claim.distributions:
            if not {
                corpus for corpus in (tested if where == "id" else unseen) if (corpus == same[own]) == (where == "id")
            }:
                other = "of" if where == "id" else "that no ranker's model saw before, of another corpus than"
                yield f"{origin}.distribution: got {claim.distribution!r}; no suite has a test set {other} {own!r}"
        if not study.is_human(claim.human):
            yield (
                f"{origin}.{'gate' if claim.gate else 'control'}: got {claim.human!r}; whether training helps is seen "
                "of human passages alone: name a recipe of them as gate"
            )


def _equal_pairs(study: Study, name: str, claim: Claim) -> Iterable[str]:
    """Yield a line for each two recipes of unequal size that a claim compares, unless the larger is meant to be it."""
    for treatment in claim.treatment:
        recipes = {name: study.entities["recipes"][name] for name in (treatment, claim.control)}
        if len(recipes) < 2 or not all(isinstance(recipe, PairsRecipe) for recipe in recipes.values()):
            continue  # lists and orders are not counted in pairs
        fewer, more = sorted(recipes, key=lambda name: recipes[name].pairs)
        if recipes[fewer].pairs != recipes[more].pairs and not recipes[more].more_pairs:
            yield (
                f"experiment: claims.claims.{name}: compares {recipes[more].pairs:,} pairs of {more!r} with "
                f"{recipes[fewer].pairs:,} of {fewer!r}; name recipes of equal size, one with @N, or state "
                f"more_pairs: true in the file of {more!r} if it is meant to have more"
            )


def _one_corpus(study: Study, origin: str, recipes: Iterable[str]) -> Iterable[str]:
    """Yield a line where recipes that are compared are of several corpora: each has other test sets in distribution."""
    corpora = {study.entities["recipes"][name].corpus for name in recipes}
    if len(corpora) > 1:
        yield f"{origin}: its recipes are of corpora {', '.join(sorted(corpora))}; compare recipes of one corpus"


def _sizes(study: Study) -> Iterable[str]:
    sizes = study.experiment.sizes
    for name in sizes.recipes if sizes else ():
        recipe = study.entities["recipes"][name]
        if not isinstance(recipe, Sized):
            yield f"experiment: sizes.recipes: got {name!r}; it must be a recipe of kind pairs or graded"
            continue
        if sizes and recipe.size in sizes.queries:
            yield f"experiment: sizes.queries: got {recipe.size}; recipe {name!r} has as many itself, leave it out"


def _enrichment(study: Study) -> Iterable[str]:
    enrichment = study.experiment.enrichment
    if enrichment:
        names = [enrichment.base, *filter(None, [enrichment.control]), *enrichment.enriched]
        yield from _one_corpus(study, "experiment: enrichment", names)


def _llms(study: Study) -> Iterable[str]:
    if not study.experiment.llms and any(study.is_generated(name) for name in study.recipes):
        yield "experiment: llms: is empty, but a recipe has generated passages; name at least one LLM"


def _suites(study: Study) -> Iterable[str]:
    experiment = study.experiment
    for suite in experiment.bias.suites if experiment.bias else ():
        for name, testset in study.testsets_of(suite).items():
            if not isinstance(study.entities["corpora"][testset.corpus], MixedCorpus):
                yield (
                    f"experiment: bias.suites: {suite!r} has test set {name!r}, whose corpus {testset.corpus!r} is not "
                    "mixed; bias is measured where passages of both kinds are ranked"
                )
    for key, part in (("", experiment), ("twolar.", experiment.twolar)):
        if part:
            yield from _tested_twice(study, f"{key}suites", part.suites)
            for name in sorted({*part.first_stages} & {*part.rankers}):
                yield f"experiment: {key}first_stages: {name!r} is a ranker too, so that a table cannot tell them apart"


def _distillation(study: Study) -> Iterable[str]:
    twolar = study.experiment.twolar
    if twolar is None:
        return
    recipes = recipes_of(study)
    if any(study.is_generated(name) for name in recipes) and not twolar.llms:
        yield "experiment: twolar.llms: is empty, but a recipe needs a language model; name at least one LLM"
    yield from _scored(study, sorted(recipes), twolar.llms)
    for name in sorted({*twolar.rankers} & {*twolar.untrained}):
        yield f"experiment: twolar.untrained: {name!r} is among twolar.rankers, which are measured untrained too"


def _tested_twice(study: Study, key: str, suites: Iterable[str]) -> Iterable[str]:
    """Yield a line for each test set of two suites: every table would count it twice."""
    first: dict[str, str] = {}
    for suite in suites:
        for name in study.testsets_of(suite):
            if first.setdefault(name, suite) != suite:
                both = f"{first[name]!r} and in {suite!r}"
                yield f"experiment: {key}: test set {name!r} is in {both}; name one of the two"


def _scored(study: Study, recipes: Iterable[str], llms: Iterable[str]) -> Iterable[str]:
    """Yield a line for each recipe whose ranking takes log-probabilities, which hosted LLMs do not give."""
    hosted = [name for name in llms if isinstance(study.entities["llms"][name], OpenAiLlm | GeminiLlm)]
    for name in recipes:
        recipe = study.entities["recipes"][name]
        if hosted and isinstance(recipe, OrderRecipe) and study.entities["rankings"][recipe.ranking].scores:
            yield (
                f"{study.folder}/recipes/{name}.yaml: ranking: {recipe.ranking!r} takes log-probabilities, which the "
                f"hosted LLM {hosted[0]!r} does not give; take a local LLM, or a ranking that reads what is written"
            )


def _losses(study: Study) -> Iterable[str]:
    """Yield a line for each ranker whose loss cannot read its training set."""
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


def _trained(study: Study) -> Iterable[tuple[str, str]]:
    """Return each recipe with each ranker that the tables of systems, claims and sizes train on it."""
    experiment = study.experiment
    trained = [(experiment.recipes, experiment.rankers)]
    trained += [(item.recipes, item.rankers) for item in experiment.stated_claims]
    if experiment.sizes:
        trained.append((experiment.sizes.recipes, experiment.sizes.rankers or experiment.rankers))
    return dict.fromkeys((name, ranker) for names, rankers in trained for name in names for ranker in rankers)
