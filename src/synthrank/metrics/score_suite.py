"""Step score_suite: measure a ranker's runs on every test set of a suite."""

from pathlib import Path

from synthrank.metrics.ranked import measure_to_depth, suite_runs
from synthrank.scores import Score, write_scores
from synthrank.specs.base import load
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import read_qrels, read_run


def score_suite(
    *,
    runs: Path,
    testsets: list[Path],
    qrels: list[Path],
    depths: list[str],
    fused_depths: list[str],
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
        qrels: for each test set its qrels.
        depths: for each test set how deep the ranker's lists may reach; ``whole`` where they hold the collection,
            ``listed`` where the longest list shows it. Of a measure that looks deeper no value is written.
        fused_depths: the same of its lists fused with the first stage's.
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
    for testset, judged_file, own, fused in zip(testsets, qrels, depths, fused_depths, strict=True):
        settings: TestsetSpec = load(TestsetSpec, testset)
        judged = read_qrels(judged_file)
        for suffix, path in suite_runs(runs, testset.stem):
            scores += [
                Score(ranker + suffix, recipe, llm, str(seed), testset.stem, measure, query, value)
                for measure, query, value in measure_to_depth(
                    read_run(path), judged, measures, settings.relevance_level, fused if suffix else own, str(path)
                )
            ]
    write_scores(metrics, scores)
