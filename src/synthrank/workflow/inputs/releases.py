"""Inputs of the stage releases."""

from synthrank.config.augmentations import LlmQueries
from synthrank.config.base import NONE
from synthrank.config.paradigms import GeneratedParadigm, QueriedParadigm
from synthrank.data.paths import PASSAGES, QUERIES, REQUESTS
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards, exemplars_of


class ReleaseInputs(StageInputs):
    """Inputs of released data sets, models and runs."""

    def llm(self, wildcards: Wildcards) -> list[Row]:
        """Return the LLM of a path, or the LLM that wrote the queries for a paradigm's human passages."""
        asked = self._query_augmentation(wildcards)
        name = asked.llm if asked else wildcards.llm
        return [] if name == NONE else [{"llm": name}]

    def _query_augmentation(self, wildcards: Wildcards) -> LlmQueries | None:
        """Return the augmentation of a paradigm's queries if a language model wrote them."""
        spec = self.study.entities["paradigms"].get(getattr(wildcards, "paradigm", ""))
        made = self.study.entities["augmentations"][spec.augmentation] if isinstance(spec, QueriedParadigm) else None
        return made if isinstance(made, LlmQueries) else None

    def replies(self, wildcards: Wildcards) -> list[str]:
        """Return the replies of the language model that wrote the passages or their queries, if any."""
        if self._query_augmentation(wildcards):
            name = self.study.entities["paradigms"][wildcards.paradigm].augmentation
            return [f"results/{QUERIES(corpus=wildcards.corpus, augmentation=name)}/replies.jsonl"]
        if not self.study.writes(wildcards.paradigm):
            return []
        passages = PASSAGES(
            corpus=wildcards.corpus, paradigm=wildcards.paradigm, draw=wildcards.draw, llm=wildcards.llm
        )
        return [f"results/{passages}/replies.jsonl"]

    def exemplars(self, wildcards: Wildcards) -> list[str]:
        """Return the exemplars of a paradigm's prompt, if it contains exemplars."""
        paradigm = self.study.entities["paradigms"][wildcards.paradigm]
        if isinstance(paradigm, QueriedParadigm):
            return exemplars_of(self.study, wildcards.corpus, paradigm.augmentation)
        if not isinstance(paradigm, GeneratedParadigm) or paradigm.exemplars is None:
            return []
        requests = REQUESTS(corpus=wildcards.corpus, paradigm=wildcards.paradigm, draw=wildcards.draw)
        return [f"results/{requests}/exemplars.jsonl"]

    def prompt(self, wildcards: Wildcards) -> list[str]:
        """Return the prompt file of a paradigm, if it has a prompt."""
        if asked := self._query_augmentation(wildcards):
            return [self.prompt_file(asked.prompt)]
        if not self.study.writes(wildcards.paradigm):
            return []
        return [self.prompt_file(self.study.entities["paradigms"][wildcards.paradigm].prompt)]

    def bases(self, wildcards: Wildcards) -> list[Row]:
        """Return the rankers on which a ranker is based, most recent first."""
        return [{"base": name} for name in self._bases(wildcards.ranker)[1:]]

    def pretrained(self, wildcards: Wildcards) -> list[Row]:
        """Return the first of these rankers, which is based on a pretrained model."""
        return [{"ranker": self._bases(wildcards.ranker)[-1]}]

    def _bases(self, ranker: str) -> list[str]:
        """Return a ranker, its base, the base of its base, and so on."""
        names = [ranker]
        while base := self.study.entities["rankers"][names[-1]].base.ranker:
            names.append(base)
        return names

    def recipe(self, wildcards: Wildcards) -> list[Row]:
        """Return the recipe with a file, if any: for a name with ``@N``, its base."""
        return [] if wildcards.recipe == NONE else [{"recipe": name} for name in self.bases_of([wildcards.recipe])]

    def first_stages(self, wildcards: Wildcards) -> list[Row]:
        """Return the first stage of a ranker per test set of a suite, or no row for a ranker that searches."""
        rerank = self.study.entities["rankers"][wildcards.ranker].rerank
        reranked = [item.reranked(rerank) for item in self.study.testsets_of(wildcards.suite).values()]
        return [{"retriever": item[0]} for item in reranked if item]
