"""A table for reading: one section a measure, one row a system, one column a test set."""

from collections.abc import Sequence

from synthrank.places import MACRO, TITLES, Distribution
from synthrank.specs.experiment import Intervals
from synthrank.tables.main_rows import Row
from synthrank.tables.pipes import head, interval, line, paragraphs, test_of_queries_and_seeds

MARK = "†"
"""Behind a cell that differs from the reference's."""

SEEN = "‡"
"""Behind a cell of a test set that the ranker's pretrained model was trained on."""

LACKING = "—"
"""In place of a macro average over fewer test sets than others'."""


def as_markdown(rows: Sequence[Row], where: Distribution, reference: str, intervals: Intervals) -> str:
    """Return the Markdown twin of a tidy table.

    Args:
        rows: the table.
        where: which of the two tables.
        reference: the recipe that systems are compared with.
        intervals: how intervals and p were made.
    """
    place = "the recipe's own corpus" if where == "id" else "corpora that the recipe never saw"
    lines = [
        f"# {TITLES[where]}",
        "",
        f"Test questions of {place}. Each cell: mean [{intervals.confidence:.0%} bootstrap interval over queries].",
        "Recipe `none` is the model before training, or a first stage; `RANKER+first-stage` is the reranker's order",
        "fused with its first stage's; a reranker alone lists only the passages that it reordered. Overlapping",
        "intervals are no evidence of a difference, nor of equality.",
    ]
    compared = any(row.p is not None for row in rows)
    alpha = 1 - intervals.confidence
    for measure in dict.fromkeys(row.measure for row in rows):
        here = [row for row in rows if row.measure == measure]
        testsets = list(dict.fromkeys(row.testset for row in here))
        lines += ["", f"## {measure}", "", *head(["ranker", "recipe", "llm", "seeds"], testsets)]
        systems: dict[tuple[str, str, str], list[Row]] = {}
        for row in here:
            systems.setdefault((row.ranker, row.recipe, row.llm), []).append(row)
        for system, of_system in systems.items():
            cells = {row.testset: _cell(row, alpha) for row in of_system}
            values = (cells.get(name, LACKING if name == MACRO else "") for name in testsets)
            lines.append(line([*system, str(of_system[0].seeds), *values]))
    if not rows:
        lines += ["", "No test set of the experiment is of this kind."]
    if any(LACKING in text for text in lines):
        lines += ["", f"{LACKING}: no macro average, since the system was not measured on every test set of the table."]
    if any(row.seen for row in rows):
        averages = "; a test set that any ranker saw is in no macro average" if where == "ood" else ""
        lines += ["", *paragraphs(f"{SEEN} the ranker's pretrained model was trained on this corpus before{averages}.")]
    if compared:
        lines += ["", *_footnote(reference, alpha)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _cell(row: Row, alpha: float) -> str:
    mark = MARK if row.p_holm is not None and row.p_holm < alpha else ""
    return interval(row.mean, row.ci_low, row.ci_high) + mark + (SEEN if row.seen else "")


def _footnote(reference: str, alpha: float) -> list[str]:
    return paragraphs(
        f"{MARK} differs from the same ranker trained on recipe `{reference}`: p below {alpha:.3g}, two-sided, "
        f"{test_of_queries_and_seeds()} It is adjusted by Holm's method for all such tests of this table with the same "
        "ranker and measure, macro averages among them. No mark is no evidence of equality."
    )
