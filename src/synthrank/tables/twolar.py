"""The rows of the distillation study's table: measured systems, and what publications report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synthrank.specs.base import NONE
from synthrank.specs.experiment import Intervals
from synthrank.specs.published import PublishedSpec
from synthrank.tables.cells import Cells, System, cell_of
from synthrank.tables.paired import compare
from synthrank.tables.summary import summarise
from synthrank.tables.systems import Systems


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one system on one test set.

    ``delta_first_stage`` is the mean difference to the run that the system reorders, ``delta_untrained`` to the same
    system before training; each with its p. ``first_stage`` is none for a first stage itself and for what searches.
    """

    kind: str
    system: str
    recipe: str
    llm: str
    model: str
    first_stage: str
    depth: int | None
    testset: str
    measure: str
    value: float
    std: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    seeds: int | None = None
    queries: int | None = None
    delta_first_stage: float | None = None
    p_first_stage: float | None = None
    delta_untrained: float | None = None
    p_untrained: float | None = None
    source: str = ""
    certainty: str = ""


def measured_rows(cells: Cells, systems: Systems, measures: Sequence[str], intervals: Intervals) -> Iterator[Row]:
    """Yield a row for each test set, measure and system, in this order.

    Raises:
        DataError: a system, or what it is compared with, was not measured on a test set.
    """
    for testset in systems.testsets:
        for measure in measures:
            for system in cells:
                # A first stage is measured where some ranker reorders its run, and fused where one did.
                if system[0] in systems.rankers or (testset, measure) in cells[system]:
                    yield _measured(cells, system, testset, measure, systems, intervals)


def _measured(cells: Cells, system: System, testset: str, measure: str, systems: Systems, intervals: Intervals) -> Row:
    name, recipe, llm = system
    cell = cell_of(cells, system, testset, measure)
    is_a = systems.describe(name, testset)
    mean = summarise([cell.values], intervals)

    def to(other: str) -> tuple[float, float]:
        found = compare(cell, cell_of(cells, (other, NONE, NONE), testset, measure), intervals)
        return found.delta, found.p

    to_first_stage = to(is_a.first_stage) if is_a.first_stage != NONE else (None, None)
    to_untrained = to(name) if recipe != NONE else (None, None)
    return Row(
        "measured", name, recipe, llm, is_a.model, is_a.first_stage, is_a.depth, testset, measure,
        mean.mean, mean.std, mean.ci_low, mean.ci_high, mean.seeds, mean.queries,
        *to_first_stage, *to_untrained,
    )  # fmt: skip


def published_rows(published: PublishedSpec) -> Iterator[Row]:
    """Yield a row for each published figure, in the order of the file."""
    for item in published.results:
        for testset, values in item.values.items():
            for measure, value in values.items():
                yield Row(
                    "published", item.method, "", "", item.model, item.first_stage, item.depth, testset, measure,
                    value, source=item.source, certainty=item.certainty,
                )  # fmt: skip
