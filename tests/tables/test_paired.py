"""Differences and their p against exact enumeration, and against scipy on both systems' values."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from synthrank.errors import DataError
from synthrank.specs.experiment import Intervals
from synthrank.tables import paired
from synthrank.tables.cells import Cell
from synthrank.tables.paired import compare

DRAWN = Intervals(resamples=2000, seed=5)


def cell(values):
    values = np.atleast_2d(np.asarray(values, dtype=float))
    return Cell(tuple(f"q{place:03}" for place in range(values.shape[1])), values)


def two(queries, seed=0, shift=0.05):
    random = np.random.default_rng(seed)
    first = random.random(queries)
    return first, np.clip(first - shift + random.normal(0, 0.15, queries), 0, 1)


def enumerated(differences):
    """Return the share of all flips of signs whose mean is at least as far from 0 as that of the differences."""
    observed = abs(differences.mean())
    means = [abs((differences * signs).mean()) for signs in product((1, -1), repeat=len(differences))]
    return np.mean(np.array(means) >= observed - 1e-12)


@pytest.mark.parametrize("queries", [2, 5, 8, 10])
def test_few_queries_are_enumerated(queries):
    ours, theirs = two(queries, seed=queries)
    found = compare(cell(ours), cell(theirs), DRAWN)
    assert found.delta == pytest.approx((ours - theirs).mean())
    assert found.p == pytest.approx(enumerated(ours - theirs), abs=1e-12)


def test_a_case_worked_out_by_hand():
    # of the sums ±.3 ±.2 ±.1 the sizes are .6, .4, .2, .0, .0, .2, .4, .6: two of eight reach .6, four .4
    assert compare(cell([0.3, 0.2, 0.1]), cell([0, 0, 0]), DRAWN).p == pytest.approx(2 / 8)
    found = compare(cell([0.3, 0.2, 0.0]), cell([0, 0, 0.1]), DRAWN)
    assert (found.delta, found.p) == (pytest.approx(0.4 / 3), pytest.approx(4 / 8))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_queries_agree_with_scipy_on_pairs(seed):
    """The same test, written with both systems' values and another generator; the tails may differ by chance alone."""
    ours, theirs = two(60, seed=seed, shift=0.02)
    other = stats.permutation_test(
        (ours, theirs), lambda x, y: np.mean(x) - np.mean(y), permutation_type="samples", n_resamples=2000,
        rng=np.random.default_rng(99),
    ).pvalue  # fmt: skip
    found = compare(cell(ours), cell(theirs), DRAWN)
    spread = (2 * other * (1 - other / 2) / 2000) ** 0.5
    assert found.p == pytest.approx(other, abs=4 * spread + 0.002)
    assert found.p == pytest.approx(stats.ttest_rel(ours, theirs).pvalue, abs=0.06), "close to normal, near the t-test"


def test_seeds_are_averaged_first():
    """Three seeds of each query are one value: p is that of the means, not of three times as many queries."""
    ours, theirs = two(9, seed=4)
    noise = np.array([[0.05], [-0.02], [-0.03]])
    assert compare(cell(ours + noise), cell(theirs), DRAWN).p == compare(cell(ours), cell(theirs), DRAWN).p
    repeated = compare(cell(np.tile(ours, (3, 1))), cell(np.tile(theirs, (2, 1))), DRAWN)
    assert repeated.p == pytest.approx(enumerated(ours - theirs))


def test_the_order_of_the_two_turns_the_difference_and_leaves_p():
    ours, theirs = two(10)
    one, other = compare(cell(ours), cell(theirs), DRAWN), compare(cell(theirs), cell(ours), DRAWN)
    assert one.delta == -other.delta != 0
    assert one.p == pytest.approx(other.p)


def test_equal_systems_differ_by_nothing():
    found = compare(cell(np.full(40, 0.3)), cell(np.full((2, 40), 0.3)), DRAWN)
    assert (found.delta, found.p) == (0.0, 1.0)


def test_p_of_drawn_permutations_is_never_zero():
    found = compare(cell(np.full(200, 0.9)), cell(np.full(200, 0.1)), DRAWN)
    assert 0 < found.p <= 2 / 2001


def test_the_seed_fixes_it_and_blocks_change_nothing(monkeypatch):
    ours, theirs = map(cell, two(40))
    found = compare(ours, theirs, DRAWN)
    assert found == compare(ours, theirs, DRAWN)
    monkeypatch.setattr(paired, "BLOCK", 700)
    assert found == compare(ours, theirs, DRAWN)
    assert found != compare(ours, theirs, Intervals(resamples=2000, seed=6))


def test_other_queries_are_refused():
    one = Cell(("a", "b"), np.zeros((1, 2)))
    for other in (Cell(("a", "c"), np.zeros((1, 2))), Cell(("a",), np.zeros((1, 1)))):
        with pytest.raises(DataError, match=r"^2 queries are compared with \d others; .* remove results/metrics$"):
            compare(one, other, DRAWN)
