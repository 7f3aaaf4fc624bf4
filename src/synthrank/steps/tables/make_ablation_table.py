"""Step make_ablation_table: compare systems that differ in one component with the first of them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synthrank.config.experiment import Intervals
from synthrank.stats.bootstrap import summarise
from synthrank.stats.paired import compare
from synthrank.stats.score_matrix import Cells, find_systems, get_cell, pick_llm, read_cells
from synthrank.steps.tables.labels import label_ranker, label_trainset
from synthrank.steps.tables.markdown import (
    explain_p,
    format_difference,
    format_interval,
    format_section,
    pivot,
    wrap_paragraphs,
)
from synthrank.steps.tables.tidy_csv import write_table


@dataclass(frozen=True, slots=True)
class AblationRow:
    """One measure of one system on one test set; ``reference`` is the system compared with, empty for the reference."""

    recipe: str
    llm: str
    ranker: str
    testset: str
    measure: str
    mean: float
    std: float | None
    ci_low: float
    ci_high: float
    seeds: int
    queries: int
    reference: str = ""
    delta: float | None = None
    p: float | None = None


def make_ablation_table(
    *,
    metrics: list[Path],
    ablation: str,
    recipes: list[str],
    rankers: list[str],
    measures: list[str],
    intervals: Intervals,
    scope: str,
    table: Path,
    markdown: Path,
) -> None:
    """Make the table of every recipe with every ranker, as tidy CSV and as Markdown.

    Args:
        metrics: the scores of every run.
        ablation: the name of the ablation.
        recipes: the recipes to compare; the first belongs to the reference.
        rankers: the rankers to compare; the first belongs to the reference.
        measures: the measures to show.
        intervals: settings of intervals and tests.
        scope: a sentence on the sources of variance.
        table: written: the table.
        markdown: written: its Markdown copy.

    Raises:
        DataError: a recipe has no scores with a ranker, or a system lacks a test set.
    """
    rows = list(_compare_systems(read_cells(metrics, measures), recipes, rankers, measures, intervals))
    write_table(table, markdown, AblationRow, rows, _write_page(rows, ablation, intervals), below=[scope])


def _compare_systems(
    cells: Cells, recipes: Sequence[str], rankers: Sequence[str], measures: Sequence[str], intervals: Intervals
) -> Iterator[AblationRow]:
    """Yield a row per test set, measure and system, in this order.

    The reference is the first recipe with the first ranker and the same LLM, or the first LLM if the reference has no
    such LLM. So a difference between two LLMs is not counted as an effect of the ablation.
    """
    systems = [
        system for recipe in recipes for ranker in rankers
        for system in find_systems(cells, recipe, ranker, table="the ablation")
    ]  # fmt: skip
    references = [system for system in systems if system[:2] == (rankers[0], recipes[0])]
    for testset in dict.fromkeys(testset for testset, _ in cells[systems[0]]):
        for measure in measures:
            for system in systems:
                ranker, recipe, llm = system
                cell = get_cell(cells, system, testset, measure)
                row = AblationRow(recipe, llm, ranker, testset, measure, **asdict(summarise([cell.values], intervals)))
                reference = pick_llm(references, llm)
                if system != reference:
                    found = compare(cell, get_cell(cells, reference, testset, measure), intervals)
                    name = "/".join((reference[1], reference[2], reference[0]))  # in the order of the columns
                    row = replace(row, reference=name, delta=found.delta, p=found.p)
                yield row


def _write_page(rows: Sequence[AblationRow], ablation: str, intervals: Intervals) -> list[str]:
    """Return the lines of the Markdown copy: one section per measure, one row per system, one column per test set."""
    lines = [f"# Ablation: {ablation}", "", *wrap_paragraphs(
        f"Each cell: mean over queries and seeds [{intervals.confidence:.0%} bootstrap interval over queries], then "
        "the difference to the reference: the first recipe with the first ranker and the same LLM, or the first LLM "
        f"if the reference has no such LLM. {explain_p()}"
    )]  # fmt: skip
    for measure in dict.fromkeys(row.measure for row in rows):
        here = [row for row in rows if row.measure == measure]
        testsets = list(dict.fromkeys(row.testset for row in here))
        cells = (
            (
                (label_trainset(row.recipe, row.llm), label_ranker(row.ranker), str(row.seeds)),
                row.testset,
                _format_cell(row),
            )
            for row in here
        )
        lines += format_section(measure, ["training set", "ranker", "seeds"], testsets, pivot(cells, testsets))
    return lines


def _format_cell(row: AblationRow) -> str:
    return f"{format_interval(row.mean, row.ci_low, row.ci_high)}, {format_difference(row.delta, row.p) or 'reference'}"
