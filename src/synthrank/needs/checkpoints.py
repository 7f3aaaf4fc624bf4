"""Inputs of the stage checkpoints."""

from synthrank.needs.base import StageNeeds, Wildcards, as_param, by_attempt
from synthrank.specs.base import NONE

TRAINING_MB = 16000
"""Memory of one training process: a model of 3 billion parameters on its way to the GPU, and its training set."""


class CheckpointNeeds(StageNeeds):
    """What training starts from, and what ranks."""

    def trainset(self, wildcards: Wildcards) -> str:
        """Return the training set that a seed trains on."""
        return f"{self.draws.trainset_folder(wildcards.recipe, wildcards.llm, wildcards.seed)}/groups.jsonl"

    def training_seed(self, wildcards: Wildcards) -> int:
        """Return the seed of the trainer."""
        return self.draws.of_training(wildcards.seed)

    def base(self, wildcards: Wildcards) -> str:
        """Return the model that a ranker's training starts from."""
        return self.ranker_model(wildcards.ranker, NONE, NONE, wildcards.seed)

    def development(self, wildcards: Wildcards) -> list[str]:
        """Return what a ranker with ``selection`` chooses its settings on; nothing for any other.

        Of the development split of the recipe's corpus: queries, qrels, passages, and the run that is reordered.
        """
        selection = self.study.entities["rankers"][wildcards.ranker].selection
        if selection is None:
            return []
        corpus = self.study.entities["recipes"][wildcards.recipe].corpus
        return self.development_of(corpus, selection.retriever)

    def training_gpus(self, wildcards: Wildcards) -> int:
        """Return how many GPUs, and cores, a training shares its batches among: as its ranker's file says."""
        gpus: int = self.study.entities["rankers"][wildcards.ranker].gpus
        return gpus

    def training_launcher(self, wildcards: Wildcards) -> str:
        """Return what starts a training: Python, or torchrun if several processes share its batches."""
        gpus = self.training_gpus(wildcards)
        return "python" if gpus == 1 else f"torchrun --standalone --nproc-per-node {gpus}"

    def training_settings(self, wildcards: Wildcards) -> str:
        """Return what a training depends on of its ranker's file."""
        return as_param(self.study.entities["rankers"][wildcards.ranker].training_settings)

    def training_mb(self, wildcards: Wildcards, attempt: int) -> int:
        """Return the memory of a training: every process holds the model and the training set."""
        return by_attempt(TRAINING_MB * self.training_gpus(wildcards))(wildcards, attempt)

    def checkpoint(self, wildcards: Wildcards) -> str:
        """Return the model that ranks: the trained one, or its base where the recipe is none."""
        return self.ranker_model(wildcards.ranker, wildcards.recipe, wildcards.llm, wildcards.seed)
