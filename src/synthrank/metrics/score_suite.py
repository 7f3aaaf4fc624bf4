"""Step score_suite: measure a ranker's runs on every test set of a suite."""

from pathlib import Path

from synthrank.measures import measure_run
from synthrank.metrics.ranked import suite_runs
from synthrank.scores import Score, write_scores
from synthrank.specs.base import load
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import read_qrels, read_run


def score_suite(
    *,
    runs: Path,
    testsets: list[Path],
    qrels: list[Path],
    measures: list[str],
    ranker: str,
    recipe: str,
    llm: str,
    seed: int,
    metrics: Path,
) -> None:
    """Measure every run of the folder; a fused run ``TESTSET+RETRIEVER.trec`` is the system ``RANKER+RETRIEVER``.

    Args:
        runs: the folder that gather_suite or merge_suite made.
        testsets: the test sets' entity files.
        qrels: for each test set its judgments.
        measures: names as ir_measures reads them.
        ranker: name of the ranker.
        recipe: name of the recipe.
        llm: name of the LLM.
        seed: the training seed.
        metrics: written: the scores.

    Raises:
        DataError: the folder has no run for a test set.
    """
    scores = []
    for testset, judgments in zip(testsets, qrels, strict=True):
        settings: TestsetSpec = load(TestsetSpec, testset)
        judged = read_qrels(judgments)
        for suffix, path in suite_runs(runs, testset.stem):
            scores += [
                Score(ranker + suffix, recipe, llm, str(seed), testset.stem, measure, query, value)
                for measure, query, value in measure_run(read_run(path), judged, measures, settings.relevance_level)
            ]
    write_scores(metrics, scores)
