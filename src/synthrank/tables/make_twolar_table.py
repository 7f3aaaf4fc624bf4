"""Step make_twolar_table: the distillation study's systems beside published figures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.specs.base import NONE, load
from synthrank.specs.experiment import Intervals
from synthrank.specs.published import PublishedSpec
from synthrank.tables.cells import Cells, System, cell_of, read_cells
from synthrank.tables.paired import compare
from synthrank.tables.pipes import difference, interval, line, paragraphs, section, what_p_is
from synthrank.tables.summary import summarise
from synthrank.tables.systems import Systems
from synthrank.tables.tidy import write_table

HEADLINE = "nDCG@10"
"""The measure that rows are sorted by and differences are shown for, if it was measured; else the first measure."""


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


def make_twolar_table(
    *,
    metrics: list[Path],
    rankers: list[Path],
    retrievers: list[Path],
    testsets: list[Path],
    published: list[Path],
    measures: list[str],
    intervals: Intervals,
    scope: str,
    table: Path,
    markdown: Path,
) -> None:
    """Make the table, tidy as CSV and, for reading, as Markdown.

    First stages, and students untrained and trained, alone and fused, are measured; each student is compared with the
    run that it reorders and with itself untrained. Published figures are shown, and compared with nothing.

    Args:
        metrics: the scores of every run.
        rankers: the entity files of the students, and of the rankers that they start from.
        retrievers: those of the first stages.
        testsets: those of the test sets.
        published: those of published figures; none or one.
        measures: what is shown of what was measured.
        intervals: how intervals and p are made.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a system, or what it is compared with, was not measured on a test set.
    """
    systems = Systems(rankers, retrievers, testsets)
    rows = list(_measured(read_cells(metrics, measures), systems, measures, intervals))
    for path in published:
        rows += _published(load(PublishedSpec, path))
    write_table(table, markdown, Row, rows, _page(rows, measures, intervals), below=[scope])


def _measured(cells: Cells, systems: Systems, measures: Sequence[str], intervals: Intervals) -> Iterator[Row]:
    """Yield a row for each test set, measure and system, in this order."""
    for testset in systems.testsets:
        for measure in measures:
            for system in cells:
                # A first stage is measured where some ranker reorders its run, and fused where one did.
                if system[0] in systems.rankers or (testset, measure) in cells[system]:
                    yield _row(cells, system, testset, measure, systems, intervals)


def _row(cells: Cells, system: System, testset: str, measure: str, systems: Systems, intervals: Intervals) -> Row:
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


def _published(published: PublishedSpec) -> Iterator[Row]:
    """Yield a row for each published figure, in the order of the file."""
    for item in published.results:
        for testset, values in item.values.items():
            for measure, value in values.items():
                yield Row(
                    "published", item.method, "", "", item.model, item.first_stage, item.depth, testset, measure,
                    value, source=item.source, certainty=item.certainty,
                )  # fmt: skip


def _page(rows: Sequence[Row], measures: Sequence[str], intervals: Intervals) -> list[str]:
    """Return the lines for reading: one section a test set, published systems among the measured ones."""
    headline = HEADLINE if HEADLINE in measures else measures[0]
    columns = [headline, *(name for name in measures if name != headline)]
    sources = list(dict.fromkeys(row.source for row in rows if row.source))
    lines = ["# The distillation study", "", *paragraphs(
        f"Sorted by {headline}. A measured cell is the mean over queries and training seeds, for {headline} with its "
        f"{intervals.confidence:.0%} bootstrap interval over queries; `spread` is the standard deviation over seeds. "
        "Recipe `none` is the model before training, or a first stage; `RANKER+first-stage` is the reranker's order "
        "fused with its first stage's. A published figure is its source's own, with other candidates, indexes and "
        "code, and is compared with nothing here.",
        f"The differences are in {headline}: to the run that the system reorders, and to the same system before "
        f"training. {what_p_is()}",
    )]  # fmt: skip
    words = ["", "system", "model", "recipe", "llm", "reorders"]
    numbers = [*columns, "seeds", "spread", "to the first stage", "to the untrained", "source"]
    for testset in dict.fromkeys(row.testset for row in rows):
        systems: dict[tuple[str, ...], dict[str, Row]] = {}
        for row in rows:
            if row.testset == testset and row.measure in columns:
                key = row.kind, row.system, row.recipe, row.llm, row.model, row.first_stage, row.source
                systems.setdefault(key, {})[row.measure] = row
        # What lacks the headline measure comes last.
        found = sorted(systems.values(), key=lambda of_one: -of_one[headline].value if headline in of_one else 1)
        lines += section(testset, words, numbers, (_line(of_one, columns, sources) for of_one in found))
    if sources:
        lines += ["## Sources", "", *(f"{place}. {source}" for place, source in enumerate(sources, 1)), ""]
    return lines


def _line(of_measure: Mapping[str, Row], columns: Sequence[str], sources: Sequence[str]) -> str:
    """Return one line of the table: a system's row of each measure."""
    first = next(iter(of_measure.values()))
    main = of_measure.get(columns[0])
    values = [f"{of_measure[name].value:.4f}" if name in of_measure else "" for name in columns]
    spread, differences = "", ["", ""]
    if main and main.ci_low is not None and main.ci_high is not None:
        values[0] = interval(main.value, main.ci_low, main.ci_high, digits=4)
        spread = "" if main.std is None else f"{main.std:.4f}"
        pairs = (main.delta_first_stage, main.p_first_stage), (main.delta_untrained, main.p_untrained)
        differences = [difference(*pair) for pair in pairs]
    reorders = "" if first.first_stage == NONE else f"{first.first_stage}, top {first.depth}"
    doubt = "" if first.certainty == "verified" else f" ({first.certainty} only)"
    return line([
        *(first.kind, first.system, first.model, first.recipe, first.llm, reorders, *values),
        *("" if first.seeds is None else str(first.seeds), spread, *differences),
        f"{sources.index(first.source) + 1}{doubt}" if first.source else "",
    ])  # fmt: skip
