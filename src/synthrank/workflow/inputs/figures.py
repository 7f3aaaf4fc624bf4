"""Inputs of the stage figures."""

from types import MappingProxyType

from synthrank.config.distillation import pair_recipes_with_llms
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards

_TABLES = MappingProxyType(
    {
        "claims": ("claims",),
        "cost": ("cost", "id", "ood"),
        "differences": ("id", "ood"),
        "effectiveness": ("id", "ood"),
        "enrichment": ("enrichment",),
        "sizes": ("sizes",),
    }
)

FIGURES = (*_TABLES, "passages")
"""The figures that can be drawn."""


class FigureInputs(StageInputs):
    """Inputs of figures."""

    def data(self, wildcards: Wildcards) -> list[Row]:
        """Return the tables of a figure, or every training set for the figure ``passages``.

        The figure ``cost`` also reads the paradigms of each recipe.
        """
        experiment = self.study.experiment
        if wildcards.figure == "passages":
            return self.measured(pair_recipes_with_llms(self.study, experiment.recipes, experiment.llms))
        recipes = self.bases_of(experiment.recipes) if wildcards.figure == "cost" else []
        return [*({"table": name} for name in _TABLES[wildcards.figure]), *({"base": name} for name in recipes)]
