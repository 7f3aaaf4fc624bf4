"""Step score_first_stage: measure a first stage's run on one test set."""

from pathlib import Path

from synthrank.config.base import NONE, load
from synthrank.config.testsets import TestsetSpec
from synthrank.data.scores import Score, write_scores
from synthrank.data.trec import read_qrels
from synthrank.steps.metrics.ranked import first_stage_run, measure_to_depth


def score_first_stage(
    *, run: Path, testset: Path, qrels: Path, depth: str, measures: list[str], retriever: str, metrics: Path
) -> None:
    """Measure the run of a first stage.

    Args:
        run: the run.
        testset: the test set's entity file.
        qrels: the qrels of the test set.
        depth: the largest number of passages per ranking; ``whole`` if rankings contain the whole corpus, ``listed``
            to use the length of the longest ranking. A measure with a larger cutoff gets no value.
        measures: names of measures for ir_measures.
        retriever: name of the first stage.
        metrics: the scores to write, with recipe and LLM ``none`` and no seed.
    """
    settings: TestsetSpec = load(TestsetSpec, testset)
    values = measure_to_depth(
        first_stage_run(run, settings), read_qrels(qrels), measures, settings.relevance_level, depth, str(run)
    )
    write_scores(
        metrics,
        (Score(retriever, NONE, NONE, "", testset.stem, measure, query, value) for measure, query, value in values),
    )
