"""Checks of the sections of an experiment.

Each check yields messages of one line: the key, what is wrong, what is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthrank.config.corpora import MixedCorpus
from synthrank.config.distillation import recipes_of
from synthrank.config.llms import GeminiLlm, OpenAiLlm
from synthrank.config.origins import origins
from synthrank.config.pretraining import find_seen_testsets
from synthrank.config.rankers import DISTILS
from synthrank.config.recipes import GradedRecipe, OrderRecipe, PairsRecipe, Sized
from synthrank.errors import list_known

if TYPE_CHECKING:
    from synthrank.config.experiment import Claim
    from synthrank.config.study import Study

BINARY = ("multiple-negatives", "cached-multiple-negatives", "binary-cross-entropy")
"""Losses for labels 1 and 0."""


def experiment_problems(study: Study) -> Iterable[str]:
    """Yield a line per problem that prevents a table or makes it wrong."""
    for check in (_sizes, _claims, _enrichment, _llms, _suites, _distillation, _losses):
        yield from check(study)


def _claims(study: Study) -> Iterable[str]:
    claims = study.experiment.claims
    if claims is None:
        return
    if claims.measure not in study.measures:
        known = list_known(study.measures)
        yield f"experiment: claims.measure: {claims.measure!r} is not in measures ({known})"
    seeds = len(study.experiment.seeds)
    if "seeds" in claims.over and seeds < 2:
        yield (
            f"experiment: claims.over: {list(claims.over)} needs at least two training seeds, better five; add seeds "
            "or state [queries]"
        )
    if claims.first_look and ("seeds" not in claims.over or claims.first_look > seeds):
        yield (
            f"experiment: claims.first_look: {claims.first_look} needs over: [queries, seeds] and at least "
            f"{claims.first_look} training seeds; got over: {list(claims.over)} and {seeds}"
        )
    same = origins(study)
    testsets = study.testsets_of(*study.experiment.suites)
    before = {name for names in find_seen_testsets(study).values() for name in names}
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
                needed = (
                    f"a test set of corpus {own!r}" if where == "id" else
                    f"a test set of a corpus other than {own!r} that no ranker's model was trained on"
                )  # fmt: skip
                yield f"{origin}.distribution: {claim.distribution!r} needs {needed}; add a suite with one"
        if not study.is_human(claim.human):
            yield (
                f"{origin}.{'gate' if claim.gate else 'control'}: {claim.human!r} has passages that are not human; "
                "state a recipe with only human passages as gate"
            )


def _equal_pairs(study: Study, name: str, claim: Claim) -> Iterable[str]:
    """Yield a line per comparison of recipes of unequal size, unless the larger one has ``more_pairs``."""
    for treatment in claim.treatment:
        recipes = {name: study.entities["recipes"][name] for name in (treatment, claim.control)}
        if len(recipes) < 2 or not all(isinstance(recipe, PairsRecipe) for recipe in recipes.values()):
            continue  # other kinds have no pairs
        fewer, more = sorted(recipes, key=lambda name: recipes[name].pairs)
        if recipes[fewer].pairs != recipes[more].pairs and not recipes[more].more_pairs:
            yield (
                f"experiment: claims.claims.{name}: compares {recipes[more].pairs:,} pairs of {more!r} with "
                f"{recipes[fewer].pairs:,} of {fewer!r}; use equal sizes, for example with @N, or state "
                f"more_pairs: true in the file of {more!r} if the larger size is intended"
            )


def _one_corpus(study: Study, origin: str, recipes: Iterable[str]) -> Iterable[str]:
    """Yield a line if compared recipes have several corpora, because their test sets in distribution differ."""
    corpora = {study.entities["recipes"][name].corpus for name in recipes}
    if len(corpora) > 1:
        yield f"{origin}: the recipes have several corpora: {', '.join(sorted(corpora))}; compare recipes of one corpus"


def _sizes(study: Study) -> Iterable[str]:
    sizes = study.experiment.sizes
    for name in sizes.recipes if sizes else ():
        recipe = study.entities["recipes"][name]
        if not isinstance(recipe, Sized):
            yield f"experiment: sizes.recipes: {name!r} must be a recipe of kind pairs or graded"
            continue
        if sizes and recipe.size in sizes.queries:
            yield f"experiment: sizes.queries: {recipe.size} is the own size of recipe {name!r}; remove it"


def _enrichment(study: Study) -> Iterable[str]:
    enrichment = study.experiment.enrichment
    if enrichment:
        names = [enrichment.base, *filter(None, [enrichment.control]), *enrichment.enriched]
        yield from _one_corpus(study, "experiment: enrichment", names)


def _llms(study: Study) -> Iterable[str]:
    if not study.experiment.llms and any(study.is_generated(name) for name in study.recipes):
        yield "experiment: llms: is empty, but a recipe has generated passages; state at least one LLM"


def _suites(study: Study) -> Iterable[str]:
    experiment = study.experiment
    for suite in experiment.bias.suites if experiment.bias else ():
        for name, testset in study.testsets_of(suite).items():
            if not isinstance(study.entities["corpora"][testset.corpus], MixedCorpus):
                yield (
                    f"experiment: bias.suites: {suite!r} has test set {name!r}, whose corpus {testset.corpus!r} is not "
                    "mixed; use only test sets of mixed corpora"
                )
    for key, part in (("", experiment), ("twolar.", experiment.twolar)):
        if part:
            for name in sorted({*part.first_stages} & {*part.rankers}):
                yield f"experiment: {key}first_stages: {name!r} is also the name of a ranker; rename one"


def _distillation(study: Study) -> Iterable[str]:
    twolar = study.experiment.twolar
    if twolar is None:
        return
    recipes = recipes_of(study)
    if any(study.is_generated(name) for name in recipes) and not twolar.llms:
        yield "experiment: twolar.llms: is empty, but a recipe needs a language model; state at least one LLM"
    yield from _check_log_probabilities(study, sorted(recipes), twolar.llms)
    for name in sorted({*twolar.rankers} & {*twolar.untrained}):
        yield (
            f"experiment: twolar.untrained: {name!r} is also in twolar.rankers, which are evaluated untrained too; "
            "remove it"
        )


def _check_log_probabilities(study: Study, recipes: Iterable[str], llms: Iterable[str]) -> Iterable[str]:
    """Yield a line per recipe whose ranking needs log-probabilities, if an LLM is hosted."""
    hosted = [name for name in llms if isinstance(study.entities["llms"][name], OpenAiLlm | GeminiLlm)]
    for name in recipes:
        recipe = study.entities["recipes"][name]
        if hosted and isinstance(recipe, OrderRecipe) and study.entities["rankings"][recipe.ranking].scores:
            yield (
                f"{study.folder}/recipes/{name}.yaml: ranking: {recipe.ranking!r} needs log-probabilities, which the "
                f"hosted LLM {hosted[0]!r} does not return; use a local LLM or a ranking with text replies"
            )


def _losses(study: Study) -> Iterable[str]:
    """Yield a line per ranker whose loss does not fit its training set."""
    for name, ranker in _list_trained(study):
        recipe, loss = study.entities["recipes"][name], study.entities["rankers"][ranker].loss
        if isinstance(recipe, GradedRecipe) and loss in BINARY:
            yield (
                f"experiment: recipe {name!r} has graded labels, but the loss {loss} of ranker {ranker!r} needs labels "
                "1 and 0; use a listwise loss such as listnet, in a separate experiment"
            )
        if loss == DISTILS and not (isinstance(recipe, PairsRecipe) and recipe.teacher):
            yield (
                f"experiment: the loss {loss} of ranker {ranker!r} needs a teacher's scores, but recipe {name!r} has "
                "no teacher; state a teacher in a recipe of kind pairs, or use another ranker"
            )


def _list_trained(study: Study) -> Iterable[tuple[str, str]]:
    """Return each (recipe, ranker) of the tables of systems, claims and sizes."""
    experiment = study.experiment
    trained = [(experiment.recipes, experiment.rankers)]
    trained += [(item.recipes, item.rankers) for item in experiment.stated_claims]
    if experiment.sizes:
        trained.append((experiment.sizes.recipes, experiment.sizes.rankers or experiment.rankers))
    return dict.fromkeys((name, ranker) for names, rankers in trained for name in names for ranker in rankers)
