"""Which file is made from which, where that depends on what an entity file says.

Rules use these methods as input functions: a method takes the job's wildcards and returns paths. What does not depend
on an entity's content stands as a literal path in its rule.
"""

import os
from functools import cached_property
from pathlib import Path
from typing import Protocol

from synthrank.specs.base import NONE
from synthrank.specs.corpora import TRAIN, BeirCorpus, FaqCorpus
from synthrank.specs.llms import GeminiLlm, LocalLlm, OpenAiLlm
from synthrank.specs.rankers import CrossEncoderRanker
from synthrank.specs.recipes import DistilRecipe
from synthrank.specs.testsets import TestsetSpec
from synthrank.study import Study


class Wildcards(Protocol):
    """The wildcards of a job, as attributes."""

    def __getattr__(self, name: str) -> str: ...


class Needs:
    """The inputs of every rule that an entity file decides."""

    def __init__(self, study: Study) -> None:
        self.study = study

    # Corpora

    def corpus_source(self, wildcards: Wildcards) -> list[str]:
        """Return what a corpus is read from; nothing for one that ir_datasets brings."""
        corpus = self.study.entities["corpora"][wildcards.corpus]
        if isinstance(corpus, FaqCorpus):
            return [f"results/corpora/{wildcards.corpus}/archives"]
        if isinstance(corpus, BeirCorpus):
            folder = Path(os.environ.get("SYNTHRANK_DATA") or "data", corpus.folder)
            return [str(folder / name) for name in ("corpus.jsonl", "queries.jsonl", *corpus.splits.values())]
        return []

    def held_out_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the judgments of every split of the corpus that training must not see."""
        corpus = getattr(wildcards, "corpus", None) or self.study.entities["recipes"][wildcards.recipe].corpus
        splits = self.study.entities["corpora"][corpus].splits
        return [f"results/corpora/{corpus}/{split}/qrels.txt" for split in splits if split != TRAIN]

    def queryset(self, wildcards: Wildcards) -> str:
        """Return the queries that a run is made for: a split's, or an augmentation's."""
        if wildcards.queryset in self.study.entities["augmentations"]:
            return f"results/queries/{wildcards.corpus}/{wildcards.queryset}/queries.jsonl"
        return f"results/corpora/{wildcards.corpus}/{wildcards.queryset}/queries.jsonl"

    # Models

    def llm_model(self, wildcards: Wildcards) -> list[str]:
        """Return the folder of the model that an LLM runs in-process, if it does."""
        llm = self.study.entities["llms"][wildcards.llm]
        return [f"results/models/{llm.model}"] if isinstance(llm, LocalLlm) else []

    def llm_api(self, wildcards: Wildcards) -> int:
        """Return 1 for an LLM that a provider hosts: the workflow lets one such job run at a time."""
        return int(self._is_hosted(wildcards.llm))

    def llm_gpus(self, wildcards: Wildcards) -> int:
        """Return how many GPUs the job of an LLM can use: one for a model that runs in-process."""
        return len(self.llm_model(wildcards))

    def llm_minutes(self, wildcards: Wildcards) -> int:
        """Return how many minutes the job of an LLM may take: a batch takes up to a day, and may be resubmitted."""
        llm = self.study.entities["llms"][wildcards.llm]
        return 3000 if self._is_hosted(wildcards.llm) and llm.mode == "batch" else 600

    def _is_hosted(self, llm: str) -> bool:
        return isinstance(self.study.entities["llms"][llm], OpenAiLlm | GeminiLlm)

    def retriever_model(self, wildcards: Wildcards) -> str:
        """Return the folder of a dense retriever's model."""
        return f"results/models/{self.study.entities['retrievers'][wildcards.retriever].model}"

    def prompt(self, wildcards: Wildcards) -> str:
        """Return the prompt file of a paradigm."""
        return f"{self.study.folder}/prompts/{self.study.entities['paradigms'][wildcards.paradigm].prompt}.md"

    # Training sets

    def recipe_queries(self, wildcards: Wildcards) -> str:
        """Return the queries of a recipe: its corpus's training split, or its augmentation."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        if isinstance(recipe, DistilRecipe):
            return f"results/queries/{recipe.corpus}/{recipe.queries}/queries.jsonl"
        return f"results/corpora/{recipe.corpus}/{TRAIN}/queries.jsonl"

    def recipe_passages(self, wildcards: Wildcards) -> str:
        """Return the passages of a recipe's corpus."""
        return f"results/corpora/{self.study.entities['recipes'][wildcards.recipe].corpus}/passages.jsonl"

    def recipe_qrels(self, wildcards: Wildcards) -> str:
        """Return the training judgments of a recipe's corpus."""
        return f"results/corpora/{self.study.entities['recipes'][wildcards.recipe].corpus}/{TRAIN}/qrels.txt"

    def recipe_run(self, wildcards: Wildcards) -> str:
        """Return the run whose candidates a distillation recipe labels."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return f"results/runs/corpora/{recipe.corpus}/{recipe.retriever}/{recipe.queries}.trec"

    def teacher_spec(self, wildcards: Wildcards) -> str:
        """Return the entity file of a distillation recipe's teacher."""
        return f"{self.study.folder}/retrievers/{self.study.entities['recipes'][wildcards.recipe].teacher}.yaml"

    def teacher_model(self, wildcards: Wildcards) -> str:
        """Return the model folder of a distillation recipe's teacher."""
        teacher = self.study.entities["recipes"][wildcards.recipe].teacher
        return f"results/models/{self.study.entities['retrievers'][teacher].model}"

    def positives(self, wildcards: Wildcards) -> list[str]:
        """Return the written passages of a recipe, in the order of its positives."""
        return [f"{folder}/passages.jsonl" for folder in self._written(wildcards)]

    def negative_runs(self, wildcards: Wildcards) -> list[str]:
        """Return the run that negatives are taken from, for each of the recipe's positives."""
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [f"{place}/{recipe.negatives.retriever}/{TRAIN}.trec" for place, _ in self._negatives(wildcards)]

    def negative_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages that the negative runs name, for each of the recipe's positives."""
        return [passages for _, passages in self._negatives(wildcards)]

    def _written(self, wildcards: Wildcards) -> list[str]:
        recipe = self.study.entities["recipes"][wildcards.recipe]
        return [
            f"results/passages/{recipe.corpus}/{item.paradigm}/"
            + (wildcards.llm if self.study.writes(item.paradigm) else NONE)
            for item in recipe.positives
        ]

    def _negatives(self, wildcards: Wildcards) -> list[tuple[str, str]]:
        recipe = self.study.entities["recipes"][wildcards.recipe]
        human = (f"results/runs/corpora/{recipe.corpus}", f"results/corpora/{recipe.corpus}/passages.jsonl")
        return [
            (folder.replace("results/", "results/runs/", 1), f"{folder}/passages.jsonl")
            if recipe.negatives.source == "same" and self.study.writes(item.paradigm)
            else human
            for item, folder in zip(recipe.positives, self._written(wildcards), strict=True)
        ]

    # Checkpoints

    def base(self, wildcards: Wildcards) -> str:
        """Return the model that a ranker's training starts from."""
        base = self.study.entities["rankers"][wildcards.ranker].base
        if base.model:
            return f"results/models/{base.model}"
        return f"results/checkpoints/{base.recipe}/{NONE}/{base.ranker}/seed-{wildcards.seed}"

    def checkpoint(self, wildcards: Wildcards) -> str:
        """Return the model that ranks: the trained one, or its base where the recipe is none."""
        if wildcards.recipe == NONE:
            return self.base(wildcards)
        return f"results/checkpoints/{wildcards.recipe}/{wildcards.llm}/{wildcards.ranker}/seed-{wildcards.seed}"

    # Test sets

    def suite_specs(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of a suite's test sets."""
        return [f"{self.study.folder}/testsets/{name}.yaml" for name in self._testsets(wildcards.suite)]

    def suite_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages of each test set of a suite."""
        return [f"results/corpora/{spec.corpus}/passages.jsonl" for spec in self._testsets(wildcards.suite).values()]

    def suite_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the queries of each test set of a suite."""
        return [f"{folder}/queries.jsonl" for folder in self._splits(wildcards.suite)]

    def suite_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the judgments of each test set of a suite."""
        return [f"{folder}/qrels.txt" for folder in self._splits(wildcards.suite)]

    def suite_first_stages(self, wildcards: Wildcards) -> list[str]:
        """Return the run that a reranker reorders, for each test set of a suite; nothing for a bi-encoder."""
        ranker = self.study.entities["rankers"][wildcards.ranker]
        if not isinstance(ranker, CrossEncoderRanker):
            return []
        return [
            f"results/runs/corpora/{spec.corpus}/{ranker.rerank.retriever}/{spec.split}.trec"
            for spec in self._testsets(wildcards.suite).values()
        ]

    def testset_run(self, wildcards: Wildcards) -> str:
        """Return a first stage's run on a test set."""
        spec = self.study.entities["testsets"][wildcards.testset]
        return f"results/runs/corpora/{spec.corpus}/{wildcards.retriever}/{spec.split}.trec"

    def testset_qrels(self, wildcards: Wildcards) -> str:
        """Return the judgments of a test set."""
        spec = self.study.entities["testsets"][wildcards.testset]
        return f"results/corpora/{spec.corpus}/{spec.split}/qrels.txt"

    def _testsets(self, suite: str) -> dict[str, TestsetSpec]:
        return {name: self.study.entities["testsets"][name] for name in self.study.entities["suites"][suite].testsets}

    def _splits(self, suite: str) -> list[str]:
        return [f"results/corpora/{spec.corpus}/{spec.split}" for spec in self._testsets(suite).values()]

    # Tables

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
            for testset in self._testsets(suite)
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
        return [f"{self.study.folder}/paradigms/{paradigm}.yaml" for _, paradigm, _ in self._asked()]

    @cached_property
    def all_reply_llms(self) -> list[str]:
        """For each of :attr:`all_replies` the LLM's entity file."""
        return [f"{self.study.folder}/llms/{llm}.yaml" for _, _, llm in self._asked()]

    def _asked(self) -> list[tuple[str, str, str]]:
        """Return (corpus, paradigm, LLM) of everything that language models write for the experiment."""
        pairs = self.study.generated()
        return [(corpus, paradigm, llm) for corpus, paradigm in pairs for llm in self.study.experiment.llms]

    @cached_property
    def recipe_specs(self) -> list[str]:
        """The entity files of the experiment's recipes."""
        return [f"{self.study.folder}/recipes/{name}.yaml" for name in self.study.experiment.recipes]

    @cached_property
    def testset_specs(self) -> list[str]:
        """The entity files of the experiment's test sets."""
        return [
            f"{self.study.folder}/testsets/{name}.yaml"
            for suite in self.study.experiment.suites
            for name in self._testsets(suite)
        ]

    def _made(self) -> list[tuple[str, str]]:
        """Return the (recipe, LLM) pairs of the experiment, the untrained one first."""
        made = [(NONE, NONE)]
        for recipe in self.study.experiment.recipes:
            made += [
                (recipe, llm) for llm in (self.study.experiment.llms if self.study.is_generated(recipe) else (NONE,))
            ]
        return made
