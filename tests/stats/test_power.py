"""Compare planned power with statsmodels' power of a t test, simulated studies, and a recorded simulation."""

import csv
import sys
from dataclasses import replace
from itertools import pairwise
from math import inf
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from synthrank.stats.anytime import e_value
from synthrank.stats.power import Design, critical, power, queries_needed, seeds_needed, smallest
from synthrank.stats.two_way import two_way
from synthrank.stats.variance_components import Components
from synthrank.steps.tables.family import Hypothesis, adjust_family

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import power as benchmark  # noqa: E402

PARTS = Components(0.04, 0.0025, 0.0225)


def design(queries=(40,), seeds=5, parts=PARTS, hypotheses=0, **more):
    return Design(parts, queries, seeds, **{"over_seeds": True, "alpha": 0.05, "hypotheses": hypotheses, **more})


@pytest.mark.parametrize("queries", [5, 40, 600])
@pytest.mark.parametrize(("one_sided", "theirs"), [(False, "two-sided"), (True, "larger")])
def test_power_of_one_seed_equals_that_of_a_paired_t_test(queries, one_sided, theirs):
    """statsmodels uses the noncentral t and adds the tail on the other side, which no claim counts."""
    plan = design((queries,), 1, Components(0.04, 0.0, 0.0), over_seeds=False, one_sided=one_sided)
    for effect in np.array([1.0, 2.5, 4.0]) / queries**0.5:
        expected = TTestPower().power(effect, queries, 0.05, alternative=theirs)
        wrong_side = (
            0 if one_sided else stats.nct.cdf(-stats.t.isf(0.025, queries - 1), queries - 1, effect * queries**0.5)
        )
        assert power(plan, effect * 0.2) == pytest.approx(expected - wrong_side, abs=2e-3)
    solved = TTestPower().solve_power(None, queries, 0.05, 0.8, alternative=theirs)
    assert smallest(plan) == pytest.approx(0.2 * solved, rel=2e-3)


def simulated(plan, distance, studies=2500):
    random = np.random.default_rng(7)
    found = 0
    for _ in range(0, studies, 500):
        of_seeds = random.normal(0, plan.parts.seed**0.5, (500, plan.seeds, 1))
        testsets = [
            distance + of_seeds + random.normal(0, plan.parts.query**0.5, (500, 1, queries))
            + random.normal(0, plan.parts.residual**0.5, (500, plan.seeds, queries)) for queries in plan.queries
        ]  # fmt: skip
        if not plan.over_seeds:
            testsets = [values.mean(axis=1, keepdims=True) for values in testsets]
        tested = two_way(testsets)
        found += np.count_nonzero((tested.p() < plan.alpha) & (tested.mean > 0))
    return found / studies


@pytest.mark.parametrize(
    "plan",
    [
        design(seeds=3), design((40, 20, 60), 5), design((300,), 2), design((60,), 4, Components(0.04, 0.0, 0.08)),
        design((60,), 4, Components(0.04, 0.0, 0.08), over_seeds=False),
    ],
)  # fmt: skip
def test_power_agrees_with_simulated_studies(plan):
    distance = smallest(plan)
    assert power(plan, distance) == pytest.approx(0.8)
    assert simulated(plan, distance) == pytest.approx(0.8, abs=0.03)
    assert power(plan, distance / 2) == pytest.approx(simulated(plan, distance / 2), abs=0.03)


def test_power_of_e_values_agrees_with_simulated_studies():
    plan = design((60,), 8, Components(0.04, 0.0005, 0.0225), hypotheses=4, first_look=3)
    distance, random = smallest(plan), np.random.default_rng(3)
    values = [
        distance
        + random.normal(0, 0.2, (1, 60))
        + random.normal(0, 0.0005**0.5, (8, 1))
        + random.normal(0, 0.15, (8, 60))
        for _ in range(1500)
    ]
    assert np.mean([e_value([array], 3) >= 4 / 0.05 for array in values]) == pytest.approx(0.8, abs=0.03)
    assert smallest(plan) > smallest(replace(plan, first_look=None)), "repeated looks need a larger difference"


def test_smallest_is_infinite_for_e_values_of_few_seeds():
    assert smallest(design((300,), 3, hypotheses=40, first_look=3)) == inf
    assert smallest(design((300,), 12, hypotheses=40, first_look=3)) < 1


