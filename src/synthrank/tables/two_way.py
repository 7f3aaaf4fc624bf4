"""The test of a mean difference over queries and training seeds, both taken as drawn from more of their kind."""

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
        """Return how many standard errors the means lie above a point; infinite where nothing varies."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.nan_to_num((self.mean - point) / self.error, posinf=np.inf, neginf=-np.inf))

    def p(self, point: float | Floats = 0.0) -> Floats:
        """Return the two-sided p of the hypothesis that the expected means are the point."""
        return np.asarray(2 * stats.t.sf(np.abs(self.t(point)), self.freedom))

    def p_above(self, point: float | Floats) -> Floats:
        """Return the one-sided p of the hypothesis that the expected means are the point or below it."""
        return np.asarray(stats.t.sf(self.t(point), self.freedom))

    def interval(self, confidence: float) -> Floats:
        """Return the points that :meth:`p` does not reject at 1 - confidence, shape (comparisons, 2)."""
        reach = stats.t.ppf((1 + confidence) / 2, self.freedom) * self.error
        return np.stack([self.mean - reach, self.mean + reach], axis=1)


def two_way(testsets: Sequence[Floats]) -> TwoWay:
    """Estimate the mean of each comparison, and how far other queries and other seeds would move it.

    Of one test set with S seeds and Q queries the squared standard error is (MSq + MSs) / (S Q), of the mean squares
    of queries and of seeds: the quasi-F test of Clark (1973, equation for min F' without its lower bound) with
    Satterthwaite's (1946) degrees of freedom. It is the test of the intercept of a mixed model with crossed random
    queries and seeds, but that the residual, which counts in both mean squares, is not taken off once: that would be
    unbiased, and is too small too often where there are few seeds (Forster and Dickinson 1976).

    Of a macro average over T test sets, each weighs 1 / T. Queries belong to one test set, seeds to all of them. With
    Q_t queries in test set t, means over seeds d_tq, means over queries d_ts, and m_s = sum_t d_ts / T:

        A_t = var_q(d_tq) / (Q_t T^2),  B = var_s(m_s) / S,  error^2 = sum_t A_t + B,
        freedom = (sum_t A_t + B)^2 / (sum_t A_t^2 / (Q_t - 1) + B^2 / (S - 1))

    with variances over n - 1. T = 1 gives the above. Its expectation exceeds the mean's variance by that of the
    residuals' mean alone, so it errs on the wide side, and seeds that act differently on each test set are counted in
    B. With one seed B is absent: of one test set that is the paired t test, which speaks of other queries alone.

    Args:
        testsets: for each test set the differences, shape (comparisons, seeds, queries).

    Returns:
        Means and errors; the error is infinite where some test set has one query, whose spread nobody knows.
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
    freedom = np.where(np.isfinite(freedom), freedom, 1.0)  # nothing varies, or nothing is known: any will do
    return TwoWay(by_seed.mean(axis=1), np.sqrt(squared).reshape(count), freedom)


def _variance(values: Floats) -> Floats:
    """Return the unbiased variance of each row; infinite of one value."""
    if values.shape[1] == 1:
        return np.full(len(values), np.inf)
    return np.asarray(values.var(axis=1, ddof=1))
