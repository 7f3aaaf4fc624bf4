"""Variance components of paired differences: queries, training seeds, and residual."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of paired differences over queries, over seeds, and of the residual."""

    query: float
    seed: float
    residual: float


def components(testsets: Sequence[Floats]) -> Components:
    """Estimate the variance components of a comparison from its mean squares.

    For one test set with S seeds and Q queries, let d_q be the means over seeds, d_s the means over queries and MSe the
    residual mean square. The residual component is MSe, the component of queries is var_q(d_q) - MSe / S, and the
    component of seeds is var_s(d_s) - MSe / Q. These are the ANOVA estimates for crossed random factors (Searle,
    Casella and McCulloch 1992, section 4.3). Negative estimates are set to 0. Over T test sets, the residual and the
    queries' component are means over the test sets, and the seeds' component is from the macro average,
    var_s(m_s) - sum_t MSe_t / (Q_t T^2).

    Args:
        testsets: the differences of each test set, shape (seeds, queries).

    Raises:
        ValueError: there is only one seed, or a test set has only one query.
    """
    seeds, count = len(testsets[0]), len(testsets)
    if seeds < 2 or any(values.shape[1] < 2 for values in testsets):
        raise ValueError("variance components need at least two seeds and two queries")
    left = [_residual(values) for values in testsets]
    of_queries = [values.mean(axis=0).var(ddof=1) - rest / seeds
                  for values, rest in zip(testsets, left, strict=True)]  # fmt: skip
    by_seed = np.mean([values.mean(axis=1) for values in testsets], axis=0)
    shared = sum(rest / values.shape[1] for values, rest in zip(testsets, left, strict=True)) / count**2
    of_seeds = by_seed.var(ddof=1) - shared
    return Components(max(0.0, float(np.mean(of_queries))), max(0.0, float(of_seeds)), float(np.mean(left)))


def _residual(values: Floats) -> float:
    """Return the residual mean square of values of shape (seeds, queries)."""
    left = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    return float((left**2).sum() / (values.shape[0] - 1) / (values.shape[1] - 1))
