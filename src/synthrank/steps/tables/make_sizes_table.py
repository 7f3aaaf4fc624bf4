"""Step make_sizes_table: measure the effect of the number of training queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.distribution import MACRO, SHOWN, TITLES, Places, add_macro_average
from synthrank.config.experiment import Intervals
from synthrank.config.recipes import RecipeSpec
from synthrank.stats.bootstrap import summarise
from synthrank.stats.score_matrix import Cells, System, find_systems, read_cells
from synthrank.steps.tables.labels import AVERAGE, label_ranker, label_trainset
from synthrank.steps.tables.markdown import format_interval, format_section, pivot, wrap_paragraphs
from synthrank.steps.tables.notes import note_dropped_pairs, note_unequal_budgets, note_unmeasured
from synthrank.steps.tables.tidy_csv import write_table


@dataclass(frozen=True, slots=True)
class SizesRow:
    """One measure of one system on one test set; ``size`` is the number of training queries per paradigm.

    If a recipe's file states different numbers for its paradigms, its size is the largest.
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
    """Make the table as tidy CSV and as Markdown.

    Args:
        metrics: the scores of every run.
        answers: per training set, the number of its passages that answer test queries, for corpora that allow it.
        selected: sentences on the rankers whose settings were selected.
        specs: the entity files of the recipes.
        testsets: the entity files of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another corpus; none by default.
        seen: ``RANKER=TESTSET`` for each ranker whose pretrained model was trained on the test set's corpus.
        recipes: the names of the recipes.
        queries: the sizes besides the recipes' own, in training queries per paradigm.
        measures: the measures to show.
        intervals: settings of intervals.
        trainsets: the counts of every training set.
        rankers: the entity files of the rankers.
        scope: a sentence on the sources of variance.
        table: written: the table.
        markdown: written: its Markdown copy.

    Raises:
        DataError: a recipe has no scores at some size.
    """
    own = {path.stem: load(RecipeSpec, path).size for path in specs}
    sizes = {name: {f"{name}@{size}": size for size in queries} | {name: own[name]} for name in recipes}
    cells = read_cells(metrics, measures)
    rows = list(_measure_sizes(cells, Places(specs, testsets, origins, seen), sizes, measures, intervals))
    short = note_unmeasured(metrics, measures, cells, [path.stem for path in testsets])
    below = [scope, *note_unequal_budgets(trainsets, rankers), *note_dropped_pairs(trainsets), *selected, *short]
    write_table(table, markdown, SizesRow, rows, _write_page(rows, intervals), answers=answers, below=below)


def _measure_sizes(
    cells: Cells,
    places: Places,
    sizes: Mapping[str, Mapping[str, int]],
    measures: Sequence[str],
    intervals: Intervals,
) -> Iterator[SizesRow]:
    """Yield a row per distribution, recipe, test set or macro average, measure, ranker, LLM and size.

    Args:
        cells: the values of every system.
        places: the test sets in and out of distribution.
        sizes: per recipe, the size of each of its names.
        measures: the measures to show.
        intervals: settings of intervals.
    """
    for distribution in SHOWN:
        for recipe, named in sizes.items():
            systems = _list_systems(cells, named)
            for label, names in add_macro_average(places.of(recipe, distribution), seen=places.seen(distribution)):
                for measure in measures:
                    for size, system in systems:
                        of_system = cells[system]
                        if not all((name, measure) in of_system for name in names):
                            continue  # fused runs exist only where their first stage is reordered
                        found = summarise([of_system[name, measure].values for name in names], intervals)
                        key = distribution, label, measure, system[0], recipe, system[2]
                        yield SizesRow(*key, size, **asdict(found))


def _list_systems(cells: Cells, named: Mapping[str, int]) -> list[tuple[int, System]]:
    """Return every ranker and LLM of a recipe at each size; the sizes of a system are adjacent and increasing."""
    found = [
        (size, system) for name, size in sorted(named.items(), key=lambda item: item[1])
        for system in find_systems(cells, name, table="the table of sizes")
    ]  # fmt: skip
    order = list(dict.fromkeys((ranker, llm) for _, (ranker, _, llm) in found))
    return sorted(found, key=lambda item: order.index((item[1][0], item[1][2])))


def _write_page(rows: Sequence[SizesRow], intervals: Intervals) -> list[str]:
    """Return the lines of the Markdown copy: one section per distribution and measure, one column per size."""
    sizes = [f"{size:,}" for size in sorted({row.size for row in rows})]
    lines = ["# Sizes", "", *wrap_paragraphs(
        "Effect of the number of training queries per paradigm. A larger sample contains every smaller one. Each "
        f"cell: mean over queries and seeds [{intervals.confidence:.0%} bootstrap interval over queries]. The table "
        "has no tests."
    )]  # fmt: skip
    for distribution, measure in dict.fromkeys((row.distribution, row.measure) for row in rows):
        cells = (
            ((AVERAGE if row.testset == MACRO else row.testset, label_ranker(row.ranker),
              label_trainset(row.recipe, row.llm), str(row.seeds)), f"{row.size:,}",
             format_interval(row.mean, row.ci_low, row.ci_high))
            for row in rows if (row.distribution, row.measure) == (distribution, measure)
        )  # fmt: skip
        title, words = f"{TITLES[distribution]}: {measure}", ["test set", "ranker", "training set", "seeds"]
        lines += format_section(title, words, sizes, pivot(cells, sizes))
    return lines
