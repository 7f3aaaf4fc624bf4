"""Compare Holm's method with its definition and with small examples."""

import numpy as np
import pytest

from synthrank.stats.holm import holm


def test_holm_computes_small_examples():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.001, 0.9]) == pytest.approx([1.0, 0.003, 1.0])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_holm_equals_its_definition():
    family = np.random.default_rng(1).random(30) ** 3
    order = np.argsort(family)
    expected = np.minimum(1, np.maximum.accumulate(family[order] * np.arange(30, 0, -1)))
    assert np.array(holm(list(family)))[order] == pytest.approx(expected)
