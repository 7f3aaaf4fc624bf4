"""Step make_sizes_table: what more training queries change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synthrank.places import SHOWN, TITLES, Places, with_macro
from synthrank.specs.base import load
from synthrank.specs.experiment import Intervals
from synthrank.specs.recipes import RecipeSpec
from synthrank.tables.cells import Cells, System, read_cells, systems_of
from synthrank.tables.notes import dropped_pairs, not_measured, unequal_budgets
from synthrank.tables.pipes import interval, paragraphs, pivoted, section
from synthrank.tables.summary import summarise
from synthrank.tables.tidy import write_table


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
    intervals: Intervals,
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
        intervals: how intervals are made.
        trainsets: what was counted of every training set.
        rankers: the entity files of the rankers.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a recipe was not scored at some size.
    """
    own = {path.stem: load(RecipeSpec, path).size for path in specs}
    sizes = {name: {f"{name}@{size}": size for size in queries} | {name: own[name]} for name in recipes}
    cells = read_cells(metrics, measures)
    rows = list(_rows(cells, Places(specs, testsets, origins, seen), sizes, measures, intervals))
    short = not_measured(metrics, measures, cells, [path.stem for path in testsets])
    below = [scope, *unequal_budgets(trainsets, rankers), *dropped_pairs(trainsets), *selected, *short]
    write_table(table, markdown, Row, rows, _page(rows, intervals), answers=answers, below=below)


def _rows(
    cells: Cells,
    places: Places,
    sizes: Mapping[str, Mapping[str, int]],
    measures: Sequence[str],
    intervals: Intervals,
) -> Iterator[Row]:
    """Yield a row for each distribution, recipe, test set (and their macro average), measure, ranker, LLM and size.

    Args:
        cells: the values of every system.
        places: which test sets are in distribution.
        sizes: for each recipe what it is called at each size.
        measures: what is shown.
        intervals: how intervals are made.
    """
    for distribution in SHOWN:
        for recipe, named in sizes.items():
            systems = _systems(cells, named)
            for label, names in with_macro(places.of(recipe, distribution), seen=places.seen(distribution)):
                for measure in measures:
                    for size, system in systems:
                        of_system = cells[system]
                        if not all((name, measure) in of_system for name in names):
                            continue  # a fused run, which is only where its first stage is reordered
                        found = summarise([of_system[name, measure].values for name in names], intervals)
                        key = distribution, label, measure, system[0], recipe, system[2]
                        yield Row(*key, size, **asdict(found))


def _systems(cells: Cells, named: Mapping[str, int]) -> list[tuple[int, System]]:
    """Return every ranker and LLM of a recipe at each size, the sizes of one system together and rising."""
    found = [
        (size, system) for name, size in sorted(named.items(), key=lambda item: item[1])
        for system in systems_of(cells, name, table="the table of sizes")
    ]  # fmt: skip
    order = list(dict.fromkeys((ranker, llm) for _, (ranker, _, llm) in found))
    return sorted(found, key=lambda item: order.index((item[1][0], item[1][2])))


def _page(rows: Sequence[Row], intervals: Intervals) -> list[str]:
    """Return the lines for reading: one section a distribution and measure, one column a size."""
    sizes = [f"{size:,}" for size in sorted({row.size for row in rows})]
    lines = ["# Sizes", "", *paragraphs(
        "Effect of the number of training queries of each paradigm; a smaller sample is part of a larger one. Each "
        f"cell: mean over queries and seeds [{intervals.confidence:.0%} bootstrap interval over queries]. Nothing is "
        "tested here."
    )]  # fmt: skip
    for distribution, measure in dict.fromkeys((row.distribution, row.measure) for row in rows):
        cells = (
            ((row.testset, row.ranker, row.recipe, row.llm, str(row.seeds)), f"{row.size:,}",
             interval(row.mean, row.ci_low, row.ci_high))
            for row in rows if (row.distribution, row.measure) == (distribution, measure)
        )  # fmt: skip
        title, words = f"{TITLES[distribution]}: {measure}", ["test set", "ranker", "recipe", "llm", "seeds"]
        lines += section(title, words, sizes, pivoted(cells, sizes))
    return lines
