"""How much of the variance of paired differences queries have, how much training seeds, and how much is left."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Components:
    """How far paired differences vary: over queries, over seeds, and what is left of a query with a seed."""

    query: float
    seed: float
    residual: float


def components(testsets: Sequence[Floats]) -> Components:
    """Estimate the variance components of one comparison, by its mean squares.

    Of S seeds and Q queries in one test set, with means over seeds d_q, means over queries d_s and the residual mean
    square MSe: the residual is MSe, the component of queries var_q(d_q) - MSe / S, that of seeds var_s(d_s) - MSe / Q
    (the analysis of variance's estimates for crossed random factors, Searle, Casella and McCulloch 1992, section 4.3);
    a negative one is taken for 0. Over T test sets, MSe and the queries' component are their means, and the seeds'
    component is that of the macro average, var_s(m_s) - sum_t MSe_t / (Q_t T^2).

    Args:
        testsets: for each test set the differences, shape (seeds, queries).

    Raises:
        ValueError: there is one seed, or a test set of one query, which shows nothing of others.
    """
    seeds, count = len(testsets[0]), len(testsets)
    if seeds < 2 or any(values.shape[1] < 2 for values in testsets):
        raise ValueError("variance components take two seeds and two queries or more")
    left = [_residual(values) for values in testsets]
    of_queries = [values.mean(axis=0).var(ddof=1) - rest / seeds
                  for values, rest in zip(testsets, left, strict=True)]  # fmt: skip
    by_seed = np.mean([values.mean(axis=1) for values in testsets], axis=0)
    shared = sum(rest / values.shape[1] for values, rest in zip(testsets, left, strict=True)) / count**2
    of_seeds = by_seed.var(ddof=1) - shared
    return Components(max(0.0, float(np.mean(of_queries))), max(0.0, float(of_seeds)), float(np.mean(left)))


def _residual(values: Floats) -> float:
    """Return the mean square of what neither the query nor the seed explains, of values of shape (seeds, queries)."""
    left = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    return float((left**2).sum() / (values.shape[0] - 1) / (values.shape[1] - 1))
