"""Inputs of jobs that rank or measure test sets."""

from synthrank.config.base import NONE
from synthrank.config.depths import first_stage_depth, fused_depth, ranker_depth
from synthrank.config.distillation import find_reranked, pair_recipes_with_llms
from synthrank.data.shards import Shard
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards


class MetricInputs(StageInputs):
    """Inputs of jobs that rank or measure test sets."""

    def first_stage(self, wildcards: Wildcards) -> list[Row]:
        """Return the retriever whose run a ranker reranks on a test set, or no row for a ranker that searches."""
        retriever = find_reranked(self.study, wildcards.ranker, wildcards.testset)
        return [{"retriever": retriever}] if retriever else []

    def vectors(self, wildcards: Wildcards) -> list[Row]:
        """Return the shards of the vectors of a test set's corpus, or no row if the search encodes the corpus.

        ``shards.encode`` states the number of jobs. A single job encodes a corpus that several test sets search.
        """
        corpus: str = self.study.entities["testsets"][wildcards.testset].corpus
        jobs = self.study.experiment.shards.encode
        if jobs == 1 and [spec.corpus for spec in self.study.testsets.values()].count(corpus) < 2:
            return []
        return [{"scatteritem": str(shard)} for shard in Shard.all(jobs)]

    def systems(self, wildcards: Wildcards) -> list[str]:
        """Return the name of the system of each of a ranker's runs on a test set."""
        retriever = find_reranked(self.study, wildcards.ranker, wildcards.testset)
        return [wildcards.ranker, *([f"{wildcards.ranker}+{retriever}"] if retriever else [])]

    def depths(self, wildcards: Wildcards) -> list[str]:
        """Return the depth of each of a ranker's runs on a test set."""
        study, ranker, testset = self.study, wildcards.ranker, wildcards.testset
        fused = [fused_depth(study, ranker, testset)] if find_reranked(study, ranker, testset) else []
        return [ranker_depth(study, ranker, testset), *fused]

    def first_stage_depth(self, wildcards: Wildcards) -> str:
        """Return the depth of a first stage's run on a test set."""
        return first_stage_depth(self.study, wildcards.retriever, wildcards.testset)

    # Methods, so that an experiment without the section is refused only if its table is a target.

    def bias_measure(self, wildcards: Wildcards) -> str:
        """Return the measure of bias."""
        return self.study.bias.measure

    def of_bias(self, wildcards: Wildcards) -> list[Row]:
        """Return the rows of the table of bias: first stages, then rankers, untrained first."""
        experiment = self.study.experiment
        testsets = list(self.study.testsets_of(*self.study.bias.suites))
        systems = [(NONE, NONE), *pair_recipes_with_llms(self.study, experiment.recipes, experiment.llms)]
        first = [{"testset": name, "retriever": item} for name in testsets for item in experiment.first_stages]
        return [*first, *self.systems_on(testsets, systems, experiment.rankers)]
