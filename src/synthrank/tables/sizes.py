"""The rows of the table of sizes: each recipe at each number of training queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from synthrank.errors import DataError
from synthrank.places import SHOWN, Places, with_macro
from synthrank.specs.experiment import Intervals, Sizes
from synthrank.tables.cells import Cells, System
from synthrank.tables.summary import summarise


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one system on one test set; ``size`` is the number of training queries of each paradigm.

    Where a recipe's file states other numbers for other paradigms, its own size is the largest of them.
    """

    distribution: str
    testset: str
    measure: str
    ranker: str
    recipe: str
    llm: str
    size: int
    mean: float
    std: float | None
    ci_low: float
    ci_high: float
    seeds: int
    queries: int


def size_rows(
    cells: Cells, places: Places, sizes: Sizes, own: Mapping[str, int], measures: Sequence[str], intervals: Intervals
) -> Iterator[Row]:
    """Yield a row for each distribution, recipe, test set (and their macro average), measure, ranker, LLM and size.

    Args:
        cells: the values of every system.
        places: which test sets are in distribution.
        sizes: the recipes and their sizes.
        own: for each recipe the size that its file states.
        measures: what is shown.
        intervals: how intervals are made.

    Raises:
        DataError: a recipe was not scored at some size.
    """
    for distribution in SHOWN:
        for recipe in sizes.recipes:
            named = {f"{recipe}@{size}": size for size in sizes.queries} | {recipe: own[recipe]}
            systems = _systems(cells, dict(sorted(named.items(), key=lambda item: item[1])))
            for label, names in with_macro(places.of(recipe, distribution), seen=places.seen(distribution)):
                for measure in measures:
                    for size, system in systems:
                        of_system = cells[system]
                        if not all((name, measure) in of_system for name in names):
                            continue  # a fused run, which is only where its first stage is reordered
                        found = summarise([of_system[name, measure].values for name in names], intervals)
                        yield Row(
                            distribution, label, measure, system[0], recipe, system[2], size,
                            found.mean, found.std, found.ci_low, found.ci_high, found.seeds, found.queries,
                        )  # fmt: skip


def _systems(cells: Cells, size_of: Mapping[str, int]) -> list[tuple[int, System]]:
    """Return every ranker and LLM of a recipe at each size, sizes of one system together."""
    found: list[tuple[int, System]] = []
    for name, size in size_of.items():
        of_size = [(size, system) for system in cells if system[1] == name]
        if not of_size:
            raise DataError(
                f"results/metrics: no scores of a ranker trained on recipe {name!r}, which the table of sizes "
                "compares; remove their files and run again"
            )
        found += of_size
    order = list(dict.fromkeys((ranker, llm) for _, (ranker, _, llm) in found))
    return sorted(found, key=lambda item: order.index((item[1][0], item[1][2])))
