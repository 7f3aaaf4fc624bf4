"""Step score_bias: measure a ranker's runs on a mixed corpus, separately for human and rewritten passages."""

from pathlib import Path

from synthrank.config.base import load
from synthrank.config.testsets import TestsetSpec
from synthrank.data.scores import Score, write_scores
from synthrank.data.trec import read_qrels, read_run
from synthrank.steps.metrics.bias import measure_wordings


def score_bias(
    *,
    runs: list[Path],
    systems: list[str],
    testset: Path,
    corpus: Path,
    qrels: Path,
    measure: str,
    recipe: str,
    llm: str,
    seed: int,
    metrics: Path,
) -> None:
    """Measure every run with the qrels of the human passages and with the qrels of the rewritten passages.

    Args:
        runs: the runs.
        systems: per run, the name of its system: the ranker, or ``RANKER+RETRIEVER``.
        testset: the test set's entity file.
        corpus: the entity file of its corpus, which must be mixed.
        qrels: the qrels of the test set.
        measure: the name of the measure for ir_measures.
        recipe: name of the recipe.
        llm: name of the LLM.
        seed: the training seed.
        metrics: the scores to write; ``human`` or ``rewritten`` is appended to the measure's name.

    Raises:
        ConfigError: the corpus is not mixed.
    """
    settings: TestsetSpec = load(TestsetSpec, testset)
    judged = read_qrels(qrels)
    scores = [
        Score(system, recipe, llm, str(seed), testset.stem, name, query, value)
        for path, system in zip(runs, systems, strict=True)
        for name, query, value in measure_wordings(read_run(path), judged, measure, settings, corpus)
    ]
    write_scores(metrics, scores)
