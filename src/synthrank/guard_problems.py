"""What may be wrong with the guards of negatives although every recipe is right by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthrank.specs.paradigms import HumanParadigm, ImportedParadigm, QueriedParadigm
from synthrank.specs.recipes import Sized

if TYPE_CHECKING:
    from synthrank.study import Study


def guard_problems(study: Study) -> Iterable[str]:
    """Yield a line for each paradigm whose positives no run holds, although the guard takes their scores from one."""
    for name, recipe in study.entities["recipes"].items():
        guard = recipe.negatives.guard if isinstance(recipe, Sized) and recipe.negatives else None
        if guard is None or guard.max_share_of_positive is None or guard.scored_by:
            continue
        for paradigm in recipe.paradigms:
            if recipe.negatives.source == "human" and not _in_corpus(study, paradigm):
                yield (
                    f"{study.folder}/recipes/{name}.yaml: negatives.guard.scored_by: is not stated, but no run over "
                    f"the corpus holds the passages of paradigm {paradigm!r}, so max_share_of_positive has no score "
                    "of theirs; name a dense retriever there"
                )


def _in_corpus(study: Study, paradigm: str) -> bool:
    """Tell whether the passages of a paradigm have the ids of passages of the corpus."""
    spec = study.entities["paradigms"][paradigm]
    return isinstance(spec, HumanParadigm | QueriedParadigm) or (
        isinstance(spec, ImportedParadigm) and spec.by == "passage"
    )