@pytest.mark.parametrize(("ratio", "seeds", "queries"), [(0.0, 5, 30), (0.2, 5, 30), (3.0, 5, 200), (1.0, 3, 60)])
def test_critical_equals_the_quantile_of_max_t(ratio, seeds, queries):
    """If t has the planned value, maxT of a single hypothesis has the planned p, by many flips."""
    plan, random = design(alpha=0.04, hypotheses=1), np.random.default_rng(2)
    by_query, by_seed = (stats.zscore(random.normal(size=count), ddof=1) for count in (queries, seeds))
    of_queries = 1.0
    centred = by_query[None] * (of_queries * queries) ** 0.5 + by_seed[:, None] * (ratio * of_queries * seeds) ** 0.5
    limit = float(critical(np.array([ratio]), np.ones(1), seeds - 1, queries - 1.0, plan)[0])
    # The mean increases the spread of flips, but the plan assumes only the spread of queries.
    error = (of_queries * (1 + ratio)) ** 0.5
    shifted = centred + limit * error
    assert two_way([shifted[None]]).t()[0] == pytest.approx(limit)
    (found,) = adjust_family([Hypothesis({"t": shifted}, 0.0, 0.0)], 40_000, 1)
    assert found == pytest.approx(0.04, rel=0.12)


def test_smallest_decreases_with_queries_seeds_and_fewer_hypotheses():
    for more in ([design(seeds=n) for n in (2, 3, 5, 20)], [design((n,)) for n in (2, 10, 40, 1000)],
                 [design(hypotheses=n) for n in (80, 10, 2)]):  # fmt: skip
        assert all(smallest(one) > smallest(other) for one, other in pairwise(more))


def test_queries_and_seeds_needed_are_minimal():
    plan = design((40, 60), hypotheses=6)
    goal = 0.8 * smallest(plan)
    seeds = seeds_needed(plan, goal)
    assert smallest(replace(plan, seeds=seeds)) <= goal < smallest(replace(plan, seeds=seeds - 1))
    plan = design((40, 60), 10, Components(0.04, 0.0001, 0.01), hypotheses=6)
    total = queries_needed(plan, 0.05)
    shares = (total * 2 // 5 + 1, total * 3 // 5 + 1)
    assert (
        smallest(replace(plan, queries=shares))
        <= 0.05
        < smallest(replace(plan, queries=(shares[0] - 4, shares[1] - 6)))
    )
    assert queries_needed(plan, 1e-3) is None, "no number of queries compensates for different seeds"
    assert seeds_needed(plan, 1e-3) is None


def test_smallest_of_one_query_is_infinite():
    for queries in ((1,), (40, 1)):
        assert (power(design(queries), 9.0), smallest(design(queries))) == (0.0, inf)


def recorded(what, **keys):
    with (ROOT / "docs/power.csv").open(newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["what"] == what and keys.items() <= row.items()]


def near(shares, count, other):
    """Return the difference of two simulated shares that chance exceeds once in ten thousand times."""
    return 4 * (shares * (1 - shares) * (1 / count + 1 / other)) ** 0.5


def test_recorded_power_is_reproduced():
    (row,) = recorded("power", test="two-way", queries="40", seeds="5", spread="1")
    *_, difference, _, planned, found = benchmark.fixed(40, 5, 1, studies=2000)
    assert (f"{difference:.4f}", f"{planned:.4f}") == (row["difference"], row["planned"])
    assert found == pytest.approx(float(row["simulated"]), abs=near(0.8, 2000, 10_000))


def test_recorded_looks_are_reproduced():
    again = benchmark.looks(40, 1, 0.0, studies=1500)
    rows = {row["test"]: float(row["simulated"]) for row in recorded("looks", queries="40", spread="1")}
    assert rows.keys() == again.keys()
    for test, share in again.items():
        assert share == pytest.approx(rows[test], abs=near(max(rows[test], 0.002), 1500, 10_000))


def test_recorded_power_equals_the_plan_and_repeated_looks_are_valid():
    """Within 3 points of the plan and errors at most .05, over 10,000 studies per cell; repeated p fail both."""
    rows = [*recorded("power"), *recorded("added")]
    assert len(rows) >= 30
    assert all(abs(float(row["simulated"]) - float(row["planned"])) <= 0.03 for row in rows)
    looks = recorded("looks")
    assert {row["studies"] for row in looks} == {"10000"}
    by_e = [float(row["simulated"]) for row in looks if "e-value" in row["test"]]
    by_p = [float(row["simulated"]) for row in looks if "two-way p" in row["test"]]
    assert max(by_e) <= 0.05 < min(by_p)
