"""Inputs of jobs that rank or measure test sets."""

from synthrank.needs.base import StageNeeds, Wildcards


class MetricNeeds(StageNeeds):
    """What suites and test sets are made from."""

    def suite_specs(self, wildcards: Wildcards) -> list[str]:
        """Return the entity files of a suite's test sets."""
        return [self.spec("testsets", name) for name in self.study.testsets_of(wildcards.suite)]

    def suite_passages(self, wildcards: Wildcards) -> list[str]:
        """Return the passages of each test set of a suite."""
        return [
            f"results/corpora/{spec.corpus}/passages.jsonl" for spec in self.study.testsets_of(wildcards.suite).values()
        ]

    def suite_queries(self, wildcards: Wildcards) -> list[str]:
        """Return the queries of each test set of a suite."""
        return [f"{folder}/queries.jsonl" for folder in self._splits(wildcards.suite)]

    def suite_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the judgments of each test set of a suite."""
        return [f"{folder}/qrels.txt" for folder in self._splits(wildcards.suite)]

    def suite_first_stages(self, wildcards: Wildcards) -> list[str]:
        """Return the run that a ranker reorders, for each test set of a suite; nothing for one that searches."""
        rerank = self.study.entities["rankers"][wildcards.ranker].rerank
        if rerank is None:
            return []
        return [
            f"results/runs/corpora/{spec.corpus}/{spec.first_stage or rerank.retriever}/{spec.split}.trec"
            for spec in self.study.testsets_of(wildcards.suite).values()
        ]

    def testset_run(self, wildcards: Wildcards) -> str:
        """Return a first stage's run on a test set."""
        spec = self.study.entities["testsets"][wildcards.testset]
        return f"results/runs/corpora/{spec.corpus}/{wildcards.retriever}/{spec.split}.trec"

    def testset_qrels(self, wildcards: Wildcards) -> str:
        """Return the judgments of a test set."""
        spec = self.study.entities["testsets"][wildcards.testset]
        return f"results/corpora/{spec.corpus}/{spec.split}/qrels.txt"

    def _splits(self, suite: str) -> list[str]:
        return [f"results/corpora/{spec.corpus}/{spec.split}" for spec in self.study.testsets_of(suite).values()]
