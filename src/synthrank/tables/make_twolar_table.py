"""Step make_twolar_table: the distillation study's systems beside published figures."""

from pathlib import Path

from synthrank.files import atomic_text
from synthrank.specs.base import load
from synthrank.specs.experiment import Intervals
from synthrank.specs.published import PublishedSpec
from synthrank.tables.cells import read_cells
from synthrank.tables.notes import with_notes
from synthrank.tables.systems import Systems
from synthrank.tables.tidy import write_rows
from synthrank.tables.twolar import Row, measured_rows, published_rows
from synthrank.tables.twolar_markdown import as_markdown


def make_twolar_table(
    *,
    metrics: list[Path],
    rankers: list[Path],
    retrievers: list[Path],
    testsets: list[Path],
    published: list[Path],
    measures: list[str],
    resamples: int,
    confidence: float,
    seed: int,
    scope: str,
    table: Path,
    markdown: Path,
) -> None:
    """Make the table, tidy as CSV and, for reading, as Markdown.

    First stages, and students untrained and trained, alone and fused, are measured; each student is compared with the
    run that it reorders and with itself untrained. Published figures are shown, and compared with nothing.

    Args:
        metrics: the scores of every run.
        rankers: the entity files of the students, and of the rankers that they start from.
        retrievers: those of the first stages.
        testsets: those of the test sets.
        published: those of published figures; none or one.
        measures: what is shown of what was measured.
        resamples: of the bootstrap and of the randomisation tests.
        confidence: of the interval.
        seed: of the bootstrap and of the randomisation tests.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a system, or what it is compared with, was not measured on a test set.
    """
    intervals = Intervals(resamples=resamples, confidence=confidence, seed=seed)
    systems = Systems(rankers, retrievers, testsets)
    rows = list(measured_rows(read_cells(metrics, measures), systems, measures, intervals))
    for path in published:
        rows += published_rows(load(PublishedSpec, path))
    write_rows(table, Row, rows)
    with atomic_text(markdown) as stream:
        stream.write(with_notes(as_markdown(rows, measures, intervals), [], [scope]))
