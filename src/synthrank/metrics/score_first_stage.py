"""Step score_first_stage: measure a first stage's run on one test set."""

from pathlib import Path

from synthrank.metrics.ranked import first_stage_run, measure_to_depth
from synthrank.scores import Score, write_scores
from synthrank.specs.base import NONE, load
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import read_qrels


def score_first_stage(
    *, run: Path, testset: Path, qrels: Path, depth: str, measures: list[str], retriever: str, metrics: Path
) -> None:
    """Measure the run.

    Args:
        run: the run.
        testset: the test set's entity file.
        qrels: its qrels.
        depth: how deep its lists may reach; ``whole`` where they hold the collection, ``listed`` where the longest list
            shows it. Of a measure that looks deeper no value is written.
        measures: names as ir_measures reads them.
        retriever: name of the first stage.
        metrics: written: the scores, with recipe and LLM none and no seed.
    """
    settings: TestsetSpec = load(TestsetSpec, testset)
    values = measure_to_depth(
        first_stage_run(run, settings), read_qrels(qrels), measures, settings.relevance_level, depth, str(run)
    )
    write_scores(
        metrics,
        (Score(retriever, NONE, NONE, "", testset.stem, measure, query, value) for measure, query, value in values),
    )
