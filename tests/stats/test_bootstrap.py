"""Compare means, standard deviations and intervals with numpy and scipy."""

import numpy as np
import pytest
from scipy import stats

from synthrank.config.experiment import Intervals
from synthrank.errors import DataError
from synthrank.stats.bootstrap import summarise

INTERVALS = Intervals(resamples=4000, confidence=0.9, seed=1)


def values(seeds, queries, seed=0):
    return np.random.default_rng(seed).beta(2, 3, size=(seeds, queries))


def test_summarise_computes_a_small_example():
    found = summarise([np.array([[0.0, 1.0], [0.5, 1.0], [1.0, 1.0]])], INTERVALS)
    assert (found.mean, found.seeds, found.queries) == (0.75, 3, 2)
    assert found.std == pytest.approx(0.25), "of the seeds' means .5, .75, 1, with n - 1"
    assert (found.ci_low, found.ci_high) == (0.5, 1.0), "queries' means are .5 and 1"


@pytest.mark.parametrize("seeds", [1, 4])
def test_summarise_agrees_with_numpy_and_scipy(seeds):
    table = values(seeds, 60)
    found = summarise([table], INTERVALS)
    assert found.mean == pytest.approx(table.mean())
    assert found.std == (pytest.approx(np.std(table.mean(axis=1), ddof=1)) if seeds > 1 else None)
    other = stats.bootstrap((table.mean(axis=0),), np.mean, n_resamples=4000, confidence_level=0.9,
                            method="percentile", rng=np.random.default_rng(7)).confidence_interval  # fmt: skip
    width = other.high - other.low
    assert found.ci_low == pytest.approx(other.low, abs=0.06 * width)
    assert found.ci_high == pytest.approx(other.high, abs=0.06 * width)


def test_summarise_gives_test_sets_equal_weight():
    large, small = np.full((2, 90), 0.2), np.full((2, 10), 0.6)
    small[1] = 0.8
    found = summarise([large, small], INTERVALS)
    assert found.mean == pytest.approx((0.2 + 0.7) / 2)
    assert found.std == pytest.approx(np.std([(0.2 + 0.6) / 2, (0.2 + 0.8) / 2], ddof=1))
    assert (found.ci_low, found.ci_high) == (pytest.approx(0.45), pytest.approx(0.45)), "no variance over queries"
    assert (found.seeds, found.queries) == (2, 100)


def test_summarise_resamples_each_test_set_separately():
    tables = [values(1, 40, 1), values(1, 25, 2), values(1, 80, 3)]
    found = summarise(tables, Intervals(resamples=20_000, confidence=0.95, seed=3))
    error = np.sqrt(sum(table.var() / table.size for table in tables)) / 3
    assert (found.ci_high - found.ci_low) / 2 == pytest.approx(1.96 * error, rel=0.05)


def test_summarise_interval_depends_on_confidence_and_seed():
    table = values(1, 50)
    wide, narrow = (summarise([table], Intervals(confidence=level)) for level in (0.99, 0.5))
    assert wide.ci_low < narrow.ci_low < narrow.mean < narrow.ci_high < wide.ci_high
    assert summarise([table], INTERVALS) == summarise([table], INTERVALS)
    assert summarise([table], INTERVALS) != summarise([table], Intervals(resamples=4000, confidence=0.9, seed=2))


def test_resampled_means_do_not_depend_on_blocks():
    table = values(1, 30_000)
    found = summarise([table], Intervals(resamples=400, confidence=0.95, seed=1))
    assert (found.ci_high - found.ci_low) / 2 == pytest.approx(1.96 * table.std() / np.sqrt(table.size), rel=0.25)


def test_summarise_refuses_different_numbers_of_seeds():
    with pytest.raises(DataError, match=r"test sets have \[1, 2\] seeds; a macro average needs the same seeds on all"):
        summarise([values(1, 5), values(2, 5)], INTERVALS)
