"""Step make_ablation_table: systems that differ in one thing, against the first of them."""

from pathlib import Path

from synthrank.files import atomic_text
from synthrank.specs.experiment import Intervals
from synthrank.tables.ablation import Row, ablation_rows
from synthrank.tables.ablation_markdown import as_markdown
from synthrank.tables.cells import read_cells
from synthrank.tables.notes import with_notes
from synthrank.tables.tidy import write_rows


def make_ablation_table(
    *,
    metrics: list[Path],
    ablation: str,
    recipes: list[str],
    rankers: list[str],
    measures: list[str],
    resamples: int,
    confidence: float,
    seed: int,
    scope: str,
    table: Path,
    markdown: Path,
) -> None:
    """Make the table of every recipe with every ranker, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run.
        ablation: its name.
        recipes: what it compares; the first belongs to the reference.
        rankers: the same of rankers.
        measures: what is shown of what was measured.
        resamples: of the bootstrap and of the randomisation tests.
        confidence: of the interval.
        seed: of the bootstrap and of the randomisation tests.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a recipe was not scored with a ranker, or a system not on every test set.
    """
    intervals = Intervals(resamples=resamples, confidence=confidence, seed=seed)
    rows = list(ablation_rows(read_cells(metrics, measures), recipes, rankers, measures, intervals))
    write_rows(table, Row, rows)
    with atomic_text(markdown) as stream:
        stream.write(with_notes(as_markdown(rows, ablation, intervals), [], [scope]))
