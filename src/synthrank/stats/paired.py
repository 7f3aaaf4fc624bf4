"""Differences between two systems on the same queries, with confidence intervals and p-values."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthrank.config.experiment import Intervals
from synthrank.errors import DataError
from synthrank.stats.bootstrap import Values
from synthrank.stats.randomisation import randomise
from synthrank.stats.score_matrix import Cell
from synthrank.stats.two_way import two_way

Pairs = Sequence[tuple[Cell, Cell]]
"""The cells of a system and of the other system, per test set."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Mean difference to another system, its confidence interval, and p-values of no difference.

    ``p`` and the interval are from the two-way test over queries and seeds, ``p_randomisation`` from the randomisation
    test over queries. Both p-values are two-sided and not corrected for other comparisons.
    """

    delta: float
    low: float
    high: float
    p: float
    p_randomisation: float


def compare(system: Cell, other: Cell, intervals: Intervals) -> Paired:
    """Compare two systems on one test set by :func:`compare_all`."""
    return compare_all([[(system, other)]], intervals)[0]


def compare_all(comparisons: Sequence[Pairs], intervals: Intervals) -> list[Paired]:
    """Compare pairs of systems over their test sets, by the two-way test and the paired randomisation test.

    Comparisons on test sets of the same sizes are computed together, which is many times faster and gives the same
    p-values.

    Args:
        comparisons: each over one or several test sets, with equal weights.
        intervals: ``resamples`` is the number of permutations, ``seed`` their random seed.

    Raises:
        DataError: two systems were evaluated on different queries.
    """
    alike: dict[tuple[tuple[int, ...], ...], list[int]] = defaultdict(list)
    values = [pair_differences(pairs) for pairs in comparisons]
    for place, testsets in enumerate(values):
        alike[tuple(array.shape for array in testsets)].append(place)
    found: dict[int, Paired] = {}
    for places in alike.values():
        stacked = [np.stack(arrays) for arrays in zip(*(values[place] for place in places), strict=True)]
        tested = two_way(stacked)
        columns = tested.mean, *tested.interval(intervals.confidence).T, tested.p()
        chances = randomise(stacked, intervals.resamples, intervals.seed)
        for place, numbers, chance in zip(places, zip(*columns, strict=True), chances, strict=True):
            delta, low, high, p = map(float, numbers)
            found[place] = Paired(delta, low, high, p, chance.two_sided)
    return [found[place] for place in range(len(values))]


def pair_differences(pairs: Pairs) -> list[Values]:
    """Return the differences of each test set, shape (seeds, queries).

    Runs of the two systems with the same seed are paired. A system without seeds is paired with each seed of the other.
    If the systems have different seeds on a test set, each is averaged over its seeds, and the shape is (1, queries).

    Raises:
        DataError: two systems were evaluated on different queries.
    """
    for system, other in pairs:
        if system.queries != other.queries:
            raise DataError(
                f"results/metrics: two systems were evaluated on different queries ({len(system.queries)} and "
                f"{len(other.queries)}); remove the folder and run again"
            )
    moved = [cell for pair in pairs for cell in pair if not cell.is_fixed]
    seeds = moved[0].seeds if moved else ()
    if not seeds or any(sorted(cell.seeds) != sorted(seeds) for cell in moved):
        return [(system.values.mean(axis=0) - other.values.mean(axis=0))[None] for system, other in pairs]
    return [_values_of_seeds(system, seeds) - _values_of_seeds(other, seeds) for system, other in pairs]


def _values_of_seeds(cell: Cell, seeds: Sequence[str]) -> Values:
    """Return the values in the order of the seeds, shape (seeds, queries), or (1, queries) of a fixed system."""
    return cell.values if cell.is_fixed else cell.by_seed(seeds)
