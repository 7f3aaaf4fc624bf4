"""Trained models that order passages: one way to train them, one way to rank with them.

``open_ranker`` and ``train`` take the entity's model and load only the architecture it names.
"""

from pathlib import Path

from synthrank.rankers.base import Ranker, Training, TrainingLog
from synthrank.specs.rankers import BiEncoderRanker, RankerSpec


def open_ranker(spec: RankerSpec, checkpoint: Path, seed: int) -> Ranker:
    """Load a ranker that reorders, from a checkpoint or from a pretrained model.

    Args:
        spec: the ranker, with ``rerank``.
        checkpoint: the folder of the model.
        seed: draws a head that the model lacks.

    Raises:
        ConfigError: the ranker searches.
        ModelError: the folder holds no such model.
    """
    if isinstance(spec, BiEncoderRanker):
        from synthrank.rankers.cosine import BiEncoderScorer

        return BiEncoderScorer(spec, checkpoint)
    from synthrank.rankers.reranker import RerankerScorer

    return RerankerScorer(spec, checkpoint, seed)


def train(spec: RankerSpec, job: Training, checkpoint: Path) -> TrainingLog:
    """Train a ranker and write it, as safetensors, into the new folder ``checkpoint``.

    Of several processes that train together, the first one writes.
    """
    if isinstance(spec, BiEncoderRanker):
        from synthrank.rankers.bi_encoder import train_bi_encoder

        return train_bi_encoder(spec, job, checkpoint)
    from synthrank.rankers.reranker import train_reranker

    return train_reranker(spec, job, checkpoint)
