"""Compare the two-way test with statsmodels' ANOVA and mixed model, t tests, and experiments without an effect."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.formula.api import ols

from synthrank.stats.randomisation import randomise
from synthrank.stats.two_way import two_way


def drawn(seeds, queries, comparisons=1, spread=0.05, shift=0.03, seed=0):
    random = np.random.default_rng(seed)
    return (
        shift
        + random.normal(0, 0.2, (comparisons, 1, queries))
        + spread * random.normal(0, 1, (comparisons, seeds, 1))
        + random.normal(0, 0.15, (comparisons, seeds, queries))
    )


@pytest.mark.parametrize(("seeds", "queries"), [(2, 9), (3, 40), (5, 17)])
def test_two_way_equals_quasi_f_of_an_anova(seeds, queries):
    """t^2 is the quasi-F of Clark (1973) with Satterthwaite's degrees of freedom, from an ANOVA by statsmodels."""
    values = drawn(seeds, queries)[0]
    frame = pd.DataFrame(
        [(seed, query, values[seed, query]) for seed in range(seeds) for query in range(queries)],
        columns=["seed", "query", "value"],
    )
    table = sm.stats.anova_lm(ols("value ~ C(seed) + C(query)", frame).fit())
    of_queries, of_seeds = table.loc["C(query)", "mean_sq"], table.loc["C(seed)", "mean_sq"]
    found = two_way([values[None]])
    assert found.error[0] ** 2 == pytest.approx((of_queries + of_seeds) / (seeds * queries))
    freedom = (of_queries + of_seeds) ** 2 / (of_queries**2 / (queries - 1) + of_seeds**2 / (seeds - 1))
    assert found.freedom[0] == pytest.approx(freedom)
    quasi_f = seeds * queries * values.mean() ** 2 / (of_queries + of_seeds)
    assert found.t()[0] ** 2 == pytest.approx(quasi_f)
    assert found.p()[0] == pytest.approx(stats.f.sf(quasi_f, 1, freedom))


def test_two_way_agrees_with_a_mixed_model():
    """The mixed model's standard error subtracts the residual's part, which the test keeps."""
    values = drawn(5, 30, spread=0.1)[0]
    frame = pd.DataFrame(
        [(1, seed, query, values[seed, query]) for seed in range(5) for query in range(30)],
        columns=["all", "seed", "query", "value"],
    )
    parts = {"seed": "0 + C(seed)", "query": "0 + C(query)"}
    model = sm.MixedLM.from_formula("value ~ 1", frame, groups="all", re_formula="0", vc_formula=parts)
    fitted = model.fit(reml=True)
    found = two_way([values[None]])
    assert fitted.params["Intercept"] == pytest.approx(found.mean[0])
    assert fitted.bse["Intercept"] ** 2 == pytest.approx(found.error[0] ** 2 - fitted.scale / values.size, rel=1e-3)


def test_two_way_of_one_seed_is_a_paired_t_test():
    values = drawn(1, 25, comparisons=3)
    found = two_way([values])
    expected = stats.ttest_1samp(values[:, 0], 0, axis=1)
    assert found.p() == pytest.approx(expected.pvalue)
    low, high = found.interval(0.9).T
    theirs = expected.confidence_interval(0.9)
    assert (low, high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))
    above = stats.ttest_1samp(values[:, 0], 0.02, axis=1, alternative="greater")
    assert found.p_above(0.02) == pytest.approx(above.pvalue)


def test_two_way_of_one_seed_and_two_test_sets_is_welchs_test():
    """The error of the mean of two means is half of Welch's, in a t test with the second sample negated."""
    one, other = drawn(1, 12, seed=1), drawn(1, 30, seed=2)
    expected = stats.ttest_ind(one[0, 0], -other[0, 0], equal_var=False)
    found = two_way([one, other])
    assert (found.t()[0], found.freedom[0]) == pytest.approx((expected.statistic, expected.df))


