"""Step encode_suite: vectors of a share of every collection of a suite, and of its queries, by one bi-encoder."""

from pathlib import Path

from synthrank.encodings import write_encodings
from synthrank.errors import ConfigError
from synthrank.files import atomic_path, count_lines, read_jsonl
from synthrank.rankers import open_encoder
from synthrank.records import Query
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.rankers import BiEncoderRanker, RankerSpec
from synthrank.specs.testsets import TestsetSpec
from synthrank.texts import id_texts


def encode_suite(
    *,
    checkpoint: Path,
    ranker: Path,
    testsets: list[Path],
    passages: list[Path],
    queries: list[Path],
    shard: str,
    vectors: Path,
) -> None:
    """Encode with the model loaded once; a collection that several test sets share is encoded once.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, without ``rerank``.
        testsets: the test sets' entity files.
        passages: for each test set its collection.
        queries: for each test set its queries.
        shard: the share of each collection and of each set of queries, such as ``2-of-4``.
        vectors: written: a folder with encodings ``passages/CORPUS`` of each collection and ``queries/TESTSET`` of
            each test set.

    Raises:
        ConfigError: the ranker is no bi-encoder.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    if not isinstance(spec, BiEncoderRanker):
        raise ConfigError(f"{ranker}: architecture: got {spec.architecture!r}; a bi-encoder alone gives vectors")
    share = Shard.parse(shard)
    encoder = open_encoder(spec, checkpoint)
    corpora = [load(TestsetSpec, testset).corpus for testset in testsets]
    with atomic_path(vectors) as folder:
        (folder / "passages").mkdir(parents=True)
        (folder / "queries").mkdir()
        for corpus, path in dict(zip(corpora, passages, strict=True)).items():
            total = count_lines(path)
            write_encodings(encoder.passages, id_texts(path), total, folder / "passages" / corpus, shard=share)
        for testset, path in zip(testsets, queries, strict=True):
            asked = [(query.id, query.text) for query in read_jsonl(path, Query)]
            write_encodings(encoder.queries, asked, len(asked), folder / "queries" / testset.stem, shard=share)
