"""Inputs of the stage tables."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from synthrank.distillation import Ranked, first_stages, made, rankings, suites_of
from synthrank.draws import request_folder
from synthrank.needs.base import StageNeeds, Wildcards
from synthrank.origins import origins
from synthrank.seen import seen
from synthrank.specs.base import NONE
from synthrank.specs.experiment import Ablation, Enrichment, Sizes
from synthrank.specs.paradigms import word_for
from synthrank.specs.recipes import Sized


class TableNeeds(StageNeeds):
    """What tables are made from."""

    @cached_property
    def metrics(self) -> list[str]:
        """The files that a table of this experiment is made from."""
        first = [
            f"results/metrics/testsets/{testset}/{retriever}.csv"
            for suite in self.study.experiment.suites
            for testset in self.study.testsets_of(suite)
            for retriever in self.study.experiment.first_stages
        ]
        experiment = self.study.experiment
        systems = [(NONE, NONE), *made(self.study, experiment.recipes, experiment.llms)]
        return first + self._trained(systems, experiment.rankers)

    @cached_property
    def all_replies(self) -> list[str]:
        """The replies of every draw of every generated paradigm of the experiment, by each LLM."""
        return [f"{self.draws.passage_folder(*asked)}/replies.jsonl" for asked in self._asked()]

    @cached_property
    def all_requests(self) -> list[str]:
        """For each of :attr:`all_replies` its requests."""
        return [
            f"{request_folder(corpus, paradigm, draw)}/requests.jsonl" for corpus, paradigm, _, draw in self._asked()
        ]

    @cached_property
    def all_reply_paradigms(self) -> list[str]:
        """For each of :attr:`all_replies` the paradigm's entity file."""
        return [self.spec("paradigms", paradigm) for _, paradigm, _, _ in self._asked()]

    @cached_property
    def all_reply_llms(self) -> list[str]:
        """For each of :attr:`all_replies` the LLM's entity file."""
        return [self.spec("llms", llm) for _, _, llm, _ in self._asked()]

    def _asked(self) -> list[tuple[str, str, str, int]]:
        """Return (corpus, paradigm, LLM, draw) of everything that language models write for the experiment."""
        return [
            (corpus, paradigm, llm, draw)
            for corpus, paradigm in self.study.generated()
            for llm in self.study.experiment.llms
            for draw in self.draws.passages(paradigm)
        ]

    @cached_property
    def testset_specs(self) -> list[str]:
        """The entity files of the experiment's test sets."""
        return [
            self.spec("testsets", name)
            for suite in self.study.experiment.suites
            for name in self.study.testsets_of(suite)
        ]

    @cached_property
    def ranker_specs(self) -> list[str]:
        """The entity files of the experiment's rankers."""
        return [self.spec("rankers", name) for name in self.study.experiment.rankers]

    @cached_property
    def origins(self) -> list[str]:
        """Each corpus that reads the data of another one, as ``NAME=ORIGIN``: they are one distribution."""
        return [f"{name}={origin}" for name, origin in origins(self.study).items() if name != origin]

    @cached_property
    def seen_testsets(self) -> list[str]:
        """What the rankers of the passage study saw before, as ``RANKER=TESTSET``."""
        return [f"{ranker}={testset}" for ranker, testsets in seen(self.study).items() for testset in testsets]

    def reference_recipe(self, wildcards: Wildcards) -> str:
        """Return the first recipe of the experiment that trains on human passages alone; none if there is no such."""
        return self.study.reference_recipe or NONE

    def compared(self, table: str, wildcards: Wildcards) -> list[str]:
        """Return the recipes that a table compares; ``main`` stands for the tables id and ood, and that of bias."""
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

    # Sections: methods, so that an experiment without one is refused only when its table is asked for.

    def claims(self, wildcards: Wildcards) -> str:
        """Return the declaration of claims, as JSON."""
        return self.study.claims.model_dump_json()

    def claims_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the files that the table of claims is made from, each once: untrained rankers' among them."""
        llms = self.study.experiment.llms
        return list(
            dict.fromkeys(
                path
                for claim in self.study.claims.claims.values()
                for path in self._trained([(NONE, NONE), *made(self.study, claim.recipes, llms)], claim.rankers)
            )
        )

    def enrichment(self, wildcards: Wildcards) -> Enrichment:
        """Return the recipes that the table of enrichment compares."""
        return self.study.enrichment

    def enrichment_word(self, wildcards: Wildcards) -> str:
        """Return what the passages are called that are added to human ones."""
        recipes = [self.study.entities["recipes"][name] for name in self.enrichment(wildcards).enriched]
        paradigms = [name for recipe in recipes if isinstance(recipe, Sized) for name in recipe.paradigms]
        return word_for(self.study.entities["paradigms"][name] for name in paradigms)

    def enrichment_control(self, wildcards: Wildcards) -> list[str]:
        """Return the recipe of further human passages, if the experiment names one."""
        control = self.enrichment(wildcards).control
        return [control] if control else []

    def enrichment_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the files that the table of enrichment is made from."""
        experiment = self.study.experiment
        systems = made(self.study, self.compared("enrichment", wildcards), experiment.llms)
        return self._trained(systems, self.enrichment(wildcards).rankers or experiment.rankers)

    def sizes(self, wildcards: Wildcards) -> Sizes:
        """Return the recipes and sizes of the table of sizes."""
        return self.study.sizes

    def sizes_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the files that the table of sizes is made from."""
        experiment, sizes = self.study.experiment, self.sizes(wildcards)
        systems = made(self.study, sizes.names, experiment.llms)
        return self._trained(systems, sizes.rankers or experiment.rankers, seeds=sizes.seeds)

    # The distillation study: methods, for the same reason.

    def twolar_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the files that the distillation study's table is made from."""
        first = [
            f"results/metrics/testsets/{testset}/{retriever}.csv"
            for testset in self._testsets()
            for retriever in first_stages(self.study, testset)
        ]
        twolar = self.study.twolar
        suites, systems = suites_of(self.study), [(NONE, NONE), *made(self.study, twolar.recipes, twolar.llms)]
        # One seed: it draws the head that a base lacks, and a model that is used as it was released lacks none.
        released = self._trained([(NONE, NONE)], twolar.untrained, suites, self.study.experiment.seeds[:1])
        return first + released + self._trained(systems, twolar.rankers, suites)

    def twolar_testsets(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of the distillation study's test sets."""
        return [self.spec("testsets", name) for name in self._testsets()]

    def twolar_measures(self, wildcards: Wildcards) -> list[str]:
        """Return what the tables of the distillation study show."""
        return list(self.study.twolar.measures)

    def twolar_rankers(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of the students, of what is never trained, and of the rankers they start from."""
        names = [*self.study.twolar.rankers, *self.study.twolar.untrained]
        for name in names:  # grows while it is walked: a base may start from another one
            base = self.study.entities["rankers"][name].base.ranker
            if base and base not in names:
                names.append(base)
        return [self.spec("rankers", name) for name in names]

    def twolar_retrievers(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of the first stages of the distillation study."""
        names = [name for testset in self._testsets() for name in first_stages(self.study, testset)]
        return [self.spec("retrievers", name) for name in dict.fromkeys(names)]

    def twolar_published(self, wildcards: Wildcards) -> list[str]:
        """Return the file of published figures, if the distillation study names one."""
        published = self.study.twolar.published
        return [self.spec("published", published)] if published else []

    def ablation(self, wildcards: Wildcards) -> Ablation:
        """Return the recipes and rankers of an ablation."""
        return self.study.twolar.ablations[wildcards.ablation]

    def ablation_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the files that an ablation's table is made from."""
        ablation = self.ablation(wildcards)
        systems = made(self.study, ablation.recipes, self.study.twolar.llms)
        return self._trained(systems, ablation.rankers, suites_of(self.study))

    def ranking_counts(self, wildcards: Wildcards) -> list[str]:
        """Return what became of everything that language models ranked for the distillation study."""
        return [f"{_pool(item)}/{item.ranking}/{item.llm}/counts.json" for item in rankings(self.study)]

    def ranking_pools(self, wildcards: Wildcards) -> list[str]:
        """Return for each of :meth:`ranking_counts` what its pool of candidates is made of."""
        return [f"{_pool(item)}/stats.json" for item in rankings(self.study)]

    def _testsets(self) -> list[str]:
        """Return the distillation study's test sets, each once."""
        names = (name for suite in suites_of(self.study) for name in self.study.testsets_of(suite))
        return list(dict.fromkeys(names))

    def _trained(
        self,
        systems: Sequence[tuple[str, str]],
        rankers: Iterable[str],
        suites: Iterable[str] = (),
        seeds: Iterable[int] = (),
    ) -> list[str]:
        """Return the scores of (recipe, LLM) pairs with rankers; by default on all suites and with all seeds."""
        return [
            f"results/metrics/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.csv"
            for suite in suites or self.study.experiment.suites
            for recipe, llm in systems
            for ranker in rankers
            for seed in self.seeds_of(recipe, ranker, seeds)
        ]


def _pool(item: Ranked) -> str:
    return f"results/rankings/{item.corpus}/{item.queryset}/{item.pool}"
