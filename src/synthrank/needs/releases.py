"""Inputs of the stage releases."""

from synthrank.needs.base import RAW, StageNeeds, Wildcards
from synthrank.specs.llms import LocalLlm


class ReleaseNeeds(StageNeeds):
    """What data sets are released with."""

    def queryset_qrels(self, wildcards: Wildcards) -> list[str]:
        """Return the judgments of a set of queries, where it is a split."""
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
        llm = self.study.entities["llms"][wildcards.llm]
        return [self.spec("models", llm.model)] if isinstance(llm, LocalLlm) else []
