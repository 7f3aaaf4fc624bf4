"""Test of a mean difference over queries and training seeds, both as random samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TwoWay:
    """Means with their standard errors and degrees of freedom, each of shape (comparisons,)."""

    mean: Floats
    error: Floats
    freedom: Floats

    def t(self, point: float | Floats = 0.0) -> Floats:
        """Return the distances of the means from a point in standard errors; infinite without variance."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.nan_to_num((self.mean - point) / self.error, posinf=np.inf, neginf=-np.inf))

    def p(self, point: float | Floats = 0.0) -> Floats:
        """Return two-sided p-values of the hypothesis that the expected means equal the point."""
        return np.asarray(2 * stats.t.sf(np.abs(self.t(point)), self.freedom))

    def p_above(self, point: float | Floats) -> Floats:
        """Return one-sided p-values of the hypothesis that the expected means are at most the point."""
        return np.asarray(stats.t.sf(self.t(point), self.freedom))

    def interval(self, confidence: float) -> Floats:
        """Return the confidence intervals, shape (comparisons, 2): the points that :meth:`p` does not reject."""
        reach = stats.t.ppf((1 + confidence) / 2, self.freedom) * self.error
        return np.stack([self.mean - reach, self.mean + reach], axis=1)


def two_way(testsets: Sequence[Floats]) -> TwoWay:
    """Estimate the mean of each comparison and its standard error over queries and seeds.

    For one test set with S seeds and Q queries the squared standard error is (MSq + MSs) / (S Q), where MSq and MSs are
    the mean squares of queries and of seeds. This is the quasi-F test of Clark (1973, equation for min F' without its
    lower bound) with Satterthwaite's (1946) degrees of freedom. It tests the intercept of a mixed model with crossed
    random queries and seeds, except that the residual, which is in both mean squares, is not subtracted once. The
    subtraction would be unbiased, but with few seeds the error would often be too small (Forster and Dickinson 1976).

    In a macro average over T test sets, each has the weight 1 / T. Queries belong to one test set, seeds to all of
    them. With Q_t queries in test set t, means over seeds d_tq, means over queries d_ts, and m_s = sum_t d_ts / T:

        A_t = var_q(d_tq) / (Q_t T^2),  B = var_s(m_s) / S,  error^2 = sum_t A_t + B,
        freedom = (sum_t A_t + B)^2 / (sum_t A_t^2 / (Q_t - 1) + B^2 / (S - 1))

    with variances over n - 1. T = 1 gives the formula above. The expectation of error^2 exceeds the variance of the
    mean by the variance of the residuals' mean, so the error is conservative. B includes effects of seeds that differ
    between test sets. With one seed B is omitted; for one test set this is the paired t test, which generalises only
    over queries.

    Args:
        testsets: the differences of each test set, shape (comparisons, seeds, queries).

    Returns:
        Means and errors; the error is infinite if a test set has only one query, because the spread is unknown.
    """
    count, seeds, _ = testsets[0].shape
    by_seed = np.mean([values.mean(axis=2) for values in testsets], axis=0)
    parts = [(_variance(values.mean(axis=1)) / values.shape[2] / len(testsets) ** 2, values.shape[2] - 1)
             for values in testsets]  # fmt: skip
    if seeds > 1:
        parts.append((_variance(by_seed) / seeds, seeds - 1))
    squared = np.sum([part for part, _ in parts], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = squared**2 / np.sum([part**2 / max(1, degrees) for part, degrees in parts], axis=0)
    freedom = np.where(np.isfinite(freedom), freedom, 1.0)  # any number, because the error is 0 or infinite
    return TwoWay(by_seed.mean(axis=1), np.sqrt(squared).reshape(count), freedom)


def _variance(values: Floats) -> Floats:
    """Return the unbiased variance of each row; infinite for a single value."""
    if values.shape[1] == 1:
        return np.full(len(values), np.inf)
    return np.asarray(values.var(axis=1, ddof=1))
