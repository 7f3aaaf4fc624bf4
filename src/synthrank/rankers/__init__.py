"""Trained models that order passages: one way to train them, one way to rank with them.

``open_ranker``, ``open_encoder`` and ``train`` take the entity's model and load only the architecture it names.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthrank.rankers.base import Ranker, TrainingLog
from synthrank.records import Group
from synthrank.specs.rankers import BiEncoderRanker, RankerSpec

if TYPE_CHECKING:
    from synthrank.encodings import Encoder


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


def open_encoder(spec: BiEncoderRanker, checkpoint: Path) -> "Encoder":
    """Load the encoder of a ranker that searches, from a checkpoint or from a pretrained model.

    Raises:
        ModelError: the folder holds no bi-encoder.
    """
    from synthrank.rankers.cosine import open_searcher

    return open_searcher(spec, checkpoint)


def train(
    spec: RankerSpec,
    base: Path,
    groups: Sequence[Group],
    seed: int,
    checkpoint: Path,
    state: Path | None = None,
    points: Path | None = None,
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
        points: a folder that gets the model of each point of ``selection``, as ``update-N``; none keeps none.
    """
    if spec.gpus > 1:
        from synthrank.rankers.processes import train_by_processes

        return train_by_processes(spec, base, groups, seed, checkpoint, state, points)
    return train_here(spec, base, groups, seed, checkpoint, state, points)


def train_here(
    spec: RankerSpec,
    base: Path,
    groups: Sequence[Group],
    seed: int,
    checkpoint: Path,
    state: Path | None = None,
    points: Path | None = None,
) -> TrainingLog:
    """Train in this process, alone or as one of several; arguments as of :func:`train`."""
    if isinstance(spec, BiEncoderRanker):
        from synthrank.rankers.bi_encoder import train_bi_encoder

        return train_bi_encoder(spec, base, groups, seed, checkpoint, state, points)
    from synthrank.rankers.reranker import train_reranker

    return train_reranker(spec, base, groups, seed, checkpoint, state, points)
