"""Measure a run on a mixed corpus, separately for human and rewritten passages."""

from collections.abc import Callable, Iterator
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.corpora import CorpusSpec, MixedCorpus, rewritten_id
from synthrank.config.testsets import TestsetSpec
from synthrank.data.scores import HUMAN, REWRITTEN, add_wording
from synthrank.data.trec import Qrels, Run
from synthrank.errors import ConfigError
from synthrank.stats.measures import measure_run


def measure_wordings(
    run: Run, qrels: Qrels, measure: str, testset: TestsetSpec, corpus: Path
) -> Iterator[tuple[str, str, float]]:
    """Yield (measure with its wording, query id, value), for the judgments of human and of rewritten passages.

    The whole run is measured both times; passages of the other wording count as not relevant (Dai et al. 2024,
    Cocktail, section 4).

    Args:
        run: the run.
        qrels: the qrels of both wordings.
        measure: the name of the measure for ir_measures.
        testset: the test set.
        corpus: the entity file of its corpus.

    Raises:
        ConfigError: the corpus is not mixed.
    """
    mixed: CorpusSpec = load(CorpusSpec, corpus)
    if not isinstance(mixed, MixedCorpus):
        raise ConfigError(f"{corpus}: source: got {mixed.source!r}; bias is measured only on corpora with source mixed")
    suffix = rewritten_id("", mixed.paradigm)
    kinds: tuple[tuple[str, Callable[[str], bool]], ...] = (
        (HUMAN, lambda name: not name.endswith(suffix)),
        (REWRITTEN, lambda name: name.endswith(suffix)),
    )
    for wording, belongs in kinds:
        part = {
            query: {name: grade for name, grade in grades.items() if belongs(name)} for query, grades in qrels.items()
        }
        for _, query, value in measure_run(run, part, [measure], testset.relevance_level):
            yield add_wording(measure, wording), query, value
