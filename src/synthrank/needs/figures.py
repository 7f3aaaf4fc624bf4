"""Inputs of the stage figures."""

from types import MappingProxyType

from synthrank.distillation import made
from synthrank.needs.base import StageNeeds, Wildcards


class FigureNeeds(StageNeeds):
    """Which tables a figure shows."""

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

    @property
    def figures(self) -> list[str]:
        """The figures that can be drawn."""
        return sorted([*self._TABLES, "passages"])

    def figure_data(self, wildcards: Wildcards) -> list[str]:
        """Return the tables of a figure; of the passages' one, those of every training set.

        That of costs reads besides which paradigms each recipe takes its passages of.
        """
        experiment = self.study.experiment
        if wildcards.figure != "passages":
            tables = [f"results/tables/{name}.csv" for name in self._TABLES[wildcards.figure]]
            return tables + (self.recipe_files(experiment.recipes) if wildcards.figure == "cost" else [])
        return [
            f"{self.draws.measured_folder(recipe, llm)}/passages.csv"
            for recipe, llm in made(self.study, experiment.recipes, experiment.llms)
        ]
