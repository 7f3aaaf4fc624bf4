"""Compare randomisation tests with full enumeration, scipy, and experiments without an effect."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from synthrank.stats import randomisation
from synthrank.stats.randomisation import randomise


def drawn_values(seeds, queries, shift=0.05, seed=0, comparisons=1):
    random = np.random.default_rng(seed)
    return (
        shift + random.normal(0, 0.2, (comparisons, 1, queries)) + random.normal(0, 0.1, (comparisons, seeds, queries))
    )


def t_of(testsets):
    """Return t of arrays (seeds, queries) by its definition, from variances of queries' and of seeds' means."""
    seeds = len(testsets[0])
    mean = np.mean([values.mean() for values in testsets])
    if seeds == 1:
        return mean
    parts = len(testsets)
    queries = sum(np.var(values.mean(axis=0), ddof=1) / values.shape[1] for values in testsets) / parts**2
    of_seed = [np.mean([values[seed].mean() for values in testsets]) for seed in range(seeds)]
    return mean / np.sqrt(queries + np.var(of_seed, ddof=1) / seeds)


def enumerated(testsets):
    """Return the two-sided p and both one-sided p over all flips, one by one."""
    sizes = [values.shape[1] for values in testsets]
    seen, found = t_of(testsets), []
    for signs in product((1, -1), repeat=sum(sizes)):
        parts = np.split(np.array(signs), np.cumsum(sizes)[:-1])
        found.append(t_of([values * part for values, part in zip(testsets, parts, strict=True)]))
    found = np.array(found)
    return (
        np.mean(np.abs(found) >= abs(seen) - 1e-10),
        np.mean(found >= seen - 1e-10),
        np.mean(found <= seen + 1e-10),
    )


def all_of(chance):
    return chance.two_sided, chance.above, chance.below


@pytest.mark.parametrize("sizes", [(7,), (9,), (4, 5)])
@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_randomise_enumerates_few_queries(seeds, sizes):
    testsets = [drawn_values(seeds, size, seed=size) for size in sizes]
    (found,) = randomise(testsets, 1000, seed=1)
    assert all_of(found) == pytest.approx(enumerated([values[0] for values in testsets]), abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.06, 0.12])
def test_randomise_agrees_with_scipy_on_all_and_on_drawn_flips(shift):
    values = drawn_values(1, 12, shift, seed=4)
    expected = [
        stats.permutation_test((values[0, 0],), np.mean, permutation_type="samples", alternative=side).pvalue
        for side in ("two-sided", "greater", "less")
    ]
    assert all_of(randomise([values], 4096, seed=1)[0]) == pytest.approx(expected, abs=1e-12)
    found = randomise([np.repeat(values, 2, axis=2)[..., ::2], np.zeros((1, 1, 20))], 200_000, seed=1)[0]
    # an additional test set without differences makes the same flips drawn instead of counted
    assert all_of(found) == pytest.approx(expected, abs=0.004)


def test_randomise_with_many_drawn_flips_is_close_to_scipy():
    values = drawn_values(1, 16, seed=7)
    values += 0.09 - values.mean()
    exact = stats.permutation_test((values[0, 0],), np.mean, permutation_type="samples", n_resamples=2**16).pvalue
    assert 0.005 < exact < 0.06
    assert randomise([values], 2**16, seed=1)[0].two_sided == pytest.approx(exact, abs=1e-12)
    assert randomise([values], 2**16 - 1, seed=1)[0].two_sided == pytest.approx(exact, abs=0.002)


def test_randomise_counts_all_flips_up_to_permutations():
    values = drawn_values(1, 10)
    counted, drawn = randomise([values], 1024, seed=1)[0], randomise([values], 1023, seed=1)[0]
    assert counted.two_sided * 1024 == pytest.approx(round(counted.two_sided * 1024))
    assert drawn.two_sided * 1024 == pytest.approx(round(drawn.two_sided * 1024)), "(count + 1) / (1023 + 1)"
    assert randomise([values], 1024, seed=2)[0] == counted
    assert randomise([values], 1023, seed=2)[0] != drawn


def test_randomise_with_drawn_flips_has_positive_p():
    (found,) = randomise([np.full((1, 3, 60), 0.5)], 999, seed=1)
    assert all_of(found) == pytest.approx((1 / 1000, 1 / 1000, 1.0))


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("queries", [9, 70])
def test_randomise_of_a_comparison_does_not_depend_on_others(seeds, queries):
    """Other comparisons and blocks do not change p, and negated differences swap its sides."""
    values = drawn_values(seeds, queries, comparisons=4)
    together = randomise([values], 3000, seed=2)
    assert together == [randomise([values[place : place + 1]], 3000, seed=2)[0] for place in range(4)]
    turned = randomise([-values], 3000, seed=2)
    assert [chance.two_sided for chance in turned] == [chance.two_sided for chance in together]
    assert [chance.above for chance in turned] == [chance.below for chance in together]


def test_randomise_does_not_depend_on_blocks(monkeypatch):
    values = [drawn_values(3, 40, comparisons=3), drawn_values(3, 90, seed=1, comparisons=3)]
    found = randomise(values, 2000, seed=2)
    monkeypatch.setattr(randomisation, "BLOCK", 5000)
    assert randomise(values, 2000, seed=2) == found


@pytest.mark.parametrize("signs", [[1] * 30 + [-1] * 10, [1] * 21 + [-1] * 19, [1] * 20 + [-1] * 20])
def test_randomise_counts_ties_despite_rounding(signs):
    """With equal absolute differences p is binomial, and at least a twentieth of all flips equal the observation."""
    values = np.array(signs)[None, None] / 3 + 0.0
    expected = stats.binomtest(signs.count(1), 40).pvalue
    assert randomise([values], 40_000, seed=3)[0].two_sided == pytest.approx(expected, abs=0.008)


@pytest.mark.parametrize(("seeds", "queries"), [(1, 1), (3, 1), (1, 30), (3, 30), (2, 5)])
def test_randomise_of_equal_systems_has_p_1(seeds, queries):
    assert all_of(randomise([np.zeros((1, seeds, queries))], 500, seed=1)[0]) == (1.0, 1.0, 1.0)


def test_randomise_gives_a_difference_of_some_seeds_less_weight():
    queries = np.random.default_rng(1).normal(0.1, 0.2, 30)
    agreeing = np.stack([queries, queries, queries])
    parted = agreeing + np.array([[0.15], [0.0], [-0.15]])
    one, other, averaged = randomise([np.stack([agreeing, parted, agreeing])], 20_000, seed=1)
    assert one.two_sided < 0.03
    assert other.two_sided > 2 * one.two_sided, "equal means, different seeds"
    assert averaged == one
    single = randomise([queries[None, None]], 20_000, seed=1)[0]
    assert one.two_sided == pytest.approx(single.two_sided, abs=0.01), "equal seeds are one seed"


def test_randomise_gives_test_sets_equal_weight():
    """A hundred queries without a difference do not hide ten queries with a difference, unlike in a single pool."""
    small = np.random.default_rng(2).normal(0.3, 0.1, (1, 1, 10))
    large = np.random.default_rng(3).normal(0.0, 0.1, (1, 1, 100))
    apart = randomise([small, large], 5000, seed=1)[0].two_sided
    pooled = randomise([np.concatenate([small, large], axis=2)], 5000, seed=1)[0].two_sided
    assert apart < 0.01 < pooled


def rejected(seed_spread, seeds=3, queries=40, experiments=400):
    """Return the shares of experiments without an effect with p below .05, for all seeds and for their means."""
    random = np.random.default_rng(11)
    values = (
        random.normal(0, 0.2, (experiments, 1, queries))
        + random.normal(0, 0.15, (experiments, seeds, queries))
        + random.normal(0, seed_spread, (experiments, seeds, 1))
    )
    means = values.mean(axis=1, keepdims=True)
    return [np.mean([c.two_sided < 0.05 for c in randomise([data], 999, seed=1)]) for data in (values, means)]


def test_randomise_has_the_nominal_error_rate_if_seeds_are_equal():
    assert 0.02 <= rejected(0.0)[0] <= 0.08, "within three standard errors of .05"


def test_randomise_has_fewer_errors_than_means_if_seeds_differ():
    """With three seeds the error rate is too high, but much lower than with averaged seeds."""
    with_seeds, averaged = rejected(0.05)
    assert with_seeds < 0.75 * averaged
    assert with_seeds < 0.13
    many, averaged = rejected(0.05, seeds=10)
    assert many < 0.085 < averaged + 0.03
