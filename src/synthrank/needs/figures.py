"""Inputs of the stage figures."""

from types import MappingProxyType

from synthrank.distillation import made
from synthrank.needs.base import StageNeeds, Wildcards


class FigureNeeds(StageNeeds):
    """Which tables a figure shows."""

    _TABLES = MappingProxyType(
        {
            "claims": ("claims",),
            "differences": ("id", "ood"),
            "enrichment": ("enrichment",),
            "sizes": ("sizes",),
        }
    )

    @property
    def figures(self) -> list[str]:
        """The figures that can be drawn."""
        return sorted([*self._TABLES, "passages"])

    def figure_data(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of a figure; of the passages' one, those of every training set."""
        if wildcards.figure != "passages":
            return [f"results/tables/{name}.csv" for name in self._TABLES[wildcards.figure]]
        experiment = self.study.experiment
        return [
            f"results/validity/trainsets/{recipe}/{llm}/passages.csv"
            for recipe, llm in made(self.study, experiment.recipes, experiment.llms)
        ]
