"""Step encode_testset: encode the texts of a test set, for comparison with every training set."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.retrievers import RetrieverSpec
from synthrank.contamination.finder import read_testset, write_vectors
from synthrank.retrievers.dense import open_encoder


def encode_testset(
    *, queries: Path, qrels: Path, passages: Path, spec: Path, model: Path, words: int, vectors: Path
) -> None:
    """Encode the queries and the relevant passages of a test set.

    Args:
        queries: the queries of the test set.
        qrels: the qrels of the test set.
        passages: the passages of its corpus.
        spec: the dense retriever's entity file.
        model: the folder of its model.
        words: the number of words of each text to encode; 0 for the maximum length of the model.
        vectors: the folder to write, with encodings of queries and of passages.

    Raises:
        DataError: a line of a file is invalid.
        ModelError: a vector is not finite.
    """
    encoder = open_encoder(load(RetrieverSpec, spec), model)
    write_vectors(vectors, read_testset(queries, qrels, passages), encoder, words or None)
