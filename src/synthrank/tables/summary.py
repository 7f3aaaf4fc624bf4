"""Means, spread over seeds, and bootstrap intervals over queries."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthrank.errors import DataError
from synthrank.specs.experiment import Intervals

Values = npt.NDArray[np.float64]
"""Shape (seeds, queries): the values of one measure on one test set; a run without seeds is one row."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One cell of a table: mean over queries and seeds, standard deviation over seeds (none for one), interval."""

    mean: float
    std: float | None
    ci_low: float
    ci_high: float
    seeds: int
    queries: int


def summarise(testsets: Sequence[Values], intervals: Intervals) -> Summary:
    """Summarise one measure over one test set, or the macro average over several.

    The mean of a test set is taken over its queries, of several test sets over their means, so each weighs the same.
    The standard deviation is that of the seeds' means (n - 1). The interval is the percentile bootstrap over queries,
    each seed's values averaged first and each test set resampled by itself (Efron and Tibshirani 1993, section 13.3):
    it says how far the mean would move with other queries, not with other seeds.

    Args:
        testsets: for each test set an array of shape (seeds, queries).
        intervals: how many resamples, which confidence, which seed.

    Raises:
        DataError: the test sets differ in seeds.
    """
    seeds = {len(values) for values in testsets}
    if len(seeds) != 1:
        raise DataError(f"test sets have {sorted(seeds)} seeds; a macro average needs the same seeds on each")
    by_seed = np.mean([values.mean(axis=1) for values in testsets], axis=0)
    generator = np.random.default_rng(intervals.seed)
    means = [resampled(values.mean(axis=0), intervals.resamples, generator) for values in testsets]
    low, high = percentiles(np.mean(means, axis=0), intervals.confidence)
    return Summary(
        mean=float(by_seed.mean()),
        std=float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None,
        ci_low=low,
        ci_high=high,
        seeds=seeds.pop(),
        queries=sum(values.shape[1] for values in testsets),
    )


def resampled(values: Values, resamples: int, generator: np.random.Generator) -> Values:
    """Return the mean of each bootstrap resample, in blocks that bound the memory and change no result.

    Args:
        values: one row a query, shape (queries,) or (queries, values of a query).
        resamples: how many.
        generator: draws them.

    Returns:
        Shape (resamples,) or (resamples, values of a query).
    """
    block = max(1, 5_000_000 // len(values))
    means = [
        values[generator.integers(0, len(values), size=(min(block, resamples - start), len(values)))].mean(axis=1)
        for start in range(0, resamples, block)
    ]
    return np.concatenate(means)


def percentiles(statistics: Values, confidence: float) -> tuple[float, float]:
    """Return the ends of the percentile bootstrap interval, of a statistic's value in each resample."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(statistics, [tail, 1 - tail])
    return float(low), float(high)
