"""Step make_enrichment_table: what synthetic passages add to human ones, beside as many further human ones."""

from pathlib import Path

from synthrank.files import atomic_text
from synthrank.places import Places
from synthrank.specs.experiment import Intervals
from synthrank.tables.budgets import dropped_pairs, unequal_budgets
from synthrank.tables.cells import read_cells
from synthrank.tables.enrichment import Compared, Row, enrichment_rows
from synthrank.tables.enrichment_markdown import as_markdown
from synthrank.tables.notes import with_notes
from synthrank.tables.presence import lacking, lacking_note
from synthrank.tables.tidy import write_rows


def make_enrichment_table(
    *,
    metrics: list[Path],
    answers: list[Path],
    selected: list[str],
    recipes: list[Path],
    testsets: list[Path],
    seen: list[str],
    base: str,
    control: list[str],
    enriched: list[str],
    added: str,
    measures: list[str],
    resamples: int,
    confidence: float,
    seed: int,
    trainsets: list[Path],
    rankers: list[Path],
    scope: str,
    table: Path,
    markdown: Path,
    origins: list[str] | None = None,
) -> None:
    """Make the table, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run.
        answers: how many passages of each training set answer test queries, where any can.
        selected: sentences on the rankers whose settings were chosen.
        recipes: the entity files of the recipes that are compared.
        testsets: those of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another one; none by default.
        seen: RANKER=TESTSET where a ranker's pretrained model was trained on the test set's corpus.
        base: the recipe of human passages alone.
        control: the one with further human passages; none or one.
        enriched: those with other passages too.
        added: what these other passages are called, such as ``reworded``.
        measures: what is shown of what was measured.
        resamples: of the bootstrap and of the randomisation tests.
        confidence: of the intervals.
        seed: of the bootstrap and of the randomisation tests.
        trainsets: what was counted of every training set.
        rankers: the entity files of the rankers.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a recipe was not scored at all, or not on a test set where the base was.
    """
    intervals = Intervals(resamples=resamples, confidence=confidence, seed=seed)
    compared = Compared(base, tuple(control), tuple(enriched))
    cells = read_cells(metrics, measures)
    short = lacking_note(lacking(metrics, measures, cells, [path.stem for path in testsets]))
    rows = list(enrichment_rows(cells, Places(recipes, testsets, origins, seen), compared, measures, intervals))
    write_rows(table, Row, rows)
    below = [scope, *unequal_budgets(trainsets, rankers), *dropped_pairs(trainsets), *selected, *short]
    with atomic_text(markdown) as stream:
        stream.write(with_notes(as_markdown(rows, compared, added, intervals), answers, below))
