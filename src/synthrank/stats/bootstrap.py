"""Means, spread over seeds, and bootstrap intervals over queries."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthrank.config.experiment import Intervals
from synthrank.errors import DataError

Values = npt.NDArray[np.float64]
"""Values of a measure on a test set, shape (seeds, queries); a run without seeds is one row."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A cell of a table: mean over queries and seeds, standard deviation over seeds, and interval.

    ``std`` is ``None`` for a single seed.
    """

    mean: float
    std: float | None
    ci_low: float
    ci_high: float
    seeds: int
    queries: int


def summarise(testsets: Sequence[Values], intervals: Intervals) -> Summary:
    """Summarise a measure over one test set, or its macro average over several.

    The mean of several test sets is the mean of their means over queries, so each test set has the same weight. The
    standard deviation is over the seeds' means (n - 1). The interval is the percentile bootstrap over queries: values
    are averaged over seeds, and each test set is resampled separately (Efron and Tibshirani 1993, section 13.3). It
    estimates the variation over queries, not over seeds.

    Args:
        testsets: an array of shape (seeds, queries) per test set.
        intervals: number of resamples, confidence and seed.

    Raises:
        DataError: the test sets have different numbers of seeds.
    """
    seeds = {len(values) for values in testsets}
    if len(seeds) != 1:
        raise DataError(f"test sets have {sorted(seeds)} seeds; a macro average needs the same seeds on all test sets")
    by_seed = np.mean([values.mean(axis=1) for values in testsets], axis=0)
    generator = np.random.default_rng(intervals.seed)
    means = [resampled_means(values.mean(axis=0), intervals.resamples, generator) for values in testsets]
    low, high = percentiles(np.mean(means, axis=0), intervals.confidence)
    return Summary(
        mean=float(by_seed.mean()),
        std=float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None,
        ci_low=low,
        ci_high=high,
        seeds=seeds.pop(),
        queries=sum(values.shape[1] for values in testsets),
    )


def resampled_means(values: Values, resamples: int, generator: np.random.Generator) -> Values:
    """Return the mean of each bootstrap resample; blocks limit memory and do not change the result.

    Args:
        values: one row per query, shape (queries,) or (queries, values per query).
        resamples: number of resamples.
        generator: random numbers.

    Returns:
        Shape (resamples,) or (resamples, values per query).
    """
    block = max(1, 5_000_000 // len(values))
    means = [
        values[generator.integers(0, len(values), size=(min(block, resamples - start), len(values)))].mean(axis=1)
        for start in range(0, resamples, block)
    ]
    return np.concatenate(means)


def percentiles(statistics: Values, confidence: float) -> tuple[float, float]:
    """Return the ends of the percentile bootstrap interval from the statistic of each resample."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(statistics, [tail, 1 - tail])
    return float(low), float(high)
