"""Step score_testset: measure a ranker's runs on one test set."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.testsets import TestsetSpec
from synthrank.data.scores import Score, write_scores
from synthrank.data.trec import read_qrels, read_run
from synthrank.steps.metrics.ranked import measure_to_depth


def score_testset(
    *,
    runs: list[Path],
    systems: list[str],
    testset: Path,
    qrels: Path,
    depths: list[str],
    measures: list[str],
    recipe: str,
    llm: str,
    seed: int,
    metrics: Path,
) -> None:
    """Measure the ranker's run and, for a reranker, the run fused with its first stage.

    Args:
        runs: the runs.
        systems: per run, the name of its system: the ranker, or ``RANKER+RETRIEVER``.
        testset: the test set's entity file.
        qrels: the qrels of the test set.
        depths: per run, the largest number of passages per ranking; ``whole`` if rankings contain the whole corpus,
            ``listed`` to use the length of the longest ranking. A measure with a larger cutoff gets no value.
        measures: names of measures for ir_measures.
        recipe: name of the recipe.
        llm: name of the LLM.
        seed: the training seed.
        metrics: the scores to write.
    """
    settings: TestsetSpec = load(TestsetSpec, testset)
    judged = read_qrels(qrels)
    scores = [
        Score(system, recipe, llm, str(seed), testset.stem, measure, query, value)
        for path, system, depth in zip(runs, systems, depths, strict=True)
        for measure, query, value in measure_to_depth(
            read_run(path), judged, measures, settings.relevance_level, depth, str(path)
        )
    ]
    write_scores(metrics, scores)
