"""The distillation study's table for reading: one section a test set, published systems among the measured ones."""

from collections.abc import Iterable, Sequence

from synthrank.specs.base import NONE
from synthrank.specs.experiment import Intervals
from synthrank.tables.pipes import difference, head, interval, line, paragraphs, what_p_is
from synthrank.tables.twolar import Row

HEADLINE = "nDCG@10"
"""The measure that rows are sorted by and differences are shown for, if it was measured; else the first measure."""

Systems = dict[tuple[str, ...], dict[str, Row]]
"""Per system (kind, name, recipe, LLM, model, first stage, source), its row for each measure."""


def as_markdown(rows: Sequence[Row], measures: Sequence[str], intervals: Intervals) -> str:
    """Return the Markdown twin.

    Args:
        rows: the table.
        measures: what is shown, in this order.
        intervals: how intervals and p were made.
    """
    headline = HEADLINE if HEADLINE in measures else measures[0]
    columns = [headline, *(name for name in measures if name != headline)]
    sources = list(dict.fromkeys(row.source for row in rows if row.source))
    lines = ["# The distillation study", "", *_notes(headline, intervals)]
    for testset in dict.fromkeys(row.testset for row in rows):
        here = _arranged(row for row in rows if row.testset == testset and row.measure in columns)
        lines += [f"## {testset}", "", *head(
            ["", "system", "model", "recipe", "llm", "reorders"],
            [*columns, "seeds", "spread", "to the first stage", "to the untrained", "source"],
        )]  # fmt: skip
        # What lacks the headline measure comes last.
        for of_measure in sorted(here.values(), key=lambda found: -found[headline].value if headline in found else 1):
            lines.append(line(_cells(of_measure, columns, sources)))
        lines.append("")
    if sources:
        lines += ["## Sources", "", *(f"{place}. {source}" for place, source in enumerate(sources, 1)), ""]
    return "\n".join(lines)


def _notes(headline: str, intervals: Intervals) -> list[str]:
    return paragraphs(
        f"Sorted by {headline}. A measured cell is the mean over queries and training seeds, for {headline} with its "
        f"{intervals.confidence:.0%} bootstrap interval over queries; `spread` is the standard deviation over seeds. "
        "Recipe `none` is the model before training, or a first stage; `RANKER+first-stage` is the reranker's order "
        "fused with its first stage's. A published figure is its source's own, with other candidates, indexes and "
        "code, and is compared with nothing here.",
        f"The differences are in {headline}: to the run that the system reorders, and to the same system before "
        f"training. {what_p_is()}",
    )


def _arranged(rows: Iterable[Row]) -> Systems:
    found: Systems = {}
    for row in rows:
        key = row.kind, row.system, row.recipe, row.llm, row.model, row.first_stage, row.source
        found.setdefault(key, {})[row.measure] = row
    return found


def _cells(of_measure: dict[str, Row], columns: Sequence[str], sources: Sequence[str]) -> list[str]:
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
    return [
        *(first.kind, first.system, first.model, first.recipe, first.llm, _candidates(first), *values),
        *("" if first.seeds is None else str(first.seeds), spread, *differences),
        f"{sources.index(first.source) + 1}{_doubt(first)}" if first.source else "",
    ]


def _candidates(row: Row) -> str:
    return "" if row.first_stage == NONE else f"{row.first_stage}, top {row.depth}"


def _doubt(row: Row) -> str:
    return "" if row.certainty == "verified" else f" ({row.certainty} only)"
