"""Compare variance components with statsmodels' mixed model and with the parameters of random data."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from synthrank.stats.variance_components import components


def drawn(seeds, queries, comparisons=1, spread=0.05, seed=0):
    random = np.random.default_rng(seed)
    return (
        random.normal(0, 0.2, (comparisons, 1, queries))
        + random.normal(0, spread, (comparisons, seeds, 1))
        + random.normal(0, 0.15, (comparisons, seeds, queries))
    )


def test_components_agree_with_a_mixed_model_and_the_parameters():
    """REML and ANOVA agree on balanced data; with many test sets the estimates are close to the parameters."""
    values = drawn(5, 30, spread=0.1)[0]
    frame = pd.DataFrame(
        [(1, seed, query, values[seed, query]) for seed in range(5) for query in range(30)],
        columns=["all", "seed", "query", "value"],
    )
    parts = {"seed": "0 + C(seed)", "query": "0 + C(query)"}
    model = sm.MixedLM.from_formula("value ~ 1", frame, groups="all", re_formula="0", vc_formula=parts)
    fitted = model.fit(reml=True)
    found = components([values])
    assert (found.query, found.seed) == pytest.approx((fitted.vcomp[0], fitted.vcomp[1]), rel=1e-2)
    assert found.residual == pytest.approx(fitted.scale, rel=1e-3)
    every = [components([one, other]) for one, other in zip(
        drawn(4, 40, comparisons=600, spread=0.0), drawn(4, 20, comparisons=600, spread=0.0, seed=1), strict=True)
    ]  # fmt: skip
    assert np.mean([item.query for item in every]) == pytest.approx(0.2**2, rel=0.03)
    assert np.mean([item.residual for item in every]) == pytest.approx(0.15**2, rel=0.02)
    apart = [components([values]).seed for values in drawn(6, 40, comparisons=600, spread=0.2)]
    assert np.mean(apart) == pytest.approx(0.2**2, rel=0.1)


def test_components_sets_negative_estimates_to_0():
    """The means over seeds and over queries are equal, so that only the residual explains the differences."""
    found = components([np.array([[1.0, -1.0], [-1.0, 1.0]])])
    assert (found.query, found.seed) == (0, 0)
    assert found.residual == pytest.approx(4)


@pytest.mark.parametrize("shape", [(1, 9), (4, 1)])
def test_components_refuses_one_seed_or_one_query(shape):
    with pytest.raises(ValueError, match="at least two seeds and two queries"):
        components([np.zeros(shape)])
