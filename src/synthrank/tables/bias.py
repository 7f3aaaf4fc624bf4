"""Whether rankers prefer one wording of the same passages: rows of the table, one a system and test set."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthrank.scores import HUMAN, REWRITTEN, worded
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cell, Cells, cell_of
from synthrank.tables.paired import compare

BLOCK = 1_000_000
"""Queries that are drawn at once: bounds the memory, changes no result."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One system on one mixed test set.

    ``human`` and ``rewritten`` are means of the measure by the judgments of these passages alone, ``relative`` is
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


def bias_rows(cells: Cells, measure: str, intervals: Intervals) -> Iterator[Row]:
    """Yield the rows, systems in the order of their files.

    Raises:
        DataError: a system was measured by one kind of passages alone.
    """
    for system, of_system in cells.items():
        for testset in dict.fromkeys(testset for testset, _ in of_system):
            human, rewritten = (
                cell_of(cells, system, testset, worded(measure, wording)) for wording in (HUMAN, REWRITTEN)
            )
            paired = compare(human, rewritten, intervals)
            low, high = _interval(human, rewritten, intervals)
            means = np.array([[human.values.mean(), rewritten.values.mean()]])
            some = bool(means.any())
            yield Row(
                ranker=system[0],
                recipe=system[1],
                llm=system[2],
                testset=testset,
                measure=measure,
                human=float(means[0, 0]),
                rewritten=float(means[0, 1]),
                relative=float(relative(means)[0]) if some else None,
                ci_low=low if some else None,
                ci_high=high if some else None,
                delta=paired.delta,
                p=paired.p,
                seeds=len(human.values),
                queries=len(human.queries),
            )


def relative(means: Floats) -> Floats:
    """Return 2 (human - rewritten) / (human + rewritten) in percent (Dai et al. 2024, Cocktail, equation 1).

    Args:
        means: of human and rewritten passages, shape (…, 2); where both are 0, so is what is returned.
    """
    total = means.sum(axis=-1)
    return np.asarray(200 * (means[..., 0] - means[..., 1]) / np.where(total > 0, total, 1))


def _interval(human: Cell, rewritten: Cell, intervals: Intervals) -> tuple[float, float]:
    """Return the percentile bootstrap interval over queries, each with both its values, seeds averaged first."""
    both = np.stack([human.values.mean(axis=0), rewritten.values.mean(axis=0)], axis=1)
    count = len(both)
    rows = max(1, BLOCK // count)
    generator = np.random.default_rng(intervals.seed)
    found = [
        relative(both[generator.integers(0, count, size=(min(rows, intervals.resamples - start), count))].mean(axis=1))
        for start in range(0, intervals.resamples, rows)
    ]
    tail = (1 - intervals.confidence) / 2
    low, high = np.quantile(np.concatenate(found), [tail, 1 - tail])
    return float(low), float(high)
