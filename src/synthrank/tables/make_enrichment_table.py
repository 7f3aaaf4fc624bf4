"""Step make_enrichment_table: what synthetic passages add to human ones, beside as many further human ones."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synthrank.places import SHOWN, TITLES, Places, with_macro
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cell, Cells, System, cell_of, of_llm, read_cells, systems_of
from synthrank.tables.notes import dropped_pairs, not_measured, unequal_budgets
from synthrank.tables.paired import Paired, compare_all
from synthrank.tables.pipes import chance, interval, line, paragraphs, section, what_p_is
from synthrank.tables.summary import summarise
from synthrank.tables.tidy import write_table


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
    """Make the table, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run.
        answers: how many passages of each training set answer test queries, where any can.
        selected: sentences on the rankers whose settings were chosen.
        recipes: the entity files of the recipes that are compared.
        testsets: those of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another one; none by default.
        seen: RANKER=TESTSET where a ranker's pretrained model was trained on the test set's corpus.
        base: the recipe of human passages alone.
        control: the one with further human passages; none or one.
        enriched: those with other passages too.
        added: what these other passages are called, such as ``reworded``.
        measures: what is shown of what was measured.
        intervals: how intervals and p are made.
        trainsets: what was counted of every training set.
        rankers: the entity files of the rankers.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a recipe was not scored at all, or not on a test set where the base was.
    """
    compared = Compared(base, tuple(control), tuple(enriched))
    cells = read_cells(metrics, measures)
    rows = list(_rows(cells, Places(recipes, testsets, origins, seen), compared, measures, intervals))
    short = not_measured(metrics, measures, cells, [path.stem for path in testsets])
    below = [scope, *unequal_budgets(trainsets, rankers), *dropped_pairs(trainsets), *selected, *short]
    write_table(table, markdown, Row, rows, _page(rows, compared, added, intervals), answers=answers, below=below)


@dataclass(frozen=True, slots=True)
class Compared:
    """The recipes of the table by their role; control has one or none."""

    base: str
    control: tuple[str, ...]
    enriched: tuple[str, ...]

    @property
    def roles(self) -> list[tuple[str, str]]:
        """Every recipe with its role, in the order of the table."""
        parts = {"base": (self.base,), "control": self.control, "enriched": self.enriched}
        return [(role, recipe) for role, recipes in parts.items() for recipe in recipes]


def _rows(
    cells: Cells, places: Places, recipes: Compared, measures: Sequence[str], intervals: Intervals
) -> Iterator[Row]:
    """Yield a row for each distribution, test set (and their macro average), measure, ranker and system."""
    by_role = [systems_of(cells, recipe, table="the table of enrichment") for _, recipe in recipes.roles]
    for distribution in SHOWN:
        for label, names in with_macro(places.of(recipes.base, distribution), seen=places.seen(distribution)):
            for measure in measures:
                for ranker in dict.fromkeys(ranker for ranker, *_ in by_role[0]):
                    spot = _Spot(cells, recipes, ranker, names, measure, intervals)
                    base = spot.systems(recipes.base)[0]
                    if all((name, measure) in cells[base] for name in names):
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
            for system in self.systems(recipe):
                found = summarise([cell.values for cell in self._values(system)], self.intervals)
                row = Row(distribution, label, self.measure, self.ranker, role, recipe, system[2], **asdict(found))
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
        """Return the ranker trained on a recipe, by every LLM."""
        return systems_of(self.cells, recipe, self.ranker, table="the table of enrichment")

    def _difference(self, system: System, recipe: str) -> Paired:
        """Return the difference to a recipe by the same LLM, or by its first."""
        other = of_llm(self.systems(recipe), system[2])
        return compare_all([list(zip(self._values(system), self._values(other), strict=True))], self.intervals)[0]

    def _values(self, system: System) -> list[Cell]:
        return [cell_of(self.cells, system, name, self.measure) for name in self.names]


def _page(rows: Sequence[Row], recipes: Compared, added: str, intervals: Intervals) -> list[str]:
    """Return the lines for reading: one section a distribution and measure, one row a system and test set."""
    against = f"as many further human passages ({recipes.control[0]})" if recipes.control else "nothing else"
    lines = ["# Enrichment", "", *paragraphs(
        f"Human passages alone ({recipes.base}), {against}, and human passages with {added} ones "
        f"({', '.join(recipes.enriched)}). Each value: mean over queries and seeds [{intervals.confidence:.0%} "
        "bootstrap interval over queries]; each difference: mean [interval that its test does not reject] p. A gain "
        "over the base alone may come from more passages of any kind; the difference to the control says what "
        f"{added} passages add beyond that.",
        what_p_is(),
    )]  # fmt: skip
    words = ["test set", "ranker", "recipe", "llm"]
    for distribution, measure in dict.fromkeys((row.distribution, row.measure) for row in rows):
        numbers = [measure, "spread", "seeds", "queries", "to base", "to control"]
        here = (_line(row) for row in rows if (row.distribution, row.measure) == (distribution, measure))
        lines += section(f"{TITLES[distribution]}: {measure}", words, numbers, here)
    return lines


def _line(row: Row) -> str:
    return line(
        [row.testset, row.ranker, row.recipe, row.llm, interval(row.mean, row.ci_low, row.ci_high),
         "" if row.std is None else f"{row.std:.4f}", str(row.seeds), str(row.queries),
         _difference(row.delta_base, row.delta_base_low, row.delta_base_high, row.p_base),
         _difference(row.delta_control, row.delta_control_low, row.delta_control_high, row.p_control)]
    )  # fmt: skip


def _difference(delta: float | None, low: float | None, high: float | None, p: float | None) -> str:
    if delta is None or low is None or high is None or p is None:
        return ""
    return f"{delta:+.3f} [{low:+.3f}, {high:+.3f}] p {chance(p)}"
