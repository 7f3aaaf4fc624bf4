"""Inputs of every table that compares recipes: their files, and what is said around it of seeds, budgets and answers.

Each method takes a table's name, ``main`` for the tables id and ood, and returns the input function of that table.
"""

import re
from collections.abc import Callable, Iterable

from synthrank.development import answerable_testsets, selections
from synthrank.distillation import made
from synthrank.needs.base import Paths, Wildcards
from synthrank.needs.tables import TableNeeds
from synthrank.specs.base import NONE

_SYSTEM = re.compile(r"results/metrics/suites/[^/]+/([^/]+)/([^/]+)/([^/]+)/seed-(\d+)\.csv")
"""The scores of a ranker that a recipe trained with an LLM's passages."""


class NoteNeeds(TableNeeds):
    """What the notes of tables are made from."""

    def recipes_of(self, table: str) -> Paths:
        """Return the entity files of the recipes."""
        return lambda wildcards: self.recipe_files(self.compared(table, wildcards))

    def answers_of(self, table: str) -> Paths:
        """Return for each training set the count of its passages that answer test queries, if any may."""

        def answers(wildcards: Wildcards) -> list[str]:
            folders = (
                self.draws.trainset_folder(recipe, llm, seed).replace("results/", "results/validity/", 1)
                for recipe, llm, _, seed in self._trainings(table, wildcards)
                if answerable_testsets(self.study, recipe)
            )
            return [f"{folder}/answers.json" for folder in dict.fromkeys(folders)]

        return answers

    def selected_of(self, table: str) -> Paths:
        """Return sentences on the rankers whose settings were chosen."""
        return lambda wildcards: selections(
            self.study, (ranker for _, _, ranker, _ in self._trainings(table, wildcards))
        )

    def scope_of(self, table: str) -> Callable[[Wildcards], str]:
        """Return what chance is in the table."""
        return lambda wildcards: self.draws.what_seeds_move(self.compared(table, wildcards))

    def trainsets_of(self, table: str) -> Paths:
        """Return what was counted of every training set."""

        def trainsets(wildcards: Wildcards) -> list[str]:
            experiment = self.study.experiment
            folders = (
                self.draws.trainset_folder(recipe, llm, seed)
                for recipe, llm in made(self.study, self.compared(table, wildcards), experiment.llms)
                for seed in experiment.seeds
            )
            return [f"{folder}/stats.json" for folder in dict.fromkeys(folders)]

        return trainsets

    def _trainings(self, table: str, wildcards: Wildcards) -> Iterable[tuple[str, ...]]:
        """Yield (recipe, LLM, ranker, seed) of all trained rankers whose scores a table is made from."""
        made_from = {"claims": self.claims_metrics, "enrichment": self.enrichment_metrics, "sizes": self.sizes_metrics}
        for path in made_from[table](wildcards) if table in made_from else self.metrics:
            match = _SYSTEM.fullmatch(path)
            if match and match[1] != NONE:
                yield match.groups()
