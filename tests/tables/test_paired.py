"""Differences and their two p: by flips against exact enumeration, by the two-way test against scipy's t test."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats

from synthrank.errors import DataError
from synthrank.specs.experiment import Intervals
from synthrank.tables import randomisation
from synthrank.tables.cells import Cell
from synthrank.tables.paired import compare, compare_all, differences

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
    assert found.p_randomisation == pytest.approx(enumerated(ours - theirs), abs=1e-12)


def test_a_case_worked_out_by_hand():
    # of the sums ±.3 ±.2 ±.1 the sizes are .6, .4, .2, .0, .0, .2, .4, .6: two of eight reach .6, four .4
    assert compare(cell([0.3, 0.2, 0.1]), cell([0, 0, 0]), DRAWN).p_randomisation == pytest.approx(2 / 8)
    found = compare(cell([0.3, 0.2, 0.0]), cell([0, 0, 0.1]), DRAWN)
    assert (found.delta, found.p_randomisation) == (pytest.approx(0.4 / 3), pytest.approx(4 / 8))


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
    assert found.p_randomisation == pytest.approx(other, abs=4 * spread + 0.002)
    expected = stats.ttest_rel(ours, theirs)
    assert found.p == pytest.approx(expected.pvalue), "one seed: the paired t test"
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(DRAWN.confidence)))
    assert found.p_randomisation == pytest.approx(found.p, abs=0.06), "differences are close to normal"


def seeded(values, *seeds):
    return replace(cell(values), seeds=seeds)


def test_the_same_seeds_are_pairs_in_whatever_order():
    ours, theirs = np.random.default_rng(1).random((2, 3, 8))
    found = compare(seeded(ours, "1", "2", "3"), seeded(theirs, "1", "2", "3"), DRAWN)
    assert found.delta == pytest.approx((ours - theirs).mean())
    assert found.p_randomisation == pytest.approx(enumerated_t(ours - theirs))
    assert found.p_randomisation != pytest.approx(enumerated((ours - theirs).mean(axis=0)))
    other = compare(seeded(ours, "1", "2", "3"), seeded(theirs[[2, 0, 1]], "3", "1", "2"), DRAWN)
    assert (other.delta, other.p) == (pytest.approx(found.delta), pytest.approx(found.p))


def enumerated_t(values):
    """Return the share of flips of whole queries whose mean over its two-way standard error is as far from 0."""
    seeds, queries = values.shape

    def t(signed):
        rest = signed - signed.mean()
        of_queries = (rest.mean(axis=0) ** 2).sum() / queries / (queries - 1)
        of_seeds = (rest.mean(axis=1) ** 2).sum() / seeds / (seeds - 1)
        return abs(signed.mean()) / np.sqrt(of_queries + of_seeds)

    return np.mean([t(values * signs) >= t(values) - 1e-10 for signs in product((1, -1), repeat=queries)])


def test_other_seeds_are_averaged_first():
    ours, theirs = np.random.default_rng(2).random((2, 2, 8))
    for first, second in ((("1", "2"), ("1", "3")), ((), ()), (("1", "2"), ())):
        found = compare(seeded(ours, *first), seeded(theirs, *second), DRAWN)
        assert found.p_randomisation == pytest.approx(enumerated((ours - theirs).mean(axis=0)))
    one_alone = [(seeded(ours, "1", "2"), seeded(theirs, "1", "2")), (seeded(ours, "1", "2"), cell(theirs[0]))]
    assert [values.shape for values in differences(one_alone)] == [(1, 8), (1, 8)]
    assert [values.shape for values in differences(one_alone[:1])] == [(2, 8)]


def test_many_comparisons_are_as_each_alone():
    """Of several sizes, numbers of seeds and test sets, in an order that is not that of their kinds."""
    random = np.random.default_rng(3)
    names = "1", "2", "3"
    pairs = [
        [(seeded(random.random((3, size)), *names), seeded(random.random((3, size)), *names)) for size in sizes]
        for sizes in ((30,), (12,), (30, 12), (30,))
    ]
    pairs.insert(1, [(cell(random.random(30)), cell(random.random(30)))])
    found = compare_all(pairs, DRAWN)
    assert found == [compare_all([pair], DRAWN)[0] for pair in pairs]
    macro = np.mean([(ours.values - theirs.values).mean() for ours, theirs in pairs[3]])
    assert found[3].delta == pytest.approx(macro)
    assert compare_all([], DRAWN) == []


def test_seeds_that_are_not_known_are_averaged_first():
    """Three seeds of each query are one value: p is that of the means, not of three times as many queries."""
    ours, theirs = two(9, seed=4)
    noise = np.array([[0.05], [-0.02], [-0.03]])
    one, other = compare(cell(ours + noise), cell(theirs), DRAWN), compare(cell(ours), cell(theirs), DRAWN)
    assert one.p_randomisation == other.p_randomisation
    assert one.p == pytest.approx(other.p)
    repeated = compare(cell(np.tile(ours, (3, 1))), cell(np.tile(theirs, (2, 1))), DRAWN)
    assert repeated.p_randomisation == pytest.approx(enumerated(ours - theirs))


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
    assert 0 < found.p_randomisation <= 2 / 2001


def test_the_seed_fixes_it_and_blocks_change_nothing(monkeypatch):
    ours, theirs = map(cell, two(40))
    found = compare(ours, theirs, DRAWN)
    assert found == compare(ours, theirs, DRAWN)
    monkeypatch.setattr(randomisation, "BLOCK", 700)
    assert found == compare(ours, theirs, DRAWN)
    assert found != compare(ours, theirs, Intervals(resamples=2000, seed=6))


def test_other_queries_are_refused():
    one = Cell(("a", "b"), np.zeros((1, 2)))
    for other in (Cell(("a", "c"), np.zeros((1, 2))), Cell(("a",), np.zeros((1, 1)))):
        with pytest.raises(DataError, match=r"^2 queries are compared with \d others; .* remove results/metrics$"):
            compare(one, other, DRAWN)


def test_a_system_that_no_seed_moves_is_the_pair_of_each_seed():
    values = np.random.default_rng(3).normal(0.4, 0.1, (3, 9))
    fixed = replace(cell(values[:1] - 0.05), seeds=("1",), is_fixed=True)
    ours = seeded(values, "1", "2", "3")
    (found,) = differences([(ours, fixed)])
    np.testing.assert_allclose(found, values - (values[0] - 0.05))
    (turned,) = differences([(fixed, ours)])
    np.testing.assert_allclose(turned, -found)
    (alone,) = differences([(fixed, fixed)])
    assert alone.shape == (1, 9)
