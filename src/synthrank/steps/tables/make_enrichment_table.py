"""Step make_enrichment_table: compare adding generated passages to human passages with adding more human passages."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synthrank.config.distribution import MACRO, SHOWN, TITLES, Places, add_macro_average
from synthrank.config.experiment import Intervals
from synthrank.stats.bootstrap import summarise
from synthrank.stats.paired import Paired, compare_all
from synthrank.stats.score_matrix import Cell, Cells, System, find_systems, get_cell, pick_llm, read_cells
from synthrank.steps.tables.labels import AVERAGE, label_ranker, label_trainset
from synthrank.steps.tables.markdown import (
    explain_p,
    format_interval,
    format_line,
    format_p,
    format_section,
    wrap_paragraphs,
)
from synthrank.steps.tables.notes import note_dropped_pairs, note_unequal_budgets, note_unmeasured
from synthrank.steps.tables.tidy_csv import write_table


@dataclass(frozen=True, slots=True)
class EnrichmentRow:
    """One measure of one system on one test set, with its differences to the base and to the control."""

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


def make_enrichment_table(
    *,
    metrics: list[Path],
    answers: list[Path],
    selected: list[str],
    recipes: list[Path],
    testsets: list[Path],
    seen: list[str],
    base: str,
    control: list[str],
    enriched: list[str],
    added: str,
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
        recipes: the entity files of the recipes to compare.
        testsets: the entity files of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another corpus; none by default.
        seen: ``RANKER=TESTSET`` for each ranker whose pretrained model was trained on the test set's corpus.
        base: the recipe of only human passages.
        control: the recipe with more human passages; at most one.
        enriched: the recipes with human and other passages.
        added: the adjective for these other passages, such as ``reworded``.
        measures: the measures to show.
        intervals: settings of intervals and tests.
        trainsets: the counts of every training set.
        rankers: the entity files of the rankers.
        scope: a sentence on the sources of variance.
        table: written: the table.
        markdown: written: its Markdown copy.

    Raises:
        DataError: a recipe has no scores, or lacks a test set of the base.
    """
    compared = RecipeRoles(base, tuple(control), tuple(enriched))
    cells = read_cells(metrics, measures)
    rows = list(_compare_recipes(cells, Places(recipes, testsets, origins, seen), compared, measures, intervals))
    short = note_unmeasured(metrics, measures, cells, [path.stem for path in testsets])
    below = [scope, *note_unequal_budgets(trainsets, rankers), *note_dropped_pairs(trainsets), *selected, *short]
    write_table(
        table,
        markdown,
        EnrichmentRow,
        rows,
        _write_page(rows, compared, added, intervals),
        answers=answers,
        below=below,
    )


@dataclass(frozen=True, slots=True)
class RecipeRoles:
    """The recipes of the table by role; there is at most one control."""

    base: str
    control: tuple[str, ...]
    enriched: tuple[str, ...]

    @property
    def roles(self) -> list[tuple[str, str]]:
        """All recipes with their roles, in the order of the table."""
        parts = {"base": (self.base,), "control": self.control, "enriched": self.enriched}
        return [(role, recipe) for role, recipes in parts.items() for recipe in recipes]


def _compare_recipes(
    cells: Cells, places: Places, recipes: RecipeRoles, measures: Sequence[str], intervals: Intervals
) -> Iterator[EnrichmentRow]:
    """Yield a row per distribution, test set or macro average, measure, ranker and system."""
    by_role = [find_systems(cells, recipe, table="the table of enrichment") for _, recipe in recipes.roles]
    for distribution in SHOWN:
        for label, names in add_macro_average(places.of(recipes.base, distribution), seen=places.seen(distribution)):
            for measure in measures:
                for ranker in dict.fromkeys(ranker for ranker, *_ in by_role[0]):
                    spot = _Spot(cells, recipes, ranker, names, measure, intervals)
                    base = spot.systems(recipes.base)[0]
                    if all((name, measure) in cells[base] for name in names):
                        yield from spot.rows(distribution, label)


