"""Differences between two systems on the same queries, and how likely chance alone is to make them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import permutation_test

from synthrank.errors import DataError
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cell

BLOCK = 2_000_000
"""Values that the test holds at once, over all permutations of a block: bounds the memory, changes no result."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Mean difference to another system over queries, and its two-sided p, not corrected for other comparisons."""

    delta: float
    p: float


def compare(system: Cell, other: Cell, intervals: Intervals) -> Paired:
    """Compare a system with another one by a paired randomisation test over queries.

    Training seeds are averaged first, so that each query counts once: p speaks of other queries, not of other seeds.
    If the systems were the same, either could have made either of a query's two values; p is the share of all such
    exchanges, each a flip of the difference's sign, whose mean difference is at least as far from 0 (Smucker, Allan
    and Carterette 2007). All are counted where ``intervals.resamples`` allows, else so many are drawn.

    Args:
        system: values of shape (seeds, queries).
        other: the same of the other system; the seeds may be others.
        intervals: how many permutations are drawn, and with which seed.

    Raises:
        DataError: the two were not measured on the same queries.
    """
    if system.queries != other.queries:
        raise DataError(
            f"{len(system.queries)} queries are compared with {len(other.queries)} others; both systems must be "
            "measured on the same ones, remove results/metrics"
        )
    differences = system.values.mean(axis=0) - other.values.mean(axis=0)
    found = permutation_test(
        (differences,),  # of one sample, `samples` flips signs
        _mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=intervals.resamples,
        batch=max(1, BLOCK // len(differences)),
        alternative="two-sided",
        rng=np.random.default_rng(intervals.seed),
    )
    return Paired(float(differences.mean()), float(found.pvalue))


def _mean(values: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    return np.asarray(values.mean(axis=axis))
