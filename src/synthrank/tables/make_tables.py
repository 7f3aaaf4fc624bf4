"""Step make_tables: the in-distribution and the out-of-distribution table."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.places import MACRO, SHOWN, TITLES, Distribution, Places
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import read_cells
from synthrank.tables.main_rows import Row, below_first_stage, main_rows, reordered
from synthrank.tables.notes import dropped_pairs, not_measured, unequal_budgets
from synthrank.tables.pipes import interval, paragraphs, pivoted, section, test_of_queries_and_seeds
from synthrank.tables.tidy import write_table

MARK = "†"
"""Behind a cell that differs from the reference's."""

SEEN = "‡"
"""Behind a cell of a test set that the ranker's pretrained model was trained on."""

LACKING = "—"
"""In place of a macro average over fewer test sets than others'."""


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
    intervals: Intervals,
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
    models (recipe none) are in a table for the test sets that any recipe has there. Every system is compared with the
    same ranker trained on human passages, if the same table has that on the same test sets.

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
        intervals: how intervals and p are made; one less their confidence is alpha of the marks.
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
    short = not_measured(metrics, measures, cells, [path.stem for path in testsets])
    budgets = [*unequal_budgets(trainsets, rankers), *dropped_pairs(trainsets)]
    outputs = ((id_table, id_markdown), (ood_table, ood_markdown))
    for where, (table, markdown) in zip(SHOWN, outputs, strict=True):
        rows = main_rows(cells, places, where, reference, intervals, reordered(rankers, testsets))
        page = _page(rows, where, reference, intervals)
        below = [scope, *below_first_stage(rows, rankers), *budgets, *selected, *short]
        write_table(table, markdown, Row, rows, page, answers=answers, below=below)


def _page(rows: Sequence[Row], where: Distribution, reference: str, intervals: Intervals) -> list[str]:
    """Return the lines for reading: one section a measure, one row a system, one column a test set."""
    place = "the recipe's own corpus" if where == "id" else "corpora that the recipe never saw"
    alpha = 1 - intervals.confidence
    lines = [
        f"# {TITLES[where]}",
        "",
        f"Test questions of {place}. Each cell: mean [{intervals.confidence:.0%} bootstrap interval over queries].",
        "Recipe `none` is the model before training, or a first stage; `RANKER+first-stage` is the reranker's order",
        "fused with its first stage's; a reranker alone lists only the passages that it reordered. Overlapping",
        "intervals are no evidence of a difference, nor of equality.",
        "",
    ]
    for measure in dict.fromkeys(row.measure for row in rows):
        here = [row for row in rows if row.measure == measure]
        testsets = list(dict.fromkeys(row.testset for row in here))
        seeds: dict[tuple[str, str, str], str] = {}
        cells = []
        for row in here:
            system = row.ranker, row.recipe, row.llm
            cells.append(((*system, seeds.setdefault(system, str(row.seeds))), row.testset, _cell(row, alpha)))
        words = ["ranker", "recipe", "llm", "seeds"]
        lines += section(measure, words, testsets, pivoted(cells, testsets, {MACRO: LACKING}))
    if not rows:
        lines += ["No test set of the experiment is of this kind.", ""]
    if any(LACKING in text for text in lines):
        lines += [f"{LACKING}: no macro average, since the system was not measured on every test set of the table.", ""]
    if any(row.seen for row in rows):
        averages = "; a test set that any ranker saw is in no macro average" if where == "ood" else ""
        lines += paragraphs(f"{SEEN} the ranker's pretrained model was trained on this corpus before{averages}.")
    if any(row.p is not None for row in rows):
        lines += paragraphs(
            f"{MARK} differs from the same ranker trained on recipe `{reference}`: p below {alpha:.3g}, two-sided, "
            f"{test_of_queries_and_seeds()} It is adjusted by Holm's method for all such tests of this table with the "
            "same ranker and measure, macro averages among them. No mark is no evidence of equality."
        )
    return lines


def _cell(row: Row, alpha: float) -> str:
    mark = MARK if row.p_holm is not None and row.p_holm < alpha else ""
    return interval(row.mean, row.ci_low, row.ci_high) + mark + (SEEN if row.seen else "")
