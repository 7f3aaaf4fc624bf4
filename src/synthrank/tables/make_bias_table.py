"""Step make_bias_table: whether rankers prefer passages that a language model rewrote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthrank.scores import HUMAN, REWRITTEN, worded
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cell, Cells, cell_of, read_cells
from synthrank.tables.paired import compare
from synthrank.tables.pipes import difference, line, paragraphs, section, what_p_is
from synthrank.tables.summary import Values, percentiles, resampled
from synthrank.tables.tidy import write_table


@dataclass(frozen=True, slots=True)
class Row:
    """One system on one mixed test set.

    ``human`` and ``rewritten`` are means of the measure by the qrels of these passages alone, ``relative`` is
    their relative difference in percent, above 0 where human passages are preferred, with its interval; None where
    both are 0. ``p`` is of ``delta``, human less rewritten, and not corrected for other rows.
    """

    ranker: str
    recipe: str
    llm: str
    testset: str
    measure: str
    human: float
    rewritten: float
    relative: float | None
    ci_low: float | None
    ci_high: float | None
    delta: float
    p: float
    seeds: int
    queries: int


def make_bias_table(
    *, metrics: list[Path], measure: str, intervals: Intervals, scope: str, table: Path, markdown: Path
) -> None:
    """Make the table, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run on mixed corpora, human and rewritten passages apart.
        measure: what was measured.
        intervals: how intervals and p are made.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        DataError: a system was measured by one kind of passages alone.
    """
    cells = read_cells(metrics, [worded(measure, wording) for wording in (HUMAN, REWRITTEN)])
    rows = list(_rows(cells, measure, intervals))
    write_table(table, markdown, Row, rows, _page(rows, measure, intervals), below=[scope])


def _rows(cells: Cells, measure: str, intervals: Intervals) -> Iterator[Row]:
    """Yield the rows, systems in the order of their files."""
    for system, of_system in cells.items():
        for testset in dict.fromkeys(testset for testset, _ in of_system):
            human, rewritten = (
                cell_of(cells, system, testset, worded(measure, wording)) for wording in (HUMAN, REWRITTEN)
            )
            paired = compare(human, rewritten, intervals)
            means = np.array([human.values.mean(), rewritten.values.mean()])
            preferred: tuple[float | None, float | None, float | None] = (None, None, None)
            if means.any():
                preferred = (float(relative(means)), *_interval(human, rewritten, intervals))
            yield Row(
                *system,
                testset,
                measure,
                float(means[0]),
                float(means[1]),
                *preferred,
                delta=paired.delta,
                p=paired.p,
                seeds=len(human.values),
                queries=len(human.queries),
            )


def relative(means: Values) -> Values:
    """Return 2 (human - rewritten) / (human + rewritten) in percent (Dai et al. 2024, Cocktail, equation 1).

    Args:
        means: of human and rewritten passages, shape (…, 2); where both are 0, so is what is returned.
    """
    total = means.sum(axis=-1)
    return np.asarray(200 * (means[..., 0] - means[..., 1]) / np.where(total > 0, total, 1))


def _interval(human: Cell, rewritten: Cell, intervals: Intervals) -> tuple[float, float]:
    """Return the percentile bootstrap interval over queries, each with both its values, seeds averaged first."""
    both = np.stack([human.values.mean(axis=0), rewritten.values.mean(axis=0)], axis=1)
    means = resampled(both, intervals.resamples, np.random.default_rng(intervals.seed))
    return percentiles(relative(means), intervals.confidence)


def _page(rows: Sequence[Row], measure: str, intervals: Intervals) -> list[str]:
    """Return the lines for reading: one section a test set, one row a system."""
    lines = [
        "# Which wording rankers prefer",
        "",
        *paragraphs(
            "Every passage stands in the collection twice, as people wrote it and as a language model rewrote it, and "
            f"answers the same questions. `human` is {measure} with human passages alone judged relevant, `rewritten` "
            "the same with rewritten ones; each ranking serves both. The relative difference is 2 (human - rewritten) "
            "/ (human + rewritten) in percent: above 0 the ranker puts human passages first, below 0 rewritten ones "
            f"[{intervals.confidence:.0%} bootstrap interval over queries]. Recipe `none` is the model before "
            "training, or a first stage. In parentheses p of the plain difference.",
        ),
    ]
    words, numbers = ["ranker", "recipe", "llm", "seeds"], ["human", "rewritten", "relative %", "difference"]
    for testset in dict.fromkeys(row.testset for row in rows):
        lines += section(testset, words, numbers, (_line(row) for row in rows if row.testset == testset))
    return [*lines, *paragraphs(what_p_is())]


def _line(row: Row) -> str:
    names = [row.ranker, row.recipe, row.llm, str(row.seeds)]
    percent = "" if row.relative is None else f"{row.relative:+.1f} [{row.ci_low:+.1f}, {row.ci_high:+.1f}]"
    return line([*names, f"{row.human:.3f}", f"{row.rewritten:.3f}", percent, difference(row.delta, row.p)])
