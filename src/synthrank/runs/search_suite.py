"""Step search_suite: what one bi-encoder finds for a suite's queries in a shard of every collection."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from synthrank.encodings import passage_encoder, read_encodings, write_encodings
from synthrank.files import atomic_path, count_lines, read_jsonl, write_jsonl
from synthrank.nearest import nearest
from synthrank.rankers.cosine import open_encoder
from synthrank.records import Query, ScoredList
from synthrank.runs.suites import searcher
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.testsets import TestsetSpec
from synthrank.texts import id_texts


def search_suite(
    *,
    checkpoint: Path,
    ranker: Path,
    testsets: list[Path],
    passages: list[Path],
    queries: list[Path],
    shard: str,
    lists: Path,
) -> None:
    """Encode and search with the model loaded once; what several test sets share is encoded once for each prefix.

    Vectors are kept for as long as their collection is searched, beside what is made: of a study with hundreds of
    trained bi-encoders they would fill tens of terabytes, and no other step reads them.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, without ``rerank``.
        testsets: the test sets' entity files.
        passages: for each test set its collection.
        queries: for each test set its queries.
        shard: which shard of each collection, such as ``2-of-4``.
        lists: written: a folder with ``TESTSET.jsonl`` for each test set, the best of the shard for each query.

    Raises:
        ConfigError: the ranker is no bi-encoder.
    """
    spec = searcher(ranker)
    part = Shard.parse(shard)
    encoder = open_encoder(spec, checkpoint)
    stated: list[TestsetSpec] = [load(TestsetSpec, testset) for testset in testsets]
    encoded = [(item.corpus, item.passages_as) for item in stated]
    tests = list(zip(encoded, testsets, queries, strict=True))
    with atomic_path(lists) as folder:
        folder.mkdir()
        for key, path in dict(zip(encoded, passages, strict=True)).items():
            encode = passage_encoder(encoder, key[1])
            write_encodings(encode, id_texts(path), count_lines(path), folder / "vectors", shard=part)
            encodings = read_encodings(folder / "vectors")
            for testset, asked in [(testset, asked) for of, testset, asked in tests if of == key]:
                listed = list(read_jsonl(asked, Query))
                found = nearest(encodings, encoder.queries([query.text for query in listed]), listed, spec.depth)
                write_jsonl(folder / f"{testset.stem}.jsonl", map(_scored_list, found, found.values()))
            shutil.rmtree(folder / "vectors")


def _scored_list(query: str, found: Sequence[tuple[str, float]]) -> ScoredList:
    return ScoredList(query, tuple(name for name, _ in found), tuple(score for _, score in found))
