"""The rows of the table of enrichment: human passages alone, with synthetic ones, with further human ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from synthrank.errors import DataError
from synthrank.places import SHOWN, Places, with_macro
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cell, Cells, System, cell_of
from synthrank.tables.paired import compare_all
from synthrank.tables.summary import summarise

ROLES = ("base", "control", "enriched")


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one system on one test set, with its difference to base and to control, where it is another."""

    distribution: str
    testset: str
    measure: str
    ranker: str
    role: str
    recipe: str
    llm: str
    mean: float
    std: float | None
    ci_low: float
    ci_high: float
    seeds: int
    queries: int
    delta_base: float | None = None
    delta_base_low: float | None = None
    delta_base_high: float | None = None
    p_base: float | None = None
    delta_control: float | None = None
    delta_control_low: float | None = None
    delta_control_high: float | None = None
    p_control: float | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The recipes of the table by their role; control has one or none."""

    base: str
    control: tuple[str, ...]
    enriched: tuple[str, ...]

    @property
    def roles(self) -> list[tuple[str, str]]:
        """Every recipe with its role, in the order of the table."""
        parts = zip(ROLES, ((self.base,), self.control, self.enriched), strict=True)
        return [(role, recipe) for role, recipes in parts for recipe in recipes]


def enrichment_rows(
    cells: Cells, places: Places, recipes: Compared, measures: Sequence[str], intervals: Intervals
) -> Iterator[Row]:
    """Yield a row for each distribution, test set (and their macro average), measure, ranker and system.

    Raises:
        DataError: a recipe was not scored at all, or not on a test set where the base was.
    """
    for _, recipe in recipes.roles:
        if not any(system[1] == recipe for system in cells):
            raise DataError(
                f"results/metrics: no scores of a ranker trained on recipe {recipe!r}, which the table of enrichment "
                "compares; remove their files and run again"
            )
    rankers = list(dict.fromkeys(ranker for ranker, recipe, _ in cells if recipe == recipes.base))
    for distribution in SHOWN:
        for label, names in with_macro(places.of(recipes.base, distribution), seen=places.seen(distribution)):
            for measure in measures:
                for ranker in rankers:
                    base = _systems(cells, ranker, recipes.base)[0]
                    if all((name, measure) in cells[base] for name in names):
                        spot = _Spot(cells, recipes, ranker, names, measure, intervals)
                        yield from spot.rows(distribution, label)


@dataclass(frozen=True, slots=True)
class _Spot:
    """One ranker on one test set, or on several for their macro average."""

    cells: Cells
    recipes: Compared
    ranker: str
    names: Sequence[str]
    measure: str
    intervals: Intervals

    def rows(self, distribution: str, label: str) -> Iterator[Row]:
        """Yield a row for each system."""
        for role, recipe in self.recipes.roles:
            for system in _systems(self.cells, self.ranker, recipe):
                found = summarise([cell.values for cell in self._values(system)], self.intervals)
                row = Row(
                    distribution, label, self.measure, self.ranker, role, recipe, system[2],
                    found.mean, found.std, found.ci_low, found.ci_high, found.seeds, found.queries,
                )  # fmt: skip
                if role != "base":
                    delta, low, high, p = self._difference(system, self.recipes.base)
                    row = replace(row, delta_base=delta, delta_base_low=low, delta_base_high=high, p_base=p)
                if role == "enriched" and self.recipes.control:
                    delta, low, high, p = self._difference(system, self.recipes.control[0])
                    row = replace(row, delta_control=delta, delta_control_low=low, delta_control_high=high, p_control=p)
                yield row

    def _difference(self, system: System, recipe: str) -> tuple[float, float, float, float]:
        """Return the mean difference to a recipe by the same LLM, or by its first, its interval and its p."""
        others = _systems(self.cells, self.ranker, recipe)
        other = next((item for item in others if item[2] == system[2]), others[0])
        pairs = list(zip(self._values(system), self._values(other), strict=True))
        (found,) = compare_all([pairs], self.intervals)
        return found.delta, found.low, found.high, found.p

    def _values(self, system: System) -> list[Cell]:
        return [cell_of(self.cells, system, name, self.measure) for name in self.names]


def _systems(cells: Cells, ranker: str, recipe: str) -> list[System]:
    """Return a ranker trained on a recipe, by every LLM.

    Raises:
        DataError: there is none.
    """
    found = [system for system in cells if system[:2] == (ranker, recipe)]
    if not found:
        raise DataError(
            f"results/metrics: no scores of ranker {ranker!r} trained on recipe {recipe!r}, which the table of "
            "enrichment compares; remove their files and run again"
        )
    return found
