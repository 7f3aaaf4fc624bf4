"""What may be wrong with the sections of an experiment that its own tables are made from: claims, enrichment, sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthrank.errors import known
from synthrank.origins import origins
from synthrank.seen import seen
from synthrank.specs.recipes import PairsRecipe, Sized

if TYPE_CHECKING:
    from synthrank.specs.experiment import Claim
    from synthrank.study import Study


def section_problems(study: Study) -> Iterable[str]:
    """Yield one line for each thing that a table could not be made with, or would be made wrongly with."""
    yield from _sizes(study)
    yield from _claims(study)
    enrichment = study.experiment.enrichment
    if enrichment:
        names = [enrichment.base, *filter(None, [enrichment.control]), *enrichment.enriched]
        yield from _one_corpus(study, "experiment: enrichment", names)
    if not study.experiment.llms and any(study.is_generated(name) for name in study.recipes):
        yield "experiment: llms: is empty, but a recipe has generated passages; name at least one LLM"


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
    testsets = {name: spec for suite in study.experiment.suites for name, spec in study.testsets_of(suite).items()}
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
