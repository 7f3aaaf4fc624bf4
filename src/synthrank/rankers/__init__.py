"""Trained models that order passages: one way to train them, one way to rank with them.

``open_ranker`` and ``train`` take the entity's model and load only the architecture it names.
"""

from collections.abc import Sequence
from pathlib import Path

from synthrank.rankers.base import Ranker, TrainingLog
from synthrank.records import Group
from synthrank.specs.rankers import CrossEncoderRanker, RankerSpec


def open_ranker(spec: RankerSpec, checkpoint: Path, seed: int) -> Ranker:
    """Load a ranker from a checkpoint, or from a pretrained model: a head that it lacks is drawn with ``seed``."""
    if isinstance(spec, CrossEncoderRanker):
        from synthrank.rankers.cross_encoder import CrossEncoderScorer

        return CrossEncoderScorer(spec, checkpoint, seed)
    from synthrank.rankers.bi_encoder import BiEncoderSearcher

    return BiEncoderSearcher(spec, checkpoint)


def train(spec: RankerSpec, base: Path, groups: Sequence[Group], seed: int, checkpoint: Path) -> TrainingLog:
    """Train a ranker and write it, as safetensors, into the folder ``checkpoint``."""
    if isinstance(spec, CrossEncoderRanker):
        from synthrank.rankers.cross_encoder import train_cross_encoder

        return train_cross_encoder(spec, base, groups, seed, checkpoint)
    from synthrank.rankers.bi_encoder import train_bi_encoder

    return train_bi_encoder(spec, base, groups, seed, checkpoint)
