"""Step make_ablation_table: systems that differ in one thing, against the first of them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cells, cell_of, of_llm, read_cells, systems_of
from synthrank.tables.paired import compare
from synthrank.tables.pipes import difference, interval, paragraphs, pivoted, section, what_p_is
from synthrank.tables.summary import summarise
from synthrank.tables.tidy import write_table


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one system on one test set; ``reference`` is what it is compared with, empty for itself."""

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
    """Make the table of every recipe with every ranker, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run.
        ablation: its name.
        recipes: what it compares; the first belongs to the reference.
        rankers: the same of rankers.
        measures: what is shown of what was measured.
        intervals: how intervals and p are made.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a recipe was not scored with a ranker, or a system not on every test set.
    """
    rows = list(_rows(read_cells(metrics, measures), recipes, rankers, measures, intervals))
    write_table(table, markdown, Row, rows, _page(rows, ablation, intervals), below=[scope])


def _rows(
    cells: Cells, recipes: Sequence[str], rankers: Sequence[str], measures: Sequence[str], intervals: Intervals
) -> Iterator[Row]:
    """Yield a row for each test set, measure and system, in this order.

    The reference is the first recipe with the first ranker, by the same LLM, or by the first where that LLM made none:
    so systems of two LLMs are not taken for systems that differ in the ablated thing.
    """
    systems = [
        system for recipe in recipes for ranker in rankers
        for system in systems_of(cells, recipe, ranker, table="the ablation")
    ]  # fmt: skip
    references = [system for system in systems if system[:2] == (rankers[0], recipes[0])]
    for testset in dict.fromkeys(testset for testset, _ in cells[systems[0]]):
        for measure in measures:
            for system in systems:
                ranker, recipe, llm = system
                cell = cell_of(cells, system, testset, measure)
                row = Row(recipe, llm, ranker, testset, measure, **asdict(summarise([cell.values], intervals)))
                reference = of_llm(references, llm)
                if system != reference:
                    found = compare(cell, cell_of(cells, reference, testset, measure), intervals)
                    name = "/".join((reference[1], reference[2], reference[0]))  # in the order of the columns
                    row = replace(row, reference=name, delta=found.delta, p=found.p)
                yield row


def _page(rows: Sequence[Row], ablation: str, intervals: Intervals) -> list[str]:
    """Return the lines for reading: one section a measure, one row a system, one column a test set."""
    lines = [f"# Ablation: {ablation}", "", *paragraphs(
        f"Each cell: mean over queries and seeds [{intervals.confidence:.0%} bootstrap interval over queries], then "
        "the difference to the reference, which is the first recipe with the first ranker by the same LLM, or by "
        f"the first where that LLM made none. {what_p_is()}"
    )]  # fmt: skip
    for measure in dict.fromkeys(row.measure for row in rows):
        here = [row for row in rows if row.measure == measure]
        testsets = list(dict.fromkeys(row.testset for row in here))
        cells = (((row.recipe, row.llm, row.ranker, str(row.seeds)), row.testset, _cell(row)) for row in here)
        lines += section(measure, ["recipe", "llm", "ranker", "seeds"], testsets, pivoted(cells, testsets))
    return lines


def _cell(row: Row) -> str:
    return f"{interval(row.mean, row.ci_low, row.ci_high)}, {difference(row.delta, row.p) or 'reference'}"
