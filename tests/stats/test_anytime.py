"""Compare e-values with integrals over their priors, searches of their minimum, and studies without an effect."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from synthrank.errors import DataError
from synthrank.stats.anytime import OF_QUERIES, OF_SEEDS, e_value, log_bayes_factor, log_e


def drawn(seeds, queries, seed=0, shift=0.05, spread=0.02):
    random = np.random.default_rng(seed)
    parts = random.normal(0, 0.2, (1, queries)), spread * random.normal(size=(seeds, 1))
    return shift + parts[0] + parts[1] + random.normal(0, 0.15, (seeds, queries))


@pytest.mark.parametrize(("t", "freedom", "spread"), [(0.0, 4, 10.0), (2.3, 4, 50.0), (3.5, 39, 10.0), (9.0, 2, 3.0)])
def test_log_bayes_factor_equals_a_ratio_of_noncentral_t(t, freedom, spread):
    """The density of t, averaged over the prior of its noncentrality, divided by its density without an effect."""
    prior = stats.norm(0, np.sqrt(spread))
    mixed = integrate.quad(lambda effect: stats.nct.pdf(t, freedom, effect) * prior.pdf(effect), -60, 60, limit=400)[0]
    assert np.exp(log_bayes_factor(t**2, freedom, spread)) == pytest.approx(mixed / stats.t.pdf(t, freedom))


def test_log_bayes_factor_equals_an_integral_over_the_right_haar_prior():
    values, spread = [0.3, 0.1, 0.45, 0.2], 2.0

    def log_normal(value, mean, variance):
        return -((value - mean) ** 2 / variance + math.log(2 * math.pi * variance)) / 2

    def likelihood(effect, log_sd):
        sd = math.exp(log_sd)  # d sd / sd is d log sd
        return math.exp(sum(log_normal(value, effect * sd, sd**2) for value in values))

    with_effect = integrate.dblquad(
        lambda effect, log_sd: likelihood(effect, log_sd) * math.exp(log_normal(effect, 0, spread)), -4, 4, -15, 15
    )[0]
    without = integrate.quad(lambda log_sd: likelihood(0, log_sd), -4, 4)[0]
    squared_t = stats.ttest_1samp(values, 0).statistic ** 2
    assert np.exp(log_bayes_factor(squared_t, 3, 4 * spread)) == pytest.approx(with_effect / without, rel=1e-4)


@pytest.mark.parametrize("sizes", [(60,), (40, 25)])
@pytest.mark.parametrize("spread", [0.002, 0.02, 0.2])
def test_e_value_equals_the_minimum_of_the_product(sizes, spread):
    """The product is of Bayes factors of scipy's t tests of seeds and queries; scipy searches its minimum."""
    testsets = [drawn(6, queries, seed=queries, spread=spread) for queries in sizes]
    by_seed = np.mean([values.mean(axis=1) for values in testsets], axis=0) - 0.01
    error = np.sqrt(sum(stats.sem(values[:3].mean(axis=0)) ** 2 for values in testsets)) / len(sizes)

    def log_product(c):
        of_seeds = stats.ttest_1samp(by_seed, c).statistic ** 2
        factors = [np.exp(log_bayes_factor(of_seeds, 5, 6 * variance)) for variance in OF_SEEDS]
        return np.log(np.mean(factors)) + log_bayes_factor((c / error) ** 2, min(sizes) - 1, OF_QUERIES)

    least = optimize.brute(lambda c: log_product(c[0]), [(-0.1, 0.2)], Ns=1_001, full_output=True)[1]
    assert np.log(e_value(testsets, 3, 0.01)) == pytest.approx(least, abs=1e-3)


def test_e_value_of_later_seeds_keeps_the_queries_part():
    values = drawn(8, 50)
    moved = values.copy()
    moved[4:] += np.linspace(-0.2, 0.2, 50) - np.linspace(-0.2, 0.2, 50).mean()  # the seeds' means do not change
    assert e_value([moved], 4) == pytest.approx(e_value([values], 4))
    assert e_value([moved], 8) != pytest.approx(e_value([values], 8))


def test_e_value_is_1_without_information():
    assert e_value([drawn(5, 1, shift=0.9)], 2) == 1.0
    assert e_value([np.zeros((3, 9))], 3) < 1
    assert e_value([drawn(5, 40, shift=0.0, seed=3)], 5) < 1
    assert e_value([np.full((3, 9), 0.2)], 3) > 1, "a difference without variance"


def test_e_value_refuses_fewer_seeds_than_at_the_first_look():
    with pytest.raises(DataError, match=r"2 training seeds, but claims\.first_look is 3; train both with at least 3"):
        e_value([drawn(2, 20)], 3)


def test_e_value_grows_with_the_distance_from_the_point():
    values = drawn(5, 60, shift=0.0)
    values -= values.mean()
    found = [e_value([values + shift], 3) for shift in (0.0, 0.02, 0.05, 0.1, 0.3)]
    assert found == sorted(found)
    assert e_value([values + 0.3], 3) == pytest.approx(e_value([values + 0.4], 3, 0.1))
    assert e_value([values + 0.3], 3) == pytest.approx(e_value([values - 0.3], 3))


def test_e_value_of_a_true_hypothesis_has_mean_at_most_1():
    """The mean of an upper bound of the e-value, at the true c, is at most 1 for every number of seeds."""
    random, runs, queries, first = np.random.default_rng(5), 40_000, 30, 2
    c = random.normal(0, 1 / np.sqrt(queries), runs)
    by_seed = c[:, None] + random.normal(0, 0.3, (runs, 6))
    of_queries = (1 + 0.5 / first) / queries * random.chisquare(queries - 1, runs) / (queries - 1)
    for seeds in (2, 4, 6):
        means, spreads = by_seed[:, :seeds].mean(axis=1), by_seed[:, :seeds].var(axis=1, ddof=1) / seeds
        found = np.exp(log_e(means, spreads, seeds, of_queries, queries - 1))
        assert found.mean() < 1
        assert np.mean(found >= 20) < 0.05
