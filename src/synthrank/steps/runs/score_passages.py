"""Step score_passages: score the relevance of each passage to its query with a model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec
from synthrank.config.retrievers import RetrieverSpec
from synthrank.data.pair_scores import Pair, write_pair_scores
from synthrank.rankers.cross_encoder import PairScorer
from synthrank.retrievers.dense import open_encoder
from synthrank.vectors.encoder import TextEncoder


def score_passages(*, passages: Path, ranker: list[Path], retriever: list[Path], model: Path, scores: Path) -> None:
    """Score pairs with the logits of a pretrained reranker, or with the similarity of a dense retriever's vectors.

    Args:
        passages: the passages with their queries.
        ranker: the entity file of a cross-encoder, seq2seq ranker or decoder; empty if a retriever scores.
        retriever: the entity file of a dense retriever; empty if a ranker scores.
        model: the folder of its model.
        scores: the scores to write, one list per query.

    Raises:
        ModelError: a score is not finite.
    """
    if ranker:
        write_pair_scores(passages, PairScorer(load(RankerSpec, ranker[0]), model, seed=0).scores, scores)
        return
    encoder = open_encoder(load(RetrieverSpec, retriever[0]), model)
    write_pair_scores(passages, lambda pairs: _score_pairs(pairs, encoder), scores)


def _score_pairs(pairs: Sequence[Pair], encoder: TextEncoder) -> list[float]:
    queries = encoder.queries([query.text for query, _, _ in pairs])
    found: list[float] = np.einsum("ij,ij->i", queries, encoder.passages([text for _, _, text in pairs])).tolist()
    return found
