"""Compare p-values with exact enumeration (randomisation test) and with scipy's t test (two-way test)."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats

from synthrank.config.experiment import Intervals
from synthrank.errors import DataError
from synthrank.stats import randomisation
from synthrank.stats.paired import compare, compare_all, pair_differences
from synthrank.stats.score_matrix import Cell

DRAWN = Intervals(resamples=2000, seed=5)


def cell(values):
    values = np.atleast_2d(np.asarray(values, dtype=float))
    return Cell(tuple(f"q{place:03}" for place in range(values.shape[1])), values)


def two(queries, seed=0, shift=0.05):
    random = np.random.default_rng(seed)
    first = random.random(queries)
    return first, np.clip(first - shift + random.normal(0, 0.15, queries), 0, 1)


def enumerated(differences):
    """Return the share of all sign flips whose mean is at least as far from 0 as the mean of the differences."""
    observed = abs(differences.mean())
    means = [abs((differences * signs).mean()) for signs in product((1, -1), repeat=len(differences))]
    return np.mean(np.array(means) >= observed - 1e-12)


@pytest.mark.parametrize("queries", [2, 5, 8, 10])
def test_compare_enumerates_few_queries(queries):
    ours, theirs = two(queries, seed=queries)
    found = compare(cell(ours), cell(theirs), DRAWN)
    assert found.delta == pytest.approx((ours - theirs).mean())
    assert found.p_randomisation == pytest.approx(enumerated(ours - theirs), abs=1e-12)


def test_compare_computes_a_small_example():
    # the absolute sums of ±.3 ±.2 ±.1 are .6, .4, .2, .0, .0, .2, .4, .6: two of eight reach .6, four reach .4
    assert compare(cell([0.3, 0.2, 0.1]), cell([0, 0, 0]), DRAWN).p_randomisation == pytest.approx(2 / 8)
    found = compare(cell([0.3, 0.2, 0.0]), cell([0, 0, 0.1]), DRAWN)
    assert (found.delta, found.p_randomisation) == (pytest.approx(0.4 / 3), pytest.approx(4 / 8))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_compare_agrees_with_scipy_on_many_queries(seed):
    """scipy's test uses both systems' values and another generator, so the p-values differ only by chance."""
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


def test_pair_differences_pairs_equal_seeds_in_any_order():
    ours, theirs = np.random.default_rng(1).random((2, 3, 8))
    found = compare(seeded(ours, "1", "2", "3"), seeded(theirs, "1", "2", "3"), DRAWN)
    assert found.delta == pytest.approx((ours - theirs).mean())
    assert found.p_randomisation == pytest.approx(enumerated_t(ours - theirs))
    assert found.p_randomisation != pytest.approx(enumerated((ours - theirs).mean(axis=0)))
    other = compare(seeded(ours, "1", "2", "3"), seeded(theirs[[2, 0, 1]], "3", "1", "2"), DRAWN)
    assert (other.delta, other.p) == (pytest.approx(found.delta), pytest.approx(found.p))


def enumerated_t(values):
    """Return the share of flips of whole queries whose t of the two-way test is at least as far from 0."""
    seeds, queries = values.shape

    def t(signed):
        rest = signed - signed.mean()
        of_queries = (rest.mean(axis=0) ** 2).sum() / queries / (queries - 1)
        of_seeds = (rest.mean(axis=1) ** 2).sum() / seeds / (seeds - 1)
        return abs(signed.mean()) / np.sqrt(of_queries + of_seeds)

    return np.mean([t(values * signs) >= t(values) - 1e-10 for signs in product((1, -1), repeat=queries)])


def test_pair_differences_averages_different_seeds():
    ours, theirs = np.random.default_rng(2).random((2, 2, 8))
    for first, second in ((("1", "2"), ("1", "3")), ((), ()), (("1", "2"), ())):
        found = compare(seeded(ours, *first), seeded(theirs, *second), DRAWN)
        assert found.p_randomisation == pytest.approx(enumerated((ours - theirs).mean(axis=0)))
    one_alone = [(seeded(ours, "1", "2"), seeded(theirs, "1", "2")), (seeded(ours, "1", "2"), cell(theirs[0]))]
    assert [values.shape for values in pair_differences(one_alone)] == [(1, 8), (1, 8)]
    assert [values.shape for values in pair_differences(one_alone[:1])] == [(2, 8)]


def test_compare_all_equals_single_comparisons():
    """The comparisons have mixed sizes, numbers of seeds and test sets."""
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


def test_pair_differences_averages_unknown_seeds():
    """The seeds of a query are one value: p is from the means, not from three times as many queries."""
    ours, theirs = two(9, seed=4)
    noise = np.array([[0.05], [-0.02], [-0.03]])
    one, other = compare(cell(ours + noise), cell(theirs), DRAWN), compare(cell(ours), cell(theirs), DRAWN)
    assert one.p_randomisation == other.p_randomisation
    assert one.p == pytest.approx(other.p)
    repeated = compare(cell(np.tile(ours, (3, 1))), cell(np.tile(theirs, (2, 1))), DRAWN)
    assert repeated.p_randomisation == pytest.approx(enumerated(ours - theirs))


def test_compare_of_swapped_systems_negates_the_difference():
    ours, theirs = two(10)
    one, other = compare(cell(ours), cell(theirs), DRAWN), compare(cell(theirs), cell(ours), DRAWN)
    assert one.delta == -other.delta != 0
    assert one.p == pytest.approx(other.p)


def test_compare_of_equal_systems_finds_no_difference():
    found = compare(cell(np.full(40, 0.3)), cell(np.full((2, 40), 0.3)), DRAWN)
    assert (found.delta, found.p) == (0.0, 1.0)


def test_compare_with_drawn_flips_has_positive_p():
    found = compare(cell(np.full(200, 0.9)), cell(np.full(200, 0.1)), DRAWN)
    assert 0 < found.p_randomisation <= 2 / 2001


def test_compare_depends_on_the_seed_and_not_on_blocks(monkeypatch):
    ours, theirs = map(cell, two(40))
    found = compare(ours, theirs, DRAWN)
    assert found == compare(ours, theirs, DRAWN)
    monkeypatch.setattr(randomisation, "BLOCK", 700)
    assert found == compare(ours, theirs, DRAWN)
    assert found != compare(ours, theirs, Intervals(resamples=2000, seed=6))


def test_compare_refuses_different_queries():
    one = Cell(("a", "b"), np.zeros((1, 2)))
    for other in (Cell(("a", "c"), np.zeros((1, 2))), Cell(("a",), np.zeros((1, 1)))):
        with pytest.raises(
            DataError,
            match=r"^results/metrics: two systems were evaluated on different queries \(2 and \d\); remove the",
        ):
            compare(one, other, DRAWN)


def test_pair_differences_pairs_a_fixed_system_with_each_seed():
    values = np.random.default_rng(3).normal(0.4, 0.1, (3, 9))
    fixed = replace(cell(values[:1] - 0.05), seeds=("1",), is_fixed=True)
    ours = seeded(values, "1", "2", "3")
    (found,) = pair_differences([(ours, fixed)])
    np.testing.assert_allclose(found, values - (values[0] - 0.05))
    (turned,) = pair_differences([(fixed, ours)])
    np.testing.assert_allclose(turned, -found)
    (alone,) = pair_differences([(fixed, fixed)])
    assert alone.shape == (1, 9)
