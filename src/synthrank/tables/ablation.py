"""The rows of an ablation's table: every recipe with every ranker, against the first of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from synthrank.errors import DataError
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cells, System, cell_of
from synthrank.tables.paired import compare
from synthrank.tables.summary import summarise


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


def ablation_rows(
    cells: Cells, recipes: Sequence[str], rankers: Sequence[str], measures: Sequence[str], intervals: Intervals
) -> Iterator[Row]:
    """Yield a row for each test set, measure and system, in this order.

    The reference is the first recipe with the first ranker, by the same LLM, or by the first where that LLM made none:
    so systems of two LLMs are not taken for systems that differ in the ablated thing.

    Raises:
        DataError: a recipe was not scored with a ranker, or a system not on every test set.
    """
    systems = [system for recipe in recipes for ranker in rankers for system in _made(cells, recipe, ranker)]
    references = [system for system in systems if system[:2] == (rankers[0], recipes[0])]
    for testset in dict.fromkeys(testset for testset, _ in cells[systems[0]]):
        for measure in measures:
            for system in systems:
                reference = next((item for item in references if item[2] == system[2]), references[0])
                yield _row(cells, system, reference, testset, measure, intervals)


def _made(cells: Cells, recipe: str, ranker: str) -> list[System]:
    """Return a ranker trained on a recipe, by every LLM; fused runs are left out."""
    found = [system for system in cells if system[:2] == (ranker, recipe)]
    if not found:
        raise DataError(
            f"results/metrics: no scores of ranker {ranker!r} trained on recipe {recipe!r}, which the ablation "
            "compares; remove their files and run again"
        )
    return found


def _row(cells: Cells, system: System, reference: System, testset: str, measure: str, intervals: Intervals) -> Row:
    ranker, recipe, llm = system
    cell = cell_of(cells, system, testset, measure)
    mean = summarise([cell.values], intervals)
    row = Row(
        recipe, llm, ranker, testset, measure, mean.mean, mean.std, mean.ci_low, mean.ci_high, mean.seeds, mean.queries
    )
    if system == reference:
        return row
    found = compare(cell, cell_of(cells, reference, testset, measure), intervals)
    return replace(row, reference=name_of(reference), delta=found.delta, p=found.p)


def name_of(system: System) -> str:
    """Return a system as ``recipe/llm/ranker``, the order of the table's columns."""
    ranker, recipe, llm = system
    return f"{recipe}/{llm}/{ranker}"
