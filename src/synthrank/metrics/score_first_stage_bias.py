"""Step score_first_stage_bias: measure a first stage's run on a mixed corpus, human and rewritten passages apart."""

from pathlib import Path

from synthrank.metrics.ranked import first_stage_run
from synthrank.metrics.wordings import measure_wordings
from synthrank.scores import Score, write_scores
from synthrank.specs.base import NONE, load
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import read_qrels


def score_first_stage_bias(
    *, run: Path, testset: Path, corpus: Path, qrels: Path, measure: str, retriever: str, metrics: Path
) -> None:
    """Measure the run, once by the qrels of human passages and once by those of rewritten ones.

    Args:
        run: the run.
        testset: the test set's entity file.
        corpus: that of its corpus, which is mixed.
        qrels: its qrels.
        measure: its name as ir_measures reads it.
        retriever: name of the first stage.
        metrics: written: the scores, with recipe and LLM none and no seed; the measure's name is followed by ``human``
            or ``rewritten``.

    Raises:
        ConfigError: the corpus is not mixed.
    """
    settings: TestsetSpec = load(TestsetSpec, testset)
    values = measure_wordings(first_stage_run(run, settings), read_qrels(qrels), measure, settings, corpus)
    write_scores(
        metrics, (Score(retriever, NONE, NONE, "", testset.stem, name, query, value) for name, query, value in values)
    )
