"""Step score_bias: measure a ranker's runs on mixed corpora, human and rewritten passages apart."""

from pathlib import Path

from synthrank.metrics.ranked import suite_runs
from synthrank.metrics.wordings import measure_wordings
from synthrank.scores import Score, write_scores
from synthrank.specs.base import load
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import read_qrels, read_run


def score_bias(
    *,
    runs: Path,
    testsets: list[Path],
    corpora: list[Path],
    qrels: list[Path],
    measure: str,
    ranker: str,
    recipe: str,
    llm: str,
    seed: int,
    metrics: Path,
) -> None:
    """Measure every run of the folder, once by the qrels of human passages and once by those of rewritten ones.

    Args:
        runs: the folder that gather_suite or merge_suite made.
        testsets: the test sets' entity files.
        corpora: for each test set the entity file of its corpus, which is mixed.
        qrels: for each test set its qrels.
        measure: its name as ir_measures reads it.
        ranker: name of the ranker.
        recipe: name of the recipe.
        llm: name of the LLM.
        seed: the training seed.
        metrics: written: the scores; the measure's name is followed by ``human`` or ``rewritten``.

    Raises:
        ConfigError: a corpus is not mixed.
        DataError: the folder has no run for a test set.
    """
    scores = []
    for testset, corpus, judged_file in zip(testsets, corpora, qrels, strict=True):
        settings: TestsetSpec = load(TestsetSpec, testset)
        judged = read_qrels(judged_file)
        for suffix, path in suite_runs(runs, testset.stem):
            scores += [
                Score(ranker + suffix, recipe, llm, str(seed), testset.stem, name, query, value)
                for name, query, value in measure_wordings(read_run(path), judged, measure, settings, corpus)
            ]
    write_scores(metrics, scores)
