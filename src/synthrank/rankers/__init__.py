"""Trained models that order passages: one way to train them, one way to rank with them.

``open_ranker`` and ``train`` take the entity's model and load only the architecture it names.
"""

from collections.abc import Sequence
from pathlib import Path

from synthrank.rankers.base import Ranker, TrainingLog
from synthrank.records import Group
from synthrank.specs.rankers import BiEncoderRanker, RankerSpec


def open_ranker(spec: RankerSpec, checkpoint: Path, seed: int) -> Ranker:
    """Load a ranker from a checkpoint, or from a pretrained model: a head that it lacks is drawn with ``seed``."""
    if isinstance(spec, BiEncoderRanker):
        from synthrank.rankers.bi_encoder import BiEncoderSearcher

        return BiEncoderSearcher(spec, checkpoint)
    from synthrank.rankers.reranker import RerankerScorer

    return RerankerScorer(spec, checkpoint, seed)


def train(
    spec: RankerSpec, base: Path, groups: Sequence[Group], seed: int, checkpoint: Path, state: Path | None = None
) -> TrainingLog:
    """Train a ranker and write it, as safetensors, into the folder ``checkpoint``.

    Args:
        spec: the ranker.
        base: the model to start from.
        groups: the training set.
        seed: seeds a head that the base lacks, the order of the data and the dropout.
        checkpoint: the new folder.
        state: a folder of states, written every ``optimiser.save_every`` updates, from whose last one the training
            goes on; none keeps no state.
    """
    if isinstance(spec, BiEncoderRanker):
        from synthrank.rankers.bi_encoder import train_bi_encoder

        return train_bi_encoder(spec, base, groups, seed, checkpoint, state)
    from synthrank.rankers.reranker import train_reranker

    return train_reranker(spec, base, groups, seed, checkpoint, state)
