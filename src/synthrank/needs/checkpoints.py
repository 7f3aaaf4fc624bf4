"""Inputs of the stage checkpoints."""

from synthrank.needs.base import StageNeeds, Wildcards
from synthrank.specs.base import NONE


class CheckpointNeeds(StageNeeds):
    """What training starts from, and what ranks."""

    def base(self, wildcards: Wildcards) -> str:
        """Return the model that a ranker's training starts from."""
        return self.ranker_model(wildcards.ranker, NONE, NONE, wildcards.seed)

    def checkpoint(self, wildcards: Wildcards) -> str:
        """Return the model that ranks: the trained one, or its base where the recipe is none."""
        return self.ranker_model(wildcards.ranker, wildcards.recipe, wildcards.llm, wildcards.seed)
