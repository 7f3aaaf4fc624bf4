"""Differences between two systems on the same queries, with their intervals, and how likely chance is to make them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthrank.errors import DataError
from synthrank.specs.experiment import Intervals
from synthrank.tables.cells import Cell
from synthrank.tables.randomisation import randomise
from synthrank.tables.summary import Values
from synthrank.tables.two_way import two_way

Pairs = Sequence[tuple[Cell, Cell]]
"""For each test set a system's values and those of what it is compared with."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Mean difference to another system, the interval that its test does not reject, and p of no difference.

    ``p`` is of the two-way test over queries and seeds, ``p_randomisation`` of flips of queries; both are two-sided
    and not corrected for other comparisons.
    """

    delta: float
    low: float
    high: float
    p: float
    p_randomisation: float


def compare(system: Cell, other: Cell, intervals: Intervals) -> Paired:
    """Compare a system with another one on one test set, as :func:`compare_all` does."""
    return compare_all([[(system, other)]], intervals)[0]


def compare_all(comparisons: Sequence[Pairs], intervals: Intervals) -> list[Paired]:
    """Compare systems with others, each over its test sets, by two-way and by paired randomisation tests.

    Systems on test sets of the same sizes are tested together, which is many times as fast and changes no p.

    Args:
        comparisons: each of them over one test set or several, which then weigh the same.
        intervals: ``resamples`` says how many permutations are drawn, ``seed`` which.

    Raises:
        DataError: two systems were not measured on the same queries.
    """
    alike: dict[tuple[tuple[int, ...], ...], list[int]] = defaultdict(list)
    values = [differences(pairs) for pairs in comparisons]
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


def differences(pairs: Pairs) -> list[Values]:
    """Return for each test set the differences of the pairs, shape (seeds, queries).

    The same seed of both systems is a pair; a system that no seed moves is the pair of each seed of the other. If the
    two have other seeds on some test set, each system's are averaged first: shape (1, queries), and nothing is known of
    other seeds.

    Raises:
        DataError: two systems were not measured on the same queries.
    """
    for system, other in pairs:
        if system.queries != other.queries:
            raise DataError(
                f"{len(system.queries)} queries are compared with {len(other.queries)} others; both systems must be "
                "measured on the same ones, remove results/metrics"
            )
    moved = [cell for pair in pairs for cell in pair if not cell.is_fixed]
    seeds = moved[0].seeds if moved else ()
    if not seeds or any(sorted(cell.seeds) != sorted(seeds) for cell in moved):
        return [(system.values.mean(axis=0) - other.values.mean(axis=0))[None] for system, other in pairs]
    return [_at(system, seeds) - _at(other, seeds) for system, other in pairs]


def _at(cell: Cell, seeds: Sequence[str]) -> Values:
    """Return the values of some seeds, shape (seeds, queries); of a fixed system its one run, shape (1, queries)."""
    return cell.values if cell.is_fixed else cell.by_seed(seeds)
