"""Step rank_suite: one ranker's runs on every test set of a suite, alone and fused with its first stage."""

from pathlib import Path

from synthrank.files import atomic_path, read_jsonl
from synthrank.fusion import reciprocal_rank_fusion
from synthrank.rankers import open_ranker
from synthrank.rankers.base import Collection
from synthrank.records import Query
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import Run, read_run, write_run


def rank_suite(
    *,
    checkpoint: Path,
    ranker: Path,
    seed: int,
    testsets: list[Path],
    passages: list[Path],
    queries: list[Path],
    first_stages: list[Path],
    runs: Path,
) -> None:
    """Rank every test set with the model loaded once.

    A ranker without ``rerank`` searches the whole collection. One with it reorders the top of a first stage, the test
    set's where that names one, else its own, and gets a second run, ``TESTSET+RETRIEVER.trec``, that is its order fused
    with the first stage's by reciprocal rank fusion.

    Args:
        checkpoint: the folder of the model.
        ranker: the ranker's entity file.
        seed: draws a head that an untrained model lacks.
        testsets: the test sets' entity files.
        passages: for each test set its collection.
        queries: for each test set its queries.
        first_stages: for each test set the run to reorder; empty for a ranker that searches.
        runs: written: a folder with ``TESTSET.trec`` for each test set.
    """
    spec: RankerSpec = load(RankerSpec, ranker)
    model = open_ranker(spec, checkpoint, seed)
    firsts: list[Path | None] = list(first_stages) if first_stages else [None] * len(testsets)
    with atomic_path(runs) as folder:
        folder.mkdir()
        for testset, corpus, asked, first in zip(testsets, passages, queries, firsts, strict=True):
            settings: TestsetSpec = load(TestsetSpec, testset)
            name, depth = settings.reranked(spec.rerank) or (None, None)
            first_stage = _without_own(read_run(first), settings) if first else None
            run = model.rank(Collection(tuple(read_jsonl(asked, Query)), corpus, first_stage, depth))
            run = _without_own(run, settings)
            write_run(folder / f"{testset.stem}.trec", run, ranker.stem)
            if spec.rerank is not None and first_stage is not None:
                fused = reciprocal_rank_fusion([run, first_stage], spec.rerank.fusion_k)
                write_run(folder / f"{testset.stem}+{name}.trec", fused, f"{ranker.stem}+{name}")


def _without_own(run: Run, testset: TestsetSpec) -> Run:
    """Return the run without the passage that is the query itself, where the test set asks for that."""
    if not testset.drop_identical_ids:
        return run
    return {query: [pair for pair in ranked if pair[0] != query] for query, ranked in run.items()}
