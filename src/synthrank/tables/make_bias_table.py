"""Step make_bias_table: whether rankers prefer passages that a language model rewrote."""

from pathlib import Path

from synthrank.files import atomic_text
from synthrank.scores import HUMAN, REWRITTEN, worded
from synthrank.specs.experiment import Intervals
from synthrank.tables.bias import Row, bias_rows
from synthrank.tables.bias_markdown import as_markdown
from synthrank.tables.cells import read_cells
from synthrank.tables.notes import with_notes
from synthrank.tables.tidy import write_rows


def make_bias_table(
    *,
    metrics: list[Path],
    measure: str,
    resamples: int,
    confidence: float,
    seed: int,
    scope: str,
    table: Path,
    markdown: Path,
) -> None:
    """Make the table, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run on mixed corpora, human and rewritten passages apart.
        measure: what was measured.
        resamples: of the bootstrap and of the randomisation tests.
        confidence: of the intervals.
        seed: of the bootstrap and of the randomisation tests.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a system was measured by one kind of passages alone.
    """
    intervals = Intervals(resamples=resamples, confidence=confidence, seed=seed)
    cells = read_cells(metrics, [worded(measure, wording) for wording in (HUMAN, REWRITTEN)])
    rows = list(bias_rows(cells, measure, intervals))
    write_rows(table, Row, rows)
    with atomic_text(markdown) as stream:
        stream.write(with_notes(as_markdown(rows, measure, intervals), [], [scope]))
