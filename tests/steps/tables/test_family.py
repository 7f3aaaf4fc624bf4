"""Adjusted p of a family: against an implementation with one flip at a time, and in families without an effect."""

from itertools import product

import numpy as np
import pytest

from synthrank.errors import DataError
from synthrank.stats import randomisation
from synthrank.stats.holm import holm
from synthrank.stats.randomisation import randomise
from synthrank.stats.two_way import two_way
from synthrank.steps.tables import family
from synthrank.steps.tables.family import Hypothesis, adjust_family


def hypothesis(values, point=0.0, *, p=None, **more):
    testsets = {"home": values, **more}
    own = two_way([array[None] for array in testsets.values()]).p(point)[0] if p is None else p
    return Hypothesis(testsets, point, float(own))


def drawn(queries, seeds=1, shift=0.0, seed=0):
    random = np.random.default_rng(seed)
    return shift + random.normal(0, 0.2, (1, queries)) + random.normal(0, 0.1, (seeds, queries))


def by_brute_force(hypotheses, sided):
    """Return the step-down maxT p over all flips (Westfall and Young 1993, algorithm 2.8), for one seed."""
    sizes = {name: array.shape[1] for item in hypotheses for name, array in item.values.items()}

    def t(item, signs):
        signed = [(item.values[name][0] - item.point) * signs[name] for name in item.values]
        mean = np.mean([array.mean() for array in signed])
        return mean / np.sqrt(sum(np.var(array, ddof=1) / len(array) for array in signed) / len(signed) ** 2)

    seen = [sided(t(item, {name: np.ones(size) for name, size in sizes.items()})) for item in hypotheses]
    order = np.argsort(seen)[::-1]
    flips = []
    for signs in product((1, -1), repeat=sum(sizes.values())):
        parts = np.split(np.array(signs), np.cumsum(list(sizes.values()))[:-1])
        flips.append([sided(t(item, dict(zip(sizes, parts, strict=True)))) for item in hypotheses])
    flips, p, before = np.array(flips), {}, 0.0
    for rank, place in enumerate(order):
        largest = flips[:, order[rank:]].max(axis=1)
        before = p[place] = max(before, np.mean(largest >= seen[place] - 1e-9))
    return [p[place] for place in range(len(hypotheses))]


@pytest.mark.parametrize("one_sided", [False, True])
def test_adjust_family_equals_step_down_over_all_flips(one_sided):
    """Four hypotheses with common queries: the third also uses a second test set, two have points other than 0."""
    first, second = drawn(7, seed=3), drawn(4, seed=4)
    items = [
        hypothesis(first + 0.35, p=0.0), hypothesis(first + 0.1 * drawn(7, seed=5), 0.05, p=0.0),
        hypothesis(-first + 0.05, p=0.0, away=second), hypothesis(drawn(7, seed=6) + 0.3, 0.1, p=0.0),
    ]  # fmt: skip
    expected = by_brute_force(items, (lambda t: t) if one_sided else abs)
    found = adjust_family(items, 40_000, seed=1, one_sided=one_sided)
    assert found == pytest.approx(expected, abs=0.01)
    assert len({round(p, 3) for p in expected}) > 1


def test_adjust_family_of_one_hypothesis_is_a_randomisation_test():
    values = drawn(60, shift=0.03, seed=2)
    chance = randomise([values[None]], 20_000, seed=1)[0].two_sided
    assert adjust_family([hypothesis(values, p=0.0)], 20_000, seed=1)[0] == pytest.approx(chance, abs=0.01)


def test_adjust_family_counts_identical_hypotheses_once():
    """Twenty copies of a comparison count as one test, twenty independent comparisons as nearly twenty, as by Holm."""
    values = drawn(50, seed=8)
    values += 0.1 - values.mean()
    single = adjust_family([hypothesis(values)], 20_000, seed=1)[0]
    copies = adjust_family([hypothesis(values)] * 20, 20_000, seed=1)
    assert copies == pytest.approx([single] * 20)
    apart = adjust_family(
        [hypothesis(values), *(hypothesis(drawn(50, seed=place)) for place in range(20, 39))], 20_000, 1
    )
    by_holm = holm([hypothesis(values).p] * 20)[0]
    assert 8 * single < apart[0] < 1.3 * by_holm
    assert copies[0] < 0.1 * by_holm


def test_adjust_family_is_at_least_the_unadjusted_p_and_keeps_the_order():
    items = [hypothesis(drawn(30, 5, shift, place)) for place, shift in enumerate((0, 0.02, 0.05, 0.1, 0.2))]
    found = adjust_family(items, 3000, seed=1)
    assert all(p >= item.p for p, item in zip(found, items, strict=True))
    assert min(found) >= 1 / 3001
    assert np.argsort(found).tolist() == np.argsort([item.p for item in items]).tolist()


def test_adjust_family_tests_the_mean_against_the_point():
    values = drawn(80, 5, 0.05, seed=5)
    mean = float(values.mean())
    inside, outside = adjust_family([hypothesis(values, mean), hypothesis(values, mean - 0.5)], 2000, seed=1)
    assert inside == 1.0
    assert outside < 0.001
    above, below = adjust_family([hypothesis(values, mean - 0.5, p=0), hypothesis(values, mean + 0.5, p=1)], 2000, 1,
                            one_sided=True)  # fmt: skip
    assert (above < 0.001, below) == (True, 1.0)


def test_adjust_family_is_deterministic_for_any_block_size(monkeypatch):
    items = [hypothesis(drawn(40, 1, 0.05, seed)) for seed in range(3)]
    found = adjust_family(items, 2000, seed=1)
    assert adjust_family(items, 2000, seed=1) == found != adjust_family(items, 2000, seed=2)
    monkeypatch.setattr(family, "BLOCK", 5000)
    monkeypatch.setattr(randomisation, "BLOCK", 5000)
    assert adjust_family(items, 2000, seed=1) == found


def test_adjust_family_refuses_different_queries_of_a_test_set():
    with pytest.raises(DataError, match=r"^results/metrics: rankers were scored on different queries of home; remove"):
        adjust_family([hypothesis(drawn(9)), hypothesis(drawn(8))], 99, seed=1)


def errors(spread, families=400, rows=8, seeds=5, queries=40):
    """Return the share of families without an effect that have an adjusted p below .05, here and by Holm's method."""
    random = np.random.default_rng(3)
    counts = np.zeros(2)
    for run in range(families):
        shared = random.normal(0, 0.18, (1, 1, queries))
        values = shared + random.normal(0, 0.09, (rows, 1, queries)) + random.normal(0, 0.15, (rows, seeds, queries))
        values += spread * 0.05 * random.normal(0, 1, (rows, seeds, 1))
        p = two_way([values]).p()
        items = [Hypothesis({"t": row}, 0.0, float(own)) for row, own in zip(values, p, strict=True)]
        counts += min(adjust_family(items, 299, run)) < 0.05, rows * p.min() < 0.05  # Holm's first step
    return counts / families


@pytest.mark.parametrize("spread", [0, 2])
def test_family_wise_errors_at_five_seeds(spread):
    ours, by_holm = errors(spread)
    assert ours <= 0.055 + 2 * (0.055 * 0.945 / 400) ** 0.5
    if spread:
        assert ours < by_holm, "with few seeds, p is too small in the tail, which Holm's method uses"
