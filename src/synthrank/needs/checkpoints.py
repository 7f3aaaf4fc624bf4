"""Inputs of the stage checkpoints."""

from synthrank.needs.base import StageNeeds, Wildcards
from synthrank.specs.base import NONE


class CheckpointNeeds(StageNeeds):
    """What training starts from, and what ranks."""

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
