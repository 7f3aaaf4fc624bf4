"""Step make_bias_table: measure whether rankers prefer passages that a language model rewrote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthrank.config.experiment import Intervals
from synthrank.data.scores import HUMAN, REWRITTEN, add_wording
from synthrank.stats.bootstrap import Values, percentiles, resampled_means
from synthrank.stats.paired import compare
from synthrank.stats.score_matrix import Cell, Cells, get_cell, read_cells
from synthrank.steps.tables.labels import label_ranker, label_training, trained_rankers
from synthrank.steps.tables.markdown import explain_p, format_difference, format_line, format_section, wrap_paragraphs
from synthrank.steps.tables.tidy_csv import write_table


@dataclass(frozen=True, slots=True)
class BiasRow:
    """One system on one mixed test set.

    ``human`` and ``rewritten`` are means of the measure with the qrels of only these passages. ``relative`` is their
    relative difference in percent with its interval, above 0 if human passages are preferred; None if both are 0.
    ``delta`` is human minus rewritten, and ``p`` its p-value, not corrected for other rows.
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
    """Make the table as tidy CSV and as Markdown.

    Args:
        metrics: the scores of every run on mixed corpora, separately for human and rewritten passages.
        measure: the measure.
        intervals: settings of intervals and tests.
        scope: a sentence on the sources of variance.
        table: written: the table.
        markdown: written: its Markdown copy.

    Raises:
        DataError: a system has scores for only one kind of passages.
    """
    cells = read_cells(metrics, [add_wording(measure, wording) for wording in (HUMAN, REWRITTEN)])
    rows = list(_compare_wordings(cells, measure, intervals))
    write_table(table, markdown, BiasRow, rows, _write_page(rows, measure, intervals), below=[scope])


def _compare_wordings(cells: Cells, measure: str, intervals: Intervals) -> Iterator[BiasRow]:
    """Yield the rows, with systems in the order of their files."""
    for system, of_system in cells.items():
        for testset in dict.fromkeys(testset for testset, _ in of_system):
            human, rewritten = (
                get_cell(cells, system, testset, add_wording(measure, wording)) for wording in (HUMAN, REWRITTEN)
            )
            paired = compare(human, rewritten, intervals)
            means = np.array([human.values.mean(), rewritten.values.mean()])
            preferred: tuple[float | None, float | None, float | None] = (None, None, None)
            if means.any():
                preferred = (float(relative(means)), *_resample_interval(human, rewritten, intervals))
            yield BiasRow(
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
        means: of human and rewritten passages, shape (…, 2); the result is 0 if both are 0.
    """
    total = means.sum(axis=-1)
    return np.asarray(200 * (means[..., 0] - means[..., 1]) / np.where(total > 0, total, 1))


def _resample_interval(human: Cell, rewritten: Cell, intervals: Intervals) -> tuple[float, float]:
    """Return the percentile bootstrap interval over queries, with both values of a query together, seeds averaged."""
    both = np.stack([human.values.mean(axis=0), rewritten.values.mean(axis=0)], axis=1)
    means = resampled_means(both, intervals.resamples, np.random.default_rng(intervals.seed))
    return percentiles(relative(means), intervals.confidence)


def _write_page(rows: Sequence[BiasRow], measure: str, intervals: Intervals) -> list[str]:
    """Return the lines of the Markdown copy: one section per test set, one row per system."""
    lines = [
        "# Wording bias",
        "",
        *wrap_paragraphs(
            "The corpus contains every passage twice, as people wrote it and as a language model rewrote it; both "
            f"versions are relevant to the same queries. `human` is {measure} with only human passages judged "
            "relevant, `rewritten` with only rewritten passages, for the same ranking. The relative difference is "
            "2 (human - rewritten) / (human + rewritten) in percent "
            f"[{intervals.confidence:.0%} bootstrap interval over queries]: above 0 the ranker prefers human "
            "passages, below 0 rewritten passages. The last column is human minus rewritten with its p.",
        ),
    ]
    words, numbers = ["ranker", "training set", "seeds"], ["human", "rewritten", "relative %", "difference"]
    trained = trained_rankers((row.ranker, row.recipe, row.llm) for row in rows)
    for testset in dict.fromkeys(row.testset for row in rows):
        lines += format_section(
            testset, words, numbers, (_format_row(row, trained) for row in rows if row.testset == testset)
        )
    return [*lines, *wrap_paragraphs(explain_p())]


def _format_row(row: BiasRow, trained: Sequence[str]) -> str:
    system = row.ranker, row.recipe, row.llm
    names = [label_ranker(row.ranker), label_training(system, trained), str(row.seeds)]
    percent = "" if row.relative is None else f"{row.relative:+.1f} [{row.ci_low:+.1f}, {row.ci_high:+.1f}]"
    return format_line(
        [*names, f"{row.human:.3f}", f"{row.rewritten:.3f}", percent, format_difference(row.delta, row.p)]
    )
