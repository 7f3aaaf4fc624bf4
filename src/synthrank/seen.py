"""Which test sets a ranker's pretrained model saw before: no evidence of how it does on questions it never met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthrank.origins import origins
from synthrank.specs.models import DerivedModel

if TYPE_CHECKING:
    from synthrank.study import Study


def seen(study: Study) -> dict[str, tuple[str, ...]]:
    """Return for each ranker of the passage study the test sets whose corpus its base was trained on, if there are any.

    Corpora that read the same data are one, whatever their names.
    """
    experiment, same = study.experiment, origins(study)
    rankers = [*experiment.rankers, *(name for claim in experiment.stated_claims for name in claim.rankers)]
    testsets = study.testsets_of(*experiment.suites)
    found = {}
    for ranker in dict.fromkeys(rankers):
        corpora = {same[corpus] for corpus in _trained_on(study, base_of(study, ranker))}
        known = tuple(name for name, spec in testsets.items() if same[spec.corpus] in corpora)
        if known:
            found[ranker] = known
    return found


def base_of(study: Study, ranker: str) -> str:
    """Return the pretrained model at the start of a ranker's chain of bases."""
    base = study.entities["rankers"][ranker].base
    return str(base.model) if base.model else base_of(study, base.ranker)


def _trained_on(study: Study, model: str) -> set[str]:
    """Return the corpora that a model was trained on, and those of the models that it is made from."""
    models, names = study.entities["models"], [model]
    while isinstance(spec := models[names[-1]], DerivedModel) and spec.model not in names:
        names.append(spec.model)
    return {corpus for name in names for corpus in models[name].trained_on}
