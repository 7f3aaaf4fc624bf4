"""Inputs of jobs that rank or measure test sets."""

from synthrank.depths import first_stage_depth, fused_depth, ranker_depth
from synthrank.distillation import made
from synthrank.needs.base import StageNeeds, Wildcards
from synthrank.specs.base import NONE


class MetricNeeds(StageNeeds):
    """What suites and test sets are made from."""

    def suite_specs(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of a suite's test sets."""
        return [self.spec("testsets", name) for name in self.study.testsets_of(wildcards.suite)]

    def suite_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages of each test set of a suite."""
        return self.of_testsets(self.study.testsets_of(wildcards.suite).values(), "passages.jsonl")

    def suite_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the queries of each test set of a suite."""
        return self.of_testsets(self.study.testsets_of(wildcards.suite).values(), "queries.jsonl")

    def suite_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the qrels of each test set of a suite."""
        return self.of_testsets(self.study.testsets_of(wildcards.suite).values(), "qrels.txt")

    def suite_first_stages(self, wildcards: Wildcards) -> list[str]:
        """Return the run that a ranker reorders, for each test set of a suite; nothing for one that searches."""
        rerank = self.study.entities["rankers"][wildcards.ranker].rerank
        if rerank is None:
            return []
        return [
            f"results/runs/corpora/{spec.corpus}/{spec.first_stage or rerank.retriever}/{spec.split}.trec"
            for spec in self.study.testsets_of(wildcards.suite).values()
        ]

    def suite_development(self, wildcards: Wildcards) -> list[str]:
        """Return what the weight of a ranker's score in a mixture is chosen on; nothing if it mixes no scores.

        Queries, qrels, passages and the run that is reordered.
        """
        rerank = self.study.entities["rankers"][wildcards.ranker].rerank
        return self.development_of(rerank.mix.corpus, rerank.retriever) if rerank and rerank.mix else []

    def suite_depths(self, wildcards: Wildcards) -> list[str]:
        """Return how deep a ranker's lists reach on each test set of a suite."""
        return [ranker_depth(self.study, wildcards.ranker, name) for name in self.study.testsets_of(wildcards.suite)]

    def suite_fused_depths(self, wildcards: Wildcards) -> list[str]:
        """Return the same of its lists fused with the first stage's."""
        return [fused_depth(self.study, wildcards.ranker, name) for name in self.study.testsets_of(wildcards.suite)]

    def testset_depth(self, wildcards: Wildcards) -> str:
        """Return how deep a first stage's lists reach on a test set."""
        return first_stage_depth(self.study, wildcards.retriever, wildcards.testset)

    def testset_run(self, wildcards: Wildcards) -> str:
        """Return a first stage's run on a test set."""
        spec = self.study.entities["testsets"][wildcards.testset]
        return f"results/runs/corpora/{spec.corpus}/{wildcards.retriever}/{spec.split}.trec"

    def testset_qrels(self, wildcards: Wildcards) -> str:
        """Return the qrels of a test set."""
        spec = self.study.entities["testsets"][wildcards.testset]
        return f"results/corpora/{spec.corpus}/{spec.split}/qrels.txt"

    def testset_corpus(self, wildcards: Wildcards) -> str:
        """Return the entity file of a test set's corpus."""
        return self.spec("corpora", self.study.entities["testsets"][wildcards.testset].corpus)

    def mixed_corpora(self, wildcards: Wildcards) -> list[str]:
        """Return the entity file of the mixed corpus of each test set of a suite."""
        return [self.spec("corpora", spec.corpus) for spec in self.study.testsets_of(wildcards.suite).values()]

    # Methods, so that an experiment without the section is refused only when its table is asked for.

    def bias_measure(self, wildcards: Wildcards) -> str:
        """Return what bias is measured by."""
        return self.study.bias.measure

    def bias_metrics(self, wildcards: Wildcards) -> list[str]:
        """Return the files that the table of bias is made from: first stages, then rankers, untrained first."""
        experiment = self.study.experiment
        testsets = self.study.testsets_of(*self.study.bias.suites)
        systems = [(NONE, NONE), *made(self.study, experiment.recipes, experiment.llms)]
        return [
            *(
                f"results/metrics/bias/testsets/{testset}/{retriever}.csv"
                for testset in testsets
                for retriever in experiment.first_stages
            ),
            *(
                f"results/metrics/bias/{suite}/{recipe}/{llm}/{ranker}/seed-{seed}.csv"
                for suite in self.study.bias.suites
                for recipe, llm in systems
                for ranker in experiment.rankers
                for seed in self.seeds_of(recipe, ranker)
            ),
        ]
