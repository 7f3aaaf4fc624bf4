"""Test sets that a ranker's pretrained model was trained on. Their scores do not measure generalization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthrank.config.models import DerivedModel
from synthrank.config.origins import origins

if TYPE_CHECKING:
    from synthrank.config.study import Study


def find_seen_testsets(study: Study) -> dict[str, tuple[str, ...]]:
    """Return the test sets whose corpus a ranker's pretrained model was trained on, per ranker of the passage study.

    Rankers without such a test set are omitted. Corpora with the same data count as one.
    """
    experiment, same = study.experiment, origins(study)
    rankers = [*experiment.rankers, *(name for claim in experiment.stated_claims for name in claim.rankers)]
    testsets = study.testsets_of(*experiment.suites)
    found = {}
    for ranker in dict.fromkeys(rankers):
        corpora = {same[corpus] for corpus in _list_trained_on(study, base_of(study, ranker))}
        known = tuple(name for name, spec in testsets.items() if same[spec.corpus] in corpora)
        if known:
            found[ranker] = known
    return found


def base_of(study: Study, ranker: str) -> str:
    """Return the pretrained model at the start of a ranker's chain of bases."""
    base = study.entities["rankers"][ranker].base
    return str(base.model) if base.model else base_of(study, base.ranker)


def _list_trained_on(study: Study, model: str) -> set[str]:
    """Return the corpora that a model, or a model from which it is derived, was trained on."""
    models, names = study.entities["models"], [model]
    while isinstance(spec := models[names[-1]], DerivedModel) and spec.model not in names:
        names.append(spec.model)
    return {corpus for name in names for corpus in models[name].trained_on}
