"""Intervals of mean differences against plain resampling of queries and seeds."""

import numpy as np
import pytest

from synthrank.specs.experiment import Intervals
from synthrank.tables import bootstrap
from synthrank.tables.bootstrap import interval_of_means
from synthrank.tables.summary import summarise

INTERVALS = Intervals(resamples=6000, confidence=0.9, seed=1)


def values(seeds, queries, seed=0, seed_spread=0.1):
    random = np.random.default_rng(seed)
    return random.normal(0.1, 0.3, (seeds, queries)) + random.normal(0, seed_spread, (seeds, 1))


def plainly(testsets, resamples=6000, confidence=0.9):
    """Return the interval by indices, one resample at a time."""
    random = np.random.default_rng(99)
    means = []
    for _ in range(resamples):
        seeds = random.integers(0, len(testsets[0]), len(testsets[0]))
        parts = [table[seeds][:, random.integers(0, table.shape[1], table.shape[1])].mean() for table in testsets]
        means.append(np.mean(parts))
    return np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])


@pytest.mark.parametrize("sizes", [(30,), (12, 40)])
@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_weights_are_resamples(seeds, sizes):
    testsets = [values(seeds, size, seed=size) for size in sizes]
    low, high = plainly(testsets)
    found = interval_of_means([table[None] for table in testsets], INTERVALS)
    assert found.shape == (1, 2)
    assert found[0] == pytest.approx([low, high], abs=0.07 * (high - low))


def test_one_seed_is_the_bootstrap_over_queries():
    table = values(1, 80)
    mean = summarise([table], INTERVALS)
    found = interval_of_means([table[None]], INTERVALS)[0]
    assert found == pytest.approx([mean.ci_low, mean.ci_high], abs=0.05 * (mean.ci_high - mean.ci_low))


def test_seeds_that_differ_widen_it():
    table = values(4, 50, seed_spread=0.0)
    apart = table + np.array([[0.3], [-0.3], [0.2], [-0.2]])
    narrow, wide = interval_of_means([np.stack([table, apart])], INTERVALS)
    assert wide[1] - wide[0] > 1.8 * (narrow[1] - narrow[0])


def test_a_seed_is_drawn_for_all_test_sets_at_once():
    """What a seed gains on one test set it loses on the other: the macro average does not move."""
    effects = np.array([[0.5], [-0.5], [0.1]])
    both = interval_of_means([np.tile(effects, (1, 9))[None], np.tile(-effects, (1, 5))[None]], INTERVALS)
    assert both[0] == pytest.approx([0, 0], abs=1e-12)
    alone = interval_of_means([np.tile(effects, (1, 9))[None]], INTERVALS)[0]
    assert alone[1] - alone[0] > 0.5


def test_comparisons_have_intervals_of_their_own_and_blocks_change_nothing(monkeypatch):
    tables = np.stack([values(3, 40, seed) for seed in range(3)])
    found = interval_of_means([tables], INTERVALS)
    assert found[1] == pytest.approx(interval_of_means([tables[1:2]], INTERVALS)[0], abs=1e-12)
    monkeypatch.setattr(bootstrap, "BLOCK", 900)
    assert interval_of_means([tables], INTERVALS) == pytest.approx(found, abs=1e-12)
    assert not np.allclose(found, interval_of_means([tables], Intervals(resamples=6000, confidence=0.9, seed=2)))
