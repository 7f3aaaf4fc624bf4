"""Step make_tables: the in-distribution and the out-of-distribution table."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.config.distribution import MACRO, SHOWN, TITLES, Distribution, Places
from synthrank.config.experiment import Intervals
from synthrank.stats.score_matrix import read_cells
from synthrank.steps.tables.id_ood_rows import (
    MainRow,
    find_reordered_retrievers,
    make_main_rows,
    note_below_first_stage,
)
from synthrank.steps.tables.labels import AVERAGE, label_ranker, label_training, trained_rankers
from synthrank.steps.tables.markdown import (
    explain_test,
    format_head,
    format_interval,
    format_line,
    format_section,
    pivot,
    wrap_paragraphs,
)
from synthrank.steps.tables.notes import note_dropped_pairs, note_unequal_budgets, note_unmeasured
from synthrank.steps.tables.small_table import MARK, small_table
from synthrank.steps.tables.tidy_csv import write_table

SEEN = "‡"
"""Marks a value on a test set that the ranker's pretrained model was trained on."""

LACKING = "—"
"""Replaces the macro average of a system that was not measured on every test set."""


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
    """Make both tables as tidy CSV and as Markdown.

    A test set is out of distribution for a recipe if its corpus is not the recipe's. First stages and untrained
    rankers (recipe ``none``) are in a table for the test sets of its recipes. Every system is compared with the same
    ranker trained on human passages, if the table has that system on the same test sets.

    Args:
        metrics: the scores of every run.
        answers: per training set, the number of its passages that answer test queries, for corpora that allow it.
        selected: sentences on the rankers whose settings were selected.
        recipes: the recipes' entity files.
        testsets: the test sets' entity files.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another corpus; none by default.
        seen: ``RANKER=TESTSET`` for each ranker whose pretrained model was trained on the test set's corpus.
        measures: the measures to show.
        reference: the recipe of human passages; ``none`` for no comparison.
        intervals: settings of intervals and tests; alpha is 1 minus their confidence.
        trainsets: the counts of every training set.
        rankers: the entity files of the rankers.
        scope: a sentence on the sources of variance.
        id_table: written: the in-distribution table.
        id_markdown: written: its Markdown copy.
        ood_table: written: the out-of-distribution table.
        ood_markdown: written: its Markdown copy.
    """
    places = Places(recipes, testsets, origins, seen)
    cells = read_cells(metrics, measures)
    short = note_unmeasured(metrics, measures, cells, [path.stem for path in testsets])
    budgets = [*note_unequal_budgets(trainsets, rankers), *note_dropped_pairs(trainsets)]
    outputs = ((id_table, id_markdown), (ood_table, ood_markdown))
    for where, (table, markdown) in zip(SHOWN, outputs, strict=True):
        rows = make_main_rows(cells, places, where, reference, intervals, find_reordered_retrievers(rankers, testsets))
        page = _write_page(rows, where, reference, intervals)
        below = [scope, *note_below_first_stage(rows, rankers), *budgets, *selected, *short]
        write_table(table, markdown, MainRow, rows, page, answers=answers, below=below)


def _write_page(rows: Sequence[MainRow], where: Distribution, reference: str, intervals: Intervals) -> list[str]:
    """Return the lines of the Markdown copy: the small table, then one section per measure.

    A section has one row per system and one column per test set; the macro average is in front of the test sets.
    """
    place = "the recipe's own corpus" if where == "id" else "corpora other than the recipe's"
    alpha = 1 - intervals.confidence
    lines = [f"# {TITLES[where]}", ""]
    if not rows:
        return [*lines, *wrap_paragraphs("The experiment has no test set of this kind.")]
    lines += _small_page(rows, alpha)
    lines += wrap_paragraphs(
        f"All tables below: test queries of {place}. Each cell: mean [{intervals.confidence:.0%} bootstrap interval "
        "over queries]. To compare two systems, use the tests: their intervals may overlap although they differ. "
        "Fused: the score mixes the ranker and its first stage. A reranker that is not fused lists only the passages "
        "that it reordered."
    )
    trained = trained_rankers((row.ranker, row.recipe, row.llm) for row in rows)
    for measure in dict.fromkeys(row.measure for row in rows):
        here = [row for row in rows if row.measure == measure]
        testsets = list(dict.fromkeys(row.testset for row in here))
        columns = [*(name for name in testsets if name == MACRO), *(name for name in testsets if name != MACRO)]
        seeds: dict[tuple[str, str, str], str] = {}
        cells = []
        for row in here:
            system = row.ranker, row.recipe, row.llm
            words = (
                label_ranker(row.ranker),
                label_training(system, trained),
                seeds.setdefault(system, str(row.seeds)),
            )
            cells.append((words, row.testset, _format_cell(row, alpha)))
        heads = [AVERAGE if name == MACRO else name for name in columns]
        lines += format_section(
            measure, ["ranker", "training set", "seeds"], heads, pivot(cells, columns, {MACRO: LACKING})
        )
    if any(LACKING in text for text in lines):
        lines += [f"{LACKING}: no macro average, because the system was not measured on every test set.", ""]
    if any(row.seen for row in rows):
        averages = " Macro averages leave out every test set that any ranker saw." if where == "ood" else ""
        lines += wrap_paragraphs(f"{SEEN} the ranker's pretrained model was trained on this corpus.{averages}")
    if any(row.p is not None for row in rows):
        lines += wrap_paragraphs(
            f"{MARK} differs from the same ranker trained on recipe `{reference}`: p below {alpha:.3g}, two-sided, "
            "adjusted by Holm's method for all such tests of this table with the same ranker and measure, macro "
            f"averages included. {explain_test()} A value without {MARK} is not shown to be equal."
        )
    return lines


def _small_page(rows: Sequence[MainRow], alpha: float) -> list[str]:
    """Return the lines of the small table; empty if the rows have no such table."""
    table = small_table(rows, alpha, MARK)
    if table is None:
        return []
    lines = [f"**{table.title}**", "", *format_head(table.head[:1], table.head[1:]), *map(format_line, table.lines), ""]
    return [*lines, *wrap_paragraphs(*table.notes)]


def _format_cell(row: MainRow, alpha: float) -> str:
    mark = MARK if row.p_holm is not None and row.p_holm < alpha else ""
    return format_interval(row.mean, row.ci_low, row.ci_high) + mark + (SEEN if row.seen else "")
