"""One measure of a run on a mixed corpus, human and rewritten passages apart."""

from collections.abc import Callable, Iterator
from pathlib import Path

from synthrank.errors import ConfigError
from synthrank.measures import measure_run
from synthrank.scores import HUMAN, REWRITTEN, worded
from synthrank.specs.base import load
from synthrank.specs.corpora import CorpusSpec, MixedCorpus, rewritten_id
from synthrank.specs.testsets import TestsetSpec
from synthrank.trec import Qrels, Run


def measure_wordings(
    run: Run, qrels: Qrels, measure: str, testset: TestsetSpec, corpus: Path
) -> Iterator[tuple[str, str, float]]:
    """Yield (measure with its wording, query id, value): once as if human passages alone were judged, once rewritten.

    The whole run is measured both times; passages of the other wording stand in it as not relevant ones (Dai et al.
    2024, Cocktail, section 4).

    Args:
        run: the run.
        qrels: the qrels, of both wordings.
        measure: its name as ir_measures reads it.
        testset: the test set.
        corpus: the entity file of its corpus.

    Raises:
        ConfigError: the corpus is not mixed.
    """
    mixed: CorpusSpec = load(CorpusSpec, corpus)
    if not isinstance(mixed, MixedCorpus):
        raise ConfigError(f"{corpus}: source: got {mixed.source!r}; bias is measured on mixed corpora alone")
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
            yield worded(measure, wording), query, value
