"""Inputs of the stage checkpoints."""

from synthrank.config.base import NONE
from synthrank.workflow.inputs.base import Row, StageInputs, Wildcards, as_param, by_attempt

TRAINING_MB = 16000
"""Memory of one training process: a model of 3 billion parameters before it is on the GPU, and a training set."""


class CheckpointInputs(StageInputs):
    """Inputs of training, and the model that ranks."""

    def trainset(self, wildcards: Wildcards) -> list[Row]:
        """Return the draw of the training set of a seed, or no row for the recipe ``none``."""
        if wildcards.recipe == NONE:
            return []
        return [{"draw": self.draws.of_trainset(wildcards.recipe, wildcards.seed)}]

    def training_seed(self, wildcards: Wildcards) -> int:
        """Return the seed of the trainer."""
        return self.draws.of_training(wildcards.seed)

    def training_gpus(self, wildcards: Wildcards) -> int:
        """Return the number of GPUs and cores of a training, as the ranker's file states."""
        gpus: int = self.study.entities["rankers"][wildcards.ranker].gpus
        return gpus

    def training_launcher(self, wildcards: Wildcards) -> str:
        """Return the command that starts a training: Python, or torchrun for several processes."""
        gpus = self.training_gpus(wildcards)
        return "python" if gpus == 1 else f"torchrun --standalone --nproc-per-node {gpus}"

    def training_settings(self, wildcards: Wildcards) -> str:
        """Return the settings in the ranker's file that affect training."""
        return as_param(self.study.entities["rankers"][wildcards.ranker].training_settings)

    def training_mb(self, wildcards: Wildcards, attempt: int) -> int:
        """Return the memory of a training. Every process loads the model and the training set."""
        return by_attempt(TRAINING_MB * self.training_gpus(wildcards))(wildcards, attempt)

    def checkpoint(self, wildcards: Wildcards) -> str:
        """Return the model that ranks: the checkpoint, or its base for the recipe ``none``."""
        return self.ranker_model(wildcards.ranker, wildcards.recipe, wildcards.llm, wildcards.seed)
