"""Train models that order passages, and rank with them.

``open_ranker`` and ``train`` import only the architecture that the ranker's file names.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from synthrank.rankers.base import Ranker, Training, TrainingLog

if TYPE_CHECKING:
    from synthrank.config.rankers import RankerSpec


def open_ranker(spec: RankerSpec, checkpoint: Path, seed: int) -> Ranker:
    """Load a reranker from a checkpoint or a pretrained model.

    Args:
        spec: the ranker, with ``rerank``.
        checkpoint: the folder of the model.
        seed: seed of a new head if the model has no head.

    Raises:
        ConfigError: the ranker has no ``rerank``.
        ModelError: the folder does not contain a model of this architecture.
    """
    if spec.architecture == "bi-encoder":
        from synthrank.rankers.cosine import BiEncoderScorer

        return BiEncoderScorer(spec, checkpoint)
    from synthrank.rankers.reranker import RerankerScorer

    return RerankerScorer(spec, checkpoint, seed)


def train(spec: RankerSpec, job: Training, checkpoint: Path) -> TrainingLog:
    """Train a ranker and write it as safetensors into the new folder ``checkpoint``.

    If several processes train together, only the first one writes.
    """
    if spec.architecture == "bi-encoder":
        from synthrank.rankers.bi_encoder import train_bi_encoder

        return train_bi_encoder(spec, job, checkpoint)
    from synthrank.rankers.reranker import train_reranker

    return train_reranker(spec, job, checkpoint)
