"""Step search_testset: search the corpus of a test set with a bi-encoder."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.testsets import TestsetSpec
from synthrank.data.files import atomic_path, count_lines, read_jsonl
from synthrank.data.passage_texts import id_texts
from synthrank.data.records import Query
from synthrank.data.trec import rank, write_run
from synthrank.rankers.base import WHOLE
from synthrank.rankers.cosine import open_encoder
from synthrank.steps.runs.testsets import drop_own_ids, read_searcher
from synthrank.vectors.exact_search import nearest
from synthrank.vectors.store import Encodings, passage_encoder, write_encodings


def search_testset(
    *,
    checkpoint: Path,
    ranker: Path,
    testset: Path,
    passages: Path,
    queries: Path,
    vectors: list[Path],
    run: Path,
) -> None:
    """Search the corpus exactly; the result does not depend on the number of shards of its vectors.

    Without ``vectors``, the step first encodes the corpus. It deletes these vectors after the search, because the
    vectors of hundreds of trained bi-encoders would fill tens of terabytes.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file, without ``rerank``.
        testset: the test set's entity file.
        passages: the passages of its corpus.
        queries: its queries.
        vectors: the folders that encode_collection wrote, in the order of the shards; empty to encode the corpus here.
        run: the run to write.

    Raises:
        ConfigError: the ranker is not a bi-encoder.
        ShardError: a shard has an unexpected number of vectors.
    """
    spec = read_searcher(ranker)
    settings: TestsetSpec = load(TestsetSpec, testset)
    encoder = open_encoder(spec, checkpoint)
    wanted, total = list(read_jsonl(queries, Query)), count_lines(passages)
    with atomic_path(run) as target:
        folders = vectors or [target.parent / "vectors"]  # files next to the target are removed with it
        if not vectors:
            encode = passage_encoder(encoder, settings.passages_as)
            write_encodings(encode, id_texts(passages), total, folders[0], shard=WHOLE)
        of_queries = encoder.queries([query.text for query in wanted])
        found = nearest(Encodings(folders, total), of_queries, wanted, spec.depth)
        ranked = {query: rank(pairs) for query, pairs in found.items()}
        write_run(target, drop_own_ids(ranked, settings), ranker.stem)