@dataclass(frozen=True, slots=True)
class _Spot:
    """One ranker on one test set, or on the test sets of a macro average."""

    cells: Cells
    recipes: RecipeRoles
    ranker: str
    names: Sequence[str]
    measure: str
    intervals: Intervals

    def rows(self, distribution: str, label: str) -> Iterator[EnrichmentRow]:
        """Yield a row per system."""
        for role, recipe in self.recipes.roles:
            for system in self.systems(recipe):
                found = summarise([cell.values for cell in self._values(system)], self.intervals)
                row = EnrichmentRow(
                    distribution, label, self.measure, self.ranker, role, recipe, system[2], **asdict(found)
                )
                if role != "base":
                    to = self._difference(system, self.recipes.base)
                    row = replace(row, delta_base=to.delta, delta_base_low=to.low, delta_base_high=to.high, p_base=to.p)
                if role == "enriched" and self.recipes.control:
                    to = self._difference(system, self.recipes.control[0])
                    row = replace(
                        row, delta_control=to.delta, delta_control_low=to.low, delta_control_high=to.high,
                        p_control=to.p,
                    )  # fmt: skip
                yield row

    def systems(self, recipe: str) -> list[System]:
        """Return the ranker trained on a recipe, once per LLM."""
        return find_systems(self.cells, recipe, self.ranker, table="the table of enrichment")

    def _difference(self, system: System, recipe: str) -> Paired:
        """Return the system's difference to another recipe: with the same LLM, or with that recipe's first LLM."""
        other = pick_llm(self.systems(recipe), system[2])
        return compare_all([list(zip(self._values(system), self._values(other), strict=True))], self.intervals)[0]

    def _values(self, system: System) -> list[Cell]:
        return [get_cell(self.cells, system, name, self.measure) for name in self.names]


def _write_page(rows: Sequence[EnrichmentRow], recipes: RecipeRoles, added: str, intervals: Intervals) -> list[str]:
    """Return the lines of the Markdown copy: a section per distribution and measure, a row per system and test set."""
    control = f"human passages with as many more human passages ({recipes.control[0]}), " if recipes.control else ""
    lines = ["# Enrichment", "", *wrap_paragraphs(
        f"Only human passages ({recipes.base}), {control}and human passages with {added} passages "
        f"({', '.join(recipes.enriched)}). Each value: mean over queries and seeds [{intervals.confidence:.0%} "
        "bootstrap interval over queries]. Each difference: mean [interval of differences that its test does not "
        "reject] p. A gain over the base may come from more passages of any kind. The difference to the control is "
        f"the effect of {added} passages beyond that.",
        explain_p(),
    )]  # fmt: skip
    words = ["test set", "ranker", "training set"]
    for distribution, measure in dict.fromkeys((row.distribution, row.measure) for row in rows):
        numbers = [measure, "std", "seeds", "queries", f"difference to {recipes.base}"]
        numbers += [f"difference to {name}" for name in recipes.control]
        here = (
            _format_row(row, bool(recipes.control))
            for row in rows
            if (row.distribution, row.measure) == (distribution, measure)
        )
        lines += format_section(f"{TITLES[distribution]}: {measure}", words, numbers, here)
    return lines


def _format_row(row: EnrichmentRow, has_control: bool) -> str:
    to_control = _difference(row.delta_control, row.delta_control_low, row.delta_control_high, row.p_control)
    return format_line(
        [AVERAGE if row.testset == MACRO else row.testset, label_ranker(row.ranker),
         label_trainset(row.recipe, row.llm), format_interval(row.mean, row.ci_low, row.ci_high),
         "" if row.std is None else f"{row.std:.4f}", str(row.seeds), str(row.queries),
         _difference(row.delta_base, row.delta_base_low, row.delta_base_high, row.p_base),
         *([to_control] if has_control else [])]
    )  # fmt: skip


def _difference(delta: float | None, low: float | None, high: float | None, p: float | None) -> str:
    if delta is None or low is None or high is None or p is None:
        return ""
    return f"{delta:+.3f} [{low:+.3f}, {high:+.3f}] p {format_p(p)}"
