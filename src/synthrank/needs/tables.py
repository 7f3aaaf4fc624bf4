"""Inputs of the stage tables."""

from functools import cached_property

from synthrank.needs.base import StageNeeds
from synthrank.specs.base import NONE


class TableNeeds(StageNeeds):
    """What tables are made from."""

    @cached_property
    def metrics(self) -> list[str]:
        """The files that a table of this experiment is made from."""
        trained = [
            f"results/metrics/suites/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.csv"
            for suite in self.study.experiment.suites
            for recipe, llm in self._made()
            for ranker in self.study.experiment.rankers
            for seed in self.study.experiment.seeds
        ]
        first = [
            f"results/metrics/testsets/{testset}/{retriever}.csv"
            for suite in self.study.experiment.suites
            for testset in self.study.testsets_of(suite)
            for retriever in self.study.experiment.first_stages
        ]
        return first + trained

    @cached_property
    def all_replies(self) -> list[str]:
        """The replies of every generated paradigm of the experiment, by each LLM."""
        return [f"results/passages/{corpus}/{paradigm}/{llm}/replies.jsonl" for corpus, paradigm, llm in self._asked()]

    @cached_property
    def all_requests(self) -> list[str]:
        """For each of :attr:`all_replies` its requests."""
        return [f"results/passages/{corpus}/{paradigm}/requests.jsonl" for corpus, paradigm, _ in self._asked()]

    @cached_property
    def all_reply_paradigms(self) -> list[str]:
        """For each of :attr:`all_replies` the paradigm's entity file."""
        return [self.spec("paradigms", paradigm) for _, paradigm, _ in self._asked()]

    @cached_property
    def all_reply_llms(self) -> list[str]:
        """For each of :attr:`all_replies` the LLM's entity file."""
        return [self.spec("llms", llm) for _, _, llm in self._asked()]

    def _asked(self) -> list[tuple[str, str, str]]:
        """Return (corpus, paradigm, LLM) of everything that language models write for the experiment."""
        pairs = self.study.generated()
        return [(corpus, paradigm, llm) for corpus, paradigm in pairs for llm in self.study.experiment.llms]

    @cached_property
    def recipe_specs(self) -> list[str]:
        """The entity files of the experiment's recipes."""
        return [self.spec("recipes", name) for name in self.study.experiment.recipes]

    @cached_property
    def testset_specs(self) -> list[str]:
        """The entity files of the experiment's test sets."""
        return [
            self.spec("testsets", name)
            for suite in self.study.experiment.suites
            for name in self.study.testsets_of(suite)
        ]

    def _made(self) -> list[tuple[str, str]]:
        """Return the (recipe, LLM) pairs of the experiment, the untrained one first."""
        made = [(NONE, NONE)]
        for recipe in self.study.experiment.recipes:
            made += [
                (recipe, llm) for llm in (self.study.experiment.llms if self.study.is_generated(recipe) else (NONE,))
            ]
        return made
