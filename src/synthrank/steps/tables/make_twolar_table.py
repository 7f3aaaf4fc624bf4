"""Step make_twolar_table: list the distillation study's systems and published results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.config.base import NONE, load
from synthrank.config.experiment import Intervals
from synthrank.config.published import PublishedSpec
from synthrank.stats.bootstrap import summarise
from synthrank.stats.paired import compare
from synthrank.stats.score_matrix import Cells, System, get_cell, read_cells
from synthrank.steps.tables.labels import label_ranker, label_training, trained_rankers
from synthrank.steps.tables.markdown import (
    explain_p,
    format_difference,
    format_interval,
    format_line,
    format_section,
    wrap_paragraphs,
)
from synthrank.steps.tables.system_names import Systems
from synthrank.steps.tables.tidy_csv import write_table

HEADLINE = "nDCG@10"
"""The measure to sort rows by and to show differences of; the first measure replaces it if it was not measured."""


@dataclass(frozen=True, slots=True)
class TwolarRow:
    """One measure of one system on one test set.

    ``delta_first_stage`` is the mean difference to the run that the system reorders, ``delta_untrained`` the mean
    difference to the untrained system, each with its p. ``first_stage`` is ``none`` for systems that reorder no run.
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
    """Make the table as tidy CSV and as Markdown.

    The measured systems are first stages and rankers, untrained and trained, fused and not fused. Each ranker is
    compared with the run that it reorders and with the untrained ranker. Published results are not compared.

    Args:
        metrics: the scores of every run.
        rankers: the entity files of the rankers, and of the rankers that they start from.
        retrievers: the entity files of the first stages.
        testsets: the entity files of the test sets.
        published: the file of published results; at most one.
        measures: the measures to show.
        intervals: settings of intervals and tests.
        scope: a sentence on the sources of variance.
        table: written: the table.
        markdown: written: its Markdown copy.

    Raises:
        DataError: a system, or a system compared with it, was not measured on a test set.
    """
    systems = Systems(rankers, retrievers, testsets)
    rows = list(_measure_systems(read_cells(metrics, measures), systems, measures, intervals))
    for path in published:
        rows += _copy_published(load(PublishedSpec, path))
    write_table(table, markdown, TwolarRow, rows, _write_page(rows, measures, intervals), below=[scope])


def _measure_systems(
    cells: Cells, systems: Systems, measures: Sequence[str], intervals: Intervals
) -> Iterator[TwolarRow]:
    """Yield a row per test set, measure and system, in this order."""
    for testset in systems.testsets:
        for measure in measures:
            for system in cells:
                # First stages and fused runs exist only on test sets where a ranker reorders the run.
                if system[0] in systems.rankers or (testset, measure) in cells[system]:
                    yield _measure_system(cells, system, testset, measure, systems, intervals)


def _measure_system(
    cells: Cells, system: System, testset: str, measure: str, systems: Systems, intervals: Intervals
) -> TwolarRow:
    name, recipe, llm = system
    cell = get_cell(cells, system, testset, measure)
    is_a = systems.describe(name, testset)
    mean = summarise([cell.values], intervals)

    def to(other: str) -> tuple[float, float]:
        found = compare(cell, get_cell(cells, (other, NONE, NONE), testset, measure), intervals)
        return found.delta, found.p

    to_first_stage = to(is_a.first_stage) if is_a.first_stage != NONE else (None, None)
    to_untrained = to(name) if recipe != NONE else (None, None)
    return TwolarRow(
        "measured", name, recipe, llm, is_a.model, is_a.first_stage, is_a.depth, testset, measure,
        mean.mean, mean.std, mean.ci_low, mean.ci_high, mean.seeds, mean.queries,
        *to_first_stage, *to_untrained,
    )  # fmt: skip


def _copy_published(published: PublishedSpec) -> Iterator[TwolarRow]:
    """Yield a row per published result, in the order of the file."""
    for item in published.results:
        for testset, values in item.values.items():
            for measure, value in values.items():
                yield TwolarRow(
                    "published", item.method, "", "", item.model, item.first_stage, item.depth, testset, measure,
                    value, source=item.source, certainty=item.certainty,
                )  # fmt: skip


def _write_page(rows: Sequence[TwolarRow], measures: Sequence[str], intervals: Intervals) -> list[str]:
    """Return the lines of the Markdown copy: a section per test set, with measured and published systems."""
    headline = HEADLINE if HEADLINE in measures else measures[0]
    columns = [headline, *(name for name in measures if name != headline)]
    sources = list(dict.fromkeys(row.source for row in rows if row.source))
    lines = ["# The distillation study", "", *wrap_paragraphs(
        f"Sorted by {headline}. A measured cell is the mean over queries and training seeds, for {headline} with its "
        f"{intervals.confidence:.0%} bootstrap interval over queries; `std` is the standard deviation over seeds. "
        "Fused: the score mixes the ranker and its first stage. Published results come from other candidates, indexes "
        "and code; they are not compared with measured results.",
        f"The differences are in {headline}: to the run that the system reorders, and to the same system before "
        f"training. {explain_p()}",
    )]  # fmt: skip
    words = ["kind", "system", "model", "training set", "reorders"]
    numbers = [*columns, "seeds", "std", "difference to first stage", "difference to untrained"]
    numbers += ["source"] if sources else []
    trained = trained_rankers((row.system, row.recipe or NONE, row.llm) for row in rows)
    for testset in dict.fromkeys(row.testset for row in rows):
        systems: dict[tuple[str, ...], dict[str, TwolarRow]] = {}
        for row in rows:
            if row.testset == testset and row.measure in columns:
                key = row.kind, row.system, row.recipe, row.llm, row.model, row.first_stage, row.source
                systems.setdefault(key, {})[row.measure] = row
        # Systems without the headline measure come last.
        found = sorted(systems.values(), key=lambda of_one: -of_one[headline].value if headline in of_one else 1)
        lines += format_section(
            testset, words, numbers, (_format_system(of_one, columns, sources, trained) for of_one in found)
        )
    if sources:
        lines += ["## Sources", "", *(f"{place}. {source}" for place, source in enumerate(sources, 1)), ""]
    return lines


def _format_system(
    of_measure: Mapping[str, TwolarRow], columns: Sequence[str], sources: Sequence[str], trained: Sequence[str]
) -> str:
    """Return the line of one system, with its rows of all measures."""
    first = next(iter(of_measure.values()))
    main = of_measure.get(columns[0])
    values = [f"{of_measure[name].value:.4f}" if name in of_measure else "" for name in columns]
    spread, differences = "", ["", ""]
    if main and main.ci_low is not None and main.ci_high is not None:
        values[0] = format_interval(main.value, main.ci_low, main.ci_high, digits=4)
        spread = "" if main.std is None else f"{main.std:.4f}"
        pairs = (main.delta_first_stage, main.p_first_stage), (main.delta_untrained, main.p_untrained)
        differences = [format_difference(*pair) for pair in pairs]
    training = label_training((first.system, first.recipe, first.llm), trained) if first.recipe else ""
    reorders = "" if first.first_stage == NONE else f"{first.first_stage}, top {first.depth}"
    doubt = "" if first.certainty == "verified" else f" ({first.certainty} only)"
    return format_line([
        *(first.kind, label_ranker(first.system), first.model, training, reorders, *values),
        *("" if first.seeds is None else str(first.seeds), spread, *differences),
        *([f"{sources.index(first.source) + 1}{doubt}" if first.source else ""] if sources else []),
    ])  # fmt: skip
