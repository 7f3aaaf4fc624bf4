"""Step make_tables: the in-distribution and the out-of-distribution table."""

from pathlib import Path

from synthrank.files import atomic_text
from synthrank.places import SHOWN, Places
from synthrank.specs.experiment import Intervals
from synthrank.tables.budgets import dropped_pairs, unequal_budgets
from synthrank.tables.cells import read_cells
from synthrank.tables.first_stages import below_first_stage, reordered
from synthrank.tables.main_rows import Row, main_rows
from synthrank.tables.markdown import as_markdown
from synthrank.tables.notes import with_notes
from synthrank.tables.presence import lacking, lacking_note
from synthrank.tables.tidy import write_rows


def make_tables(
    *,
    metrics: list[Path],
    answers: list[Path],
    selected: list[str],
    recipes: list[Path],
    testsets: list[Path],
    seen: list[str],
    measures: list[str],
    reference: str,
    resamples: int,
    confidence: float,
    seed: int,
    trainsets: list[Path],
    rankers: list[Path],
    scope: str,
    id_table: Path,
    id_markdown: Path,
    ood_table: Path,
    ood_markdown: Path,
    origins: list[str] | None = None,
) -> None:
    """Make both tables, tidy as CSV and, for reading, as Markdown.

    A test set is out of distribution for a recipe when its corpus is not the recipe's. First stages and untrained
    models (recipe none) stand in a table for the test sets that any recipe has there. Every system is compared with
    the same ranker trained on human passages, where that stands in the same table on the same test sets.

    Args:
        metrics: the scores of every run.
        answers: how many passages of each training set answer test queries, where any can.
        selected: sentences on the rankers whose settings were chosen.
        recipes: the recipes' entity files.
        testsets: the test sets' entity files.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another one; none by default.
        seen: RANKER=TESTSET where a ranker's pretrained model was trained on the test set's corpus.
        measures: what is shown of what was measured.
        reference: the recipe of human passages; none for no comparison.
        resamples: of the bootstrap and of the randomisation tests.
        confidence: of the interval; one less it is alpha of the marks.
        seed: of the bootstrap and of the randomisation tests.
        trainsets: what was counted of every training set.
        rankers: the entity files of the rankers.
        scope: what chance is in the table, in words.
        id_table: written: the in-distribution table.
        id_markdown: written: the same for reading.
        ood_table: written: the out-of-distribution table.
        ood_markdown: written: the same for reading.
    """
    places = Places(recipes, testsets, origins, seen)
    cells = read_cells(metrics, measures)
    short = lacking_note(lacking(metrics, measures, cells, [path.stem for path in testsets]))
    intervals = Intervals(resamples=resamples, confidence=confidence, seed=seed)
    outputs = ((id_table, id_markdown), (ood_table, ood_markdown))
    for where, (table, markdown) in zip(SHOWN, outputs, strict=True):
        rows = main_rows(cells, places, where, reference, intervals, reordered(rankers, testsets))
        write_rows(table, Row, rows)
        below = [
            scope,
            *below_first_stage(rows, rankers),
            *unequal_budgets(trainsets, rankers),
            *dropped_pairs(trainsets),
            *selected,
            *short,
        ]
        with atomic_text(markdown) as stream:
            stream.write(with_notes(as_markdown(rows, where, reference, intervals), answers, below))
