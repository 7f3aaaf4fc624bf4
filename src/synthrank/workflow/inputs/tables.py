"""Inputs of the stage tables."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from synthrank.config.base import NONE
from synthrank.config.distillation import (
    first_stages,
    pair_recipes_with_llms,
    rankings,
    suites_of,
    written_passages,
    written_queries,
)
from synthrank.config.experiment import Ablation, Enrichment, Sizes
from synthrank.config.origins import origins
from synthrank.config.paradigms import word_for
from synthrank.config.pretraining import find_seen_testsets
from synthrank.config.recipes import Sized
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards, drop_repeated


class TableInputs(StageInputs):
    """Inputs of tables."""

    def metrics(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of the tables id and ood: first stages, then rankers, untrained first."""
        experiment = self.study.experiment
        systems = [(NONE, NONE), *pair_recipes_with_llms(self.study, experiment.recipes, experiment.llms)]
        return [*self.first_stages(wildcards), *self._trained(systems, experiment.rankers)]

    def first_stages(self, wildcards: Wildcards) -> list[Row]:
        """Return the experiment's first stages on each of its test sets."""
        experiment = self.study.experiment
        testsets = self.study.testsets_of(*experiment.suites)
        return [{"testset": testset, "retriever": name} for testset in testsets for name in experiment.first_stages]

    def written_passages(self, wildcards: Wildcards) -> list[Row]:
        """Return every draw of all passages that language models write for the experiment."""
        return [
            {"corpus": corpus, "paradigm": paradigm, "llm": llm, "draw": draw}
            for corpus, paradigm, llm in written_passages(self.study)
            for draw in self.draws.passages(paradigm)
        ]

    def written_queries(self, wildcards: Wildcards) -> list[Row]:
        """Return all queries that language models write for the experiment."""
        return [{"corpus": corpus, "augmentation": name} for corpus, name in written_queries(self.study)]

    def testsets(self, wildcards: Wildcards) -> list[Row]:
        """Return the experiment's test sets."""
        return [{"testset": name} for name in self.study.testsets_of(*self.study.experiment.suites)]

    def origins(self, wildcards: Wildcards | None = None) -> list[str]:
        """Return each corpus that uses the data of another corpus, as ``NAME=ORIGIN``; both are one distribution."""
        return [f"{name}={origin}" for name, origin in origins(self.study).items() if name != origin]

    def seen_testsets(self, wildcards: Wildcards | None = None) -> list[str]:
        """Return the test sets whose data a ranker was pretrained on, as ``RANKER=TESTSET``."""
        return [
            f"{ranker}={testset}" for ranker, testsets in find_seen_testsets(self.study).items() for testset in testsets
        ]

    def reference_recipe(self, wildcards: Wildcards) -> str:
        """Return the first recipe that trains only on human passages, or ``none``."""
        return self.study.reference_recipe or NONE

    def compared(self, table: str, wildcards: Wildcards) -> list[str]:
        """Return the recipes that a table compares. ``main`` is the name for the tables id, ood and bias."""
        study = self.study
        match table:
            case "claims":
                return [name for claim in study.claims.claims.values() for name in claim.recipes]
            case "enrichment":
                return [study.enrichment.base, *self.enrichment_control(wildcards), *study.enrichment.enriched]
            case "sizes":
                return study.sizes.names
            case "twolar":
                return list(study.twolar.recipes)
            case "ablation":
                return list(self.ablation(wildcards).recipes)
        return list(study.experiment.recipes)

    # Sections: methods, so that an experiment without a section is refused only if its table is a target.

    def claims(self, wildcards: Wildcards) -> str:
        """Return the section of claims as JSON."""
        return self.study.claims.model_dump_json()

    def claims_metrics(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of the table of claims, each once, with untrained rankers."""
        llms = self.study.experiment.llms
        return drop_repeated(
            row
            for claim in self.study.claims.claims.values()
            for row in self._trained(
                [(NONE, NONE), *pair_recipes_with_llms(self.study, claim.recipes, llms)], claim.rankers
            )
        )

    def enrichment(self, wildcards: Wildcards) -> Enrichment:
        """Return the recipes that the table of enrichment compares."""
        return self.study.enrichment

    def enrichment_word(self, wildcards: Wildcards) -> str:
        """Return the word for the passages that are added to human passages."""
        recipes = [self.study.entities["recipes"][name] for name in self.enrichment(wildcards).enriched]
        paradigms = [name for recipe in recipes if isinstance(recipe, Sized) for name in recipe.paradigms]
        return word_for(self.study.entities["paradigms"][name] for name in paradigms)

    def enrichment_control(self, wildcards: Wildcards) -> list[str]:
        """Return the recipe of additional human passages, if the experiment names it."""
        control = self.enrichment(wildcards).control
        return [control] if control else []

    def enrichment_metrics(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of the table of enrichment."""
        experiment = self.study.experiment
        systems = pair_recipes_with_llms(self.study, self.compared("enrichment", wildcards), experiment.llms)
        return self._trained(systems, self.enrichment(wildcards).rankers or experiment.rankers)

    def sizes(self, wildcards: Wildcards) -> Sizes:
        """Return the recipes and sizes of the table of sizes."""
        return self.study.sizes

    def sizes_metrics(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of the table of sizes."""
        experiment, sizes = self.study.experiment, self.sizes(wildcards)
        systems = pair_recipes_with_llms(self.study, sizes.names, experiment.llms)
        return self._trained(systems, sizes.rankers or experiment.rankers, seeds=sizes.seeds)

    # The distillation study: methods, for the same reason.

    def twolar_metrics(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of the distillation study's table."""
        first = [
            {"testset": testset, "retriever": name}
            for testset in self._testsets()
            for name in first_stages(self.study, testset)
        ]
        twolar = self.study.twolar
        suites, systems = (
            suites_of(self.study),
            [(NONE, NONE), *pair_recipes_with_llms(self.study, twolar.recipes, twolar.llms)],
        )
        # A single seed: seeds only initialise missing heads, and released models are complete.
        released = self._trained([(NONE, NONE)], twolar.untrained, suites, self.study.experiment.seeds[:1])
        return [*first, *released, *self._trained(systems, twolar.rankers, suites)]

    def twolar_testsets(self, wildcards: Wildcards) -> list[Row]:
        """Return the distillation study's test sets."""
        return [{"testset": name} for name in self._testsets()]

    def twolar_measures(self, wildcards: Wildcards) -> list[str]:
        """Return the measures of the tables of the distillation study."""
        return list(self.study.twolar.measures)

    def twolar_rankers(self, wildcards: Wildcards) -> list[Row]:
        """Return the trained and untrained rankers, and the rankers on which they are based."""
        names = [*self.study.twolar.rankers, *self.study.twolar.untrained]
        for name in names:  # grows during the loop, because a base may have another base
            base = self.study.entities["rankers"][name].base.ranker
            if base and base not in names:
                names.append(base)
        return [{"ranker": name} for name in names]

    def twolar_retrievers(self, wildcards: Wildcards) -> list[Row]:
        """Return the first stages of the distillation study."""
        names = [name for testset in self._testsets() for name in first_stages(self.study, testset)]
        return [{"retriever": name} for name in dict.fromkeys(names)]

    def ablation(self, wildcards: Wildcards) -> Ablation:
        """Return the recipes and rankers of an ablation."""
        return self.study.twolar.ablations[wildcards.ablation]

    def ablation_metrics(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of an ablation's table."""
        ablation = self.ablation(wildcards)
        systems = pair_recipes_with_llms(self.study, ablation.recipes, self.study.twolar.llms)
        return self._trained(systems, ablation.rankers, suites_of(self.study))

    def rankings(self, wildcards: Wildcards) -> list[Row]:
        """Return everything that language models rank for the distillation study."""
        return [asdict(item) for item in rankings(self.study)]

    def _testsets(self) -> list[str]:
        """Return the distillation study's test sets, each once."""
        return list(self.study.testsets_of(*suites_of(self.study)))

    def _trained(
        self,
        systems: Sequence[tuple[str, str]],
        rankers: Sequence[str],
        suites: Iterable[str] = (),
        seeds: Iterable[int] = (),
    ) -> list[Row]:
        """Return (recipe, LLM) pairs with rankers; by default on all suites and with all seeds."""
        testsets = self.study.testsets_of(*(suites or self.study.experiment.suites))
        return self.systems_on(list(testsets), systems, rankers, seeds)
