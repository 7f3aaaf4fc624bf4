"""Step score_first_stage_bias: measure a first stage on a mixed corpus, separately per wording."""

from pathlib import Path

from synthrank.config.base import NONE, load
from synthrank.config.testsets import TestsetSpec
from synthrank.data.scores import Score, write_scores
from synthrank.data.trec import read_qrels
from synthrank.steps.metrics.bias import measure_wordings
from synthrank.steps.metrics.ranked import first_stage_run


def score_first_stage_bias(
    *, run: Path, testset: Path, corpus: Path, qrels: Path, measure: str, retriever: str, metrics: Path
) -> None:
    """Measure the run with the qrels of the human passages and with the qrels of the rewritten passages.

    Args:
        run: the run.
        testset: the test set's entity file.
        corpus: the entity file of its corpus, which must be mixed.
        qrels: the qrels of the test set.
        measure: the name of the measure for ir_measures.
        retriever: name of the first stage.
        metrics: the scores to write, with recipe and LLM ``none`` and no seed; ``human`` or ``rewritten`` is appended
            to the measure's name.

    Raises:
        ConfigError: the corpus is not mixed.
    """
    settings: TestsetSpec = load(TestsetSpec, testset)
    values = measure_wordings(first_stage_run(run, settings), read_qrels(qrels), measure, settings, corpus)
    write_scores(
        metrics, (Score(retriever, NONE, NONE, "", testset.stem, name, query, value) for name, query, value in values)
    )