def test_two_way_of_a_macro_average_equals_its_definition():
    one, other = drawn(4, 12, seed=1)[0], drawn(4, 30, seed=2)[0]
    of_queries = [np.var(values.mean(axis=0), ddof=1) / values.shape[1] / 4 for values in (one, other)]
    of_seeds = np.var((one.mean(axis=1) + other.mean(axis=1)) / 2, ddof=1) / 4
    squared = sum(of_queries) + of_seeds
    found = two_way([one[None], other[None]])
    assert found.mean[0] == pytest.approx((one.mean() + other.mean()) / 2)
    assert found.error[0] ** 2 == pytest.approx(squared)
    assert found.freedom[0] == pytest.approx(
        squared**2 / (of_queries[0] ** 2 / 11 + of_queries[1] ** 2 / 29 + of_seeds**2 / 3)
    )


def test_two_way_error_agrees_with_simulated_macro_averages():
    """On average it is never below the true error, and above it only by the residuals' part."""
    random = np.random.default_rng(4)
    runs, seeds, sizes = 4000, 5, (20, 60)
    of_seeds = random.normal(0, 0.03, (runs, seeds, 1))
    testsets = [
        random.normal(0, 0.2, (runs, 1, size)) + of_seeds + random.normal(0, 0.15, (runs, seeds, size))
        for size in sizes
    ]
    found = two_way(testsets)
    true = sum(0.2**2 / size / 4 for size in sizes) + 0.03**2 / seeds
    residual = sum(0.15**2 / size / seeds / 4 for size in sizes)
    assert np.var(found.mean) == pytest.approx(true + residual, rel=0.1)
    assert np.mean(found.error**2) == pytest.approx(true + 2 * residual, rel=0.05)


def test_interval_contains_the_points_that_the_test_accepts():
    found = two_way([drawn(5, 40, comparisons=6)])
    for end in found.interval(0.95).T:
        assert found.p(end) == pytest.approx(np.full(6, 0.05))


def test_two_way_of_a_comparison_does_not_depend_on_others():
    values = [drawn(3, 20, comparisons=4, seed=1), drawn(3, 15, comparisons=4, seed=2)]
    together = two_way(values).p()
    assert together == pytest.approx([two_way([array[[place]] for array in values]).p()[0] for place in range(4)])


@pytest.mark.parametrize("seeds", [1, 4])
def test_two_way_without_variance_or_with_one_query(seeds):
    single = two_way([np.full((1, seeds, 1), 0.3)])
    assert (single.p()[0], single.interval(0.95).tolist()) == (1.0, [[-np.inf, np.inf]]), (
        "the spread of one query is unknown"
    )
    assert two_way([np.zeros((1, seeds, 9))]).p()[0] == 1.0
    assert two_way([np.full((1, seeds, 8), 0.5)]).p()[0] == 0.0


def rejected(spread, seeds=5, queries=40, experiments=4000):
    """Return the error rates at .05 for systems without a difference: two-way test, and flips of queries."""
    values = drawn(seeds, queries, experiments, spread * 0.05, 0.0, seed=7)
    flips = np.mean([chance.two_sided < 0.05 for chance in randomise([values[:1500]], 499, seed=1)])
    return np.mean(two_way([values]).p() < 0.05), flips


@pytest.mark.parametrize("spread", [0, 1, 2])
def test_two_way_has_at_most_the_nominal_error_rate_at_five_seeds(spread):
    """At most .055 for any spread of seeds, within two standard errors of 4,000 experiments; flips have more errors."""
    two_ways, flips = rejected(spread)
    assert two_ways <= 0.055 + 2 * (0.055 * 0.945 / 4000) ** 0.5
    assert two_ways >= 0.03, "the test rejects sometimes"
    if spread:
        assert flips > two_ways
    if spread == 2:
        assert flips > 0.07, "flips of queries have too many errors"
