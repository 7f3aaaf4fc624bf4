"""Inputs of the stage releases."""

from synthrank.draws import request_folder
from synthrank.needs.base import RAW, StageNeeds, Wildcards
from synthrank.needs.queries import exemplars_of
from synthrank.specs.augmentations import LlmQueries
from synthrank.specs.base import NONE
from synthrank.specs.llms import LocalLlm
from synthrank.specs.paradigms import GeneratedParadigm, QueriedParadigm
from synthrank.specs.recipes import base_and_size


class ReleaseNeeds(StageNeeds):
    """What data sets, models and runs are released with."""

    def queryset_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the qrels of a set of queries, where it is a split."""
        if wildcards.queryset not in self.study.entities["corpora"][wildcards.corpus].splits:
            return []
        return [f"results/corpora/{wildcards.corpus}/{wildcards.queryset}/qrels.txt"]

    def queryset_augmentation(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of a set of queries, where it is an augmentation."""
        name = wildcards.queryset.removesuffix(RAW)
        return [self.spec("augmentations", name)] if name in self.study.entities["augmentations"] else []

    def pool_sources(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of a pool's first stages."""
        return [self.spec("retrievers", name) for name in self.study.entities["pools"][wildcards.pool].sources]

    def llm_weights(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the model that an LLM runs in-process, if it does."""
        llm = self.study.entities["llms"].get(self._asked_llm(wildcards))
        return [self.spec("models", llm.model)] if isinstance(llm, LocalLlm) else []

    # Passages, {llm} being none where no language model of the experiment wrote them

    def released_llm(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of a language model, where there is one."""
        name = self._asked_llm(wildcards)
        return [] if name == NONE else [self.spec("llms", name)]

    def _asked_llm(self, wildcards: Wildcards) -> str:
        """Return the language model of a path, or the one that wrote the queries of a paradigm's human passages."""
        asked = self._query_augmentation(wildcards)
        return asked.llm if asked else wildcards.llm

    def _query_augmentation(self, wildcards: Wildcards) -> LlmQueries | None:
        """Return what had a language model write the queries of a paradigm, if one did."""
        spec = self.study.entities["paradigms"].get(getattr(wildcards, "paradigm", ""))
        made = self.study.entities["augmentations"][spec.augmentation] if isinstance(spec, QueriedParadigm) else None
        return made if isinstance(made, LlmQueries) else None

    def released_replies(self, wildcards: Wildcards) -> list[str]:
        """Return all that a language model said, where one wrote the passages or their queries."""
        if self._query_augmentation(wildcards):
            name = self.study.entities["paradigms"][wildcards.paradigm].augmentation
            return [f"results/queries/{wildcards.corpus}/{name}/replies.jsonl"]
        if not self.study.writes(wildcards.paradigm):
            return []
        return [f"{self._released_folder(wildcards)}/replies.jsonl"]

    def released_exemplars(self, wildcards: Wildcards) -> list[str]:
        """Return the exemplars of a paradigm's prompt, where it shows some."""
        paradigm = self.study.entities["paradigms"][wildcards.paradigm]
        if isinstance(paradigm, QueriedParadigm):
            return exemplars_of(self.study, wildcards.corpus, paradigm.augmentation)
        if not isinstance(paradigm, GeneratedParadigm) or paradigm.exemplars is None:
            return []
        return [f"{request_folder(wildcards.corpus, wildcards.paradigm, wildcards.draw)}/exemplars.jsonl"]

    def released_prompt(self, wildcards: Wildcards) -> list[str]:
        """Return the prompt file of a paradigm, where it has one."""
        if asked := self._query_augmentation(wildcards):
            return [self.prompt_file(asked.prompt)]
        if not self.study.writes(wildcards.paradigm):
            return []
        return [self.prompt_file(self.study.entities["paradigms"][wildcards.paradigm].prompt)]

    def released_statistics(self, wildcards: Wildcards) -> list[str]:
        """Return what was measured of written passages, where the experiment says what to measure."""
        return self._measured(wildcards, "statistics.json")

    def released_leaks(self, wildcards: Wildcards) -> list[str]:
        """Return what written passages share with test sets, where the experiment says how to look for it."""
        return self._measured(wildcards, "leaks.json")

    def _measured(self, wildcards: Wildcards, name: str) -> list[str]:
        if self.study.experiment.validity is None:
            return []
        return [f"{self._released_folder(wildcards)}/{name}".replace("results/", "results/validity/", 1)]

    def _released_folder(self, wildcards: Wildcards) -> str:
        return self.draws.passage_folder(wildcards.corpus, wildcards.paradigm, wildcards.llm, wildcards.draw)

    # Models

    def released_bases(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of the rankers that a ranker started from, the last one first."""
        return [self.spec("rankers", name) for name in self._bases(wildcards.ranker)[1:]]

    def released_pretrained(self, wildcards: Wildcards) -> str:
        """Return the entity file of the pretrained model that a ranker's training began with."""
        first = self._bases(wildcards.ranker)[-1]
        return self.spec("models", self.study.entities["rankers"][first].base.model)

    def _bases(self, ranker: str) -> list[str]:
        """Return a ranker, the one it starts from, the one that one starts from, and so on."""
        names = [ranker]
        while base := self.study.entities["rankers"][names[-1]].base.ranker:
            names.append(base)
        return names

    def released_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the scores of one trained model on every suite of the experiment."""
        model = f"{wildcards.recipe}/{wildcards.llm}/{wildcards.ranker}/seed-{wildcards.seed}"
        return [f"results/metrics/suites/{suite}/{model}.csv" for suite in self.study.experiment.suites]

    # Runs, {recipe} being none for a model that was not trained

    def released_recipe(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of a recipe, where there is one; one named with ``@N`` has its base's."""
        return [] if wildcards.recipe == NONE else [self.spec("recipes", base_and_size(wildcards.recipe)[0])]

    def released_stats(self, wildcards: Wildcards) -> list[str]:
        """Return what was counted while a training set was made, where there is one."""
        if wildcards.recipe == NONE:
            return []
        return [f"{self.draws.trainset_folder(wildcards.recipe, wildcards.llm, wildcards.seed)}/stats.json"]

    def suite_corpora(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the corpus of each test set of a suite."""
        return [self.spec("corpora", item.corpus) for item in self.study.testsets_of(wildcards.suite).values()]

    def suite_retrievers(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of what a ranker reorders, for each test set of a suite; none where it searches."""
        rerank = self.study.entities["rankers"][wildcards.ranker].rerank
        reranked = [item.reranked(rerank) for item in self.study.testsets_of(wildcards.suite).values()]
        return [self.spec("retrievers", item[0]) for item in reranked if item]
