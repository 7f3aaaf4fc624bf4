"""Inputs of what is said around tables: what seeds move, budgets, chosen settings, answers that were trained on."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from synthrank.development import answerable_testsets, selections
from synthrank.distillation import made
from synthrank.needs.base import Wildcards
from synthrank.needs.tables import TableNeeds
from synthrank.specs.base import NONE

_SYSTEM = re.compile(r"results/metrics/suites/[^/]+/([^/]+)/([^/]+)/([^/]+)/seed-(\d+)\.csv")
"""The scores of a ranker that a recipe trained with an LLM's passages."""


class NoteNeeds(TableNeeds):
    """What the notes of tables are made from."""

    @cached_property
    def answers(self) -> list[str]:
        """The counts of training passages that answer test queries, of all training sets of :attr:`metrics`."""
        return self._answers(self.metrics)

    @cached_property
    def selected(self) -> list[str]:
        """Sentences on the rankers of :attr:`metrics` whose settings were chosen."""
        return self._selected(self.metrics)

    def claims_answers(self, wildcards: Wildcards) -> list[str]:
        """Return the counts of training passages that answer test queries, of all training sets of that table."""
        return self._answers(self.claims_metrics(wildcards))

    def claims_selected(self, wildcards: Wildcards) -> list[str]:
        """Return sentences on the rankers of that table whose settings were chosen."""
        return self._selected(self.claims_metrics(wildcards))

    def enrichment_answers(self, wildcards: Wildcards) -> list[str]:
        """Return the counts of training passages that answer test queries, of all training sets of that table."""
        return self._answers(self.enrichment_metrics(wildcards))

    def enrichment_selected(self, wildcards: Wildcards) -> list[str]:
        """Return sentences on the rankers of that table whose settings were chosen."""
        return self._selected(self.enrichment_metrics(wildcards))

    def sizes_answers(self, wildcards: Wildcards) -> list[str]:
        """Return the counts of training passages that answer test queries, of all training sets of that table."""
        return self._answers(self.sizes_metrics(wildcards))

    def sizes_selected(self, wildcards: Wildcards) -> list[str]:
        """Return sentences on the rankers of that table whose settings were chosen."""
        return self._selected(self.sizes_metrics(wildcards))

    def main_scope(self, wildcards: Wildcards) -> str:
        """Return what chance is in the main tables and the table of bias."""
        return self.draws.what_seeds_move(self.study.experiment.recipes)

    def claims_scope(self, wildcards: Wildcards) -> str:
        """Return what chance is in the table of claims."""
        return self.draws.what_seeds_move(name for claim in self.study.claims.claims.values() for name in claim.recipes)

    def enrichment_scope(self, wildcards: Wildcards) -> str:
        """Return what chance is in the table of enrichment."""
        return self.draws.what_seeds_move(self._enrichment_names(wildcards))

    def sizes_scope(self, wildcards: Wildcards) -> str:
        """Return what chance is in the table of sizes."""
        return self.draws.what_seeds_move(self.sizes(wildcards).recipes)

    def twolar_scope(self, wildcards: Wildcards) -> str:
        """Return what chance is in the distillation study's table."""
        return self.draws.what_seeds_move(self.study.twolar.recipes)

    def ablation_scope(self, wildcards: Wildcards) -> str:
        """Return what chance is in an ablation's table."""
        return self.draws.what_seeds_move(self.ablation(wildcards).recipes)

    def main_trainsets(self, wildcards: Wildcards) -> list[str]:
        """Return what was counted of every training set of the main tables."""
        return self._stats(self.study.experiment.recipes)

    def enrichment_trainsets(self, wildcards: Wildcards) -> list[str]:
        """Return what was counted of every training set of the table of enrichment."""
        return self._stats(self._enrichment_names(wildcards))

    def sizes_trainsets(self, wildcards: Wildcards) -> list[str]:
        """Return what was counted of every training set of the table of sizes."""
        return self._stats(self.sizes(wildcards).names)

    @cached_property
    def ranker_specs(self) -> list[str]:
        """The entity files of the experiment's rankers."""
        return [self.spec("rankers", name) for name in self.study.experiment.rankers]

    def _stats(self, recipes: Sequence[str]) -> list[str]:
        experiment = self.study.experiment
        folders = (
            self.draws.trainset_folder(recipe, llm, seed)
            for recipe, llm in made(self.study, recipes, experiment.llms)
            for seed in experiment.seeds
        )
        return [f"{folder}/stats.json" for folder in dict.fromkeys(folders)]

    def _answers(self, metrics: Iterable[str]) -> list[str]:
        """Return for each training set behind scores the count of its passages that answer test queries, if any may."""
        systems = [match.groups() for path in metrics if (match := _SYSTEM.fullmatch(path)) and match[1] != NONE]
        found = (
            f"{self.draws.trainset_folder(recipe, llm, seed).replace('results/', 'results/validity/', 1)}/answers.json"
            for recipe, llm, _, seed in systems
            if answerable_testsets(self.study, recipe)
        )
        return list(dict.fromkeys(found))

    def _selected(self, metrics: Iterable[str]) -> list[str]:
        """Return sentences on the trained rankers behind scores whose settings were chosen."""
        systems = [match.groups() for path in metrics if (match := _SYSTEM.fullmatch(path))]
        return selections(self.study, (ranker for recipe, _, ranker, _ in systems if recipe != NONE))
