"""Step score_passages: how relevant a model finds each passage to the query that it was written for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from synthrank.judging import Pair, write_scores
from synthrank.rankers.pair_model import PairScorer
from synthrank.retrievers.dense import open_encoder
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.vectors import TextEncoder


def score_passages(*, passages: Path, ranker: list[Path], retriever: list[Path], model: Path, scores: Path) -> None:
    """Score pairs by a pretrained reranker, in logits, or by the similarity of a dense retriever's vectors.

    Args:
        passages: the written passages.
        ranker: the entity file of a cross-encoder, seq2seq ranker or decoder; empty for a retriever.
        retriever: the entity file of a dense retriever; empty for a ranker.
        model: the folder of its model.
        scores: written: the scores, one list a query.

    Raises:
        ModelError: a score is not finite.
    """
    if ranker:
        write_scores(passages, PairScorer(load(RankerSpec, ranker[0]), model, seed=0).scores, scores)
        return
    encoder = open_encoder(load(RetrieverSpec, retriever[0]), model)
    write_scores(passages, lambda pairs: _similarities(pairs, encoder), scores)


def _similarities(pairs: Sequence[Pair], encoder: TextEncoder) -> list[float]:
    queries = encoder.queries([query.text for query, _, _ in pairs])
    found: list[float] = np.einsum("ij,ij->i", queries, encoder.passages([text for _, _, text in pairs])).tolist()
    return found
