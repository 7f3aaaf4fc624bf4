"""Step make_sizes_table: what more training queries change."""

from pathlib import Path

from synthrank.files import atomic_text
from synthrank.places import Places
from synthrank.specs.base import load
from synthrank.specs.experiment import Intervals, Sizes
from synthrank.specs.recipes import RecipeSpec
from synthrank.tables.budgets import dropped_pairs, unequal_budgets
from synthrank.tables.cells import read_cells
from synthrank.tables.notes import with_notes
from synthrank.tables.presence import lacking, lacking_note
from synthrank.tables.sizes import Row, size_rows
from synthrank.tables.sizes_markdown import as_markdown
from synthrank.tables.tidy import write_rows


def make_sizes_table(
    *,
    metrics: list[Path],
    answers: list[Path],
    selected: list[str],
    specs: list[Path],
    testsets: list[Path],
    seen: list[str],
    recipes: list[str],
    queries: list[int],
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
        specs: the entity files of the recipes.
        testsets: those of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another one; none by default.
        seen: RANKER=TESTSET where a ranker's pretrained model was trained on the test set's corpus.
        recipes: names of the recipes.
        queries: the sizes other than their own: how many training queries of each paradigm.
        measures: what is shown of what was measured.
        resamples: of the bootstrap.
        confidence: of the interval.
        seed: of the bootstrap.
        trainsets: what was counted of every training set.
        rankers: the entity files of the rankers.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a recipe was not scored at some size.
    """
    intervals = Intervals(resamples=resamples, confidence=confidence, seed=seed)
    sizes = Sizes(recipes=tuple(recipes), queries=tuple(queries))
    own = {path.stem: load(RecipeSpec, path).size for path in specs}
    cells = read_cells(metrics, measures)
    short = lacking_note(lacking(metrics, measures, cells, [path.stem for path in testsets]))
    rows = list(size_rows(cells, Places(specs, testsets, origins, seen), sizes, own, measures, intervals))
    write_rows(table, Row, rows)
    below = [scope, *unequal_budgets(trainsets, rankers), *dropped_pairs(trainsets), *selected, *short]
    with atomic_text(markdown) as stream:
        stream.write(with_notes(as_markdown(rows, intervals), answers, below))
