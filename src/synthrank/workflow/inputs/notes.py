"""Inputs of the notes below tables that compare recipes: files, seeds, budgets and overlap with test queries.

Each method takes a table's name, ``main`` for the tables id and ood, and returns the input function of that table.
"""

from collections.abc import Callable, Iterator

from synthrank.config.base import NONE
from synthrank.config.consistency.splits import answerable_testsets, selections
from synthrank.config.distillation import pair_recipes_with_llms
from synthrank.workflow.inputs.base import Paths, Row, Rows, Wildcards, drop_repeated
from synthrank.workflow.inputs.tables import TableInputs


class NoteInputs(TableInputs):
    """Inputs of tables and of the notes below them."""

    def recipes_of(self, table: str) -> Rows:
        """Return the recipes, each once; one named with ``@N`` has the file of its base."""
        return lambda wildcards: [{"recipe": name} for name in self.bases_of(self.compared(table, wildcards))]

    def answered_by(self, table: str) -> Rows:
        """Return the training sets whose passages may be relevant to test queries."""

        def answered(wildcards: Wildcards) -> list[Row]:
            rows = [(str(row["recipe"]), row["llm"], row["seed"]) for row in self._trainings(table, wildcards)]
            return drop_repeated(
                {"recipe": recipe, "llm": llm, "draw": self.draws.of_trainset(recipe, seed)}
                for recipe, llm, seed in rows
                if answerable_testsets(self.study, recipe)
            )

        return answered

    def selected_of(self, table: str) -> Paths:
        """Return sentences on the rankers whose settings were chosen."""
        return lambda wildcards: selections(
            self.study, (str(row["ranker"]) for row in self._trainings(table, wildcards))
        )

    def scope_of(self, table: str) -> Callable[[Wildcards], str]:
        """Return a description of the parts that training seeds vary in the table."""
        return lambda wildcards: self.draws.what_seeds_move(self.compared(table, wildcards))

    def trainsets_of(self, table: str) -> Rows:
        """Return every training set."""

        def trainsets(wildcards: Wildcards) -> list[Row]:
            experiment = self.study.experiment
            return drop_repeated(
                {"recipe": recipe, "llm": llm, "draw": self.draws.of_trainset(recipe, seed)}
                for recipe, llm in pair_recipes_with_llms(self.study, self.compared(table, wildcards), experiment.llms)
                for seed in experiment.seeds
            )

        return trainsets

    def _trainings(self, table: str, wildcards: Wildcards) -> Iterator[Row]:
        """Yield every trained ranker whose scores a table is made from, once for each seed and test set."""
        made_from = {"claims": self.claims_metrics, "enrichment": self.enrichment_metrics, "sizes": self.sizes_metrics}
        for row in made_from.get(table, self.metrics)(wildcards):
            if row.get("recipe", NONE) != NONE:
                yield row
