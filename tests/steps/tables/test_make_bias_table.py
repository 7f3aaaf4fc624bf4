"""The table of wording bias: the published equation, intervals over queries, and a row per system."""

import random

import numpy as np
import pytest

from synthrank.config.experiment import Intervals
from synthrank.data.scores import Score, write_scores
from synthrank.errors import DataError
from synthrank.steps.tables.make_bias_table import make_bias_table, relative


@pytest.fixture
def make(tmp_path, table_of):
    """Return a function that makes the table of {(ranker, recipe, llm, seed): {wording: values}}."""

    def do(systems, resamples=400):
        paths = []
        for place, ((ranker, recipe, llm, seed), of_wording) in enumerate(systems.items()):
            paths.append(tmp_path / f"{place}.csv")
            write_scores(paths[-1], (
                Score(ranker, recipe, llm, seed, "mixed", f"nDCG@10 {wording}", f"q{number}", value)
                for wording, values in of_wording.items() for number, value in enumerate(values)
            ))  # fmt: skip
        intervals = Intervals(resamples=resamples, confidence=0.9, seed=3)
        return table_of(make_bias_table, metrics=paths, measure="nDCG@10", intervals=intervals)

    return do


def test_bias_table_equals_values_computed_by_hand(make):
    rows, text = make({
        ("bm25", "none", "none", ""): {"human": [0.6, 0.2], "rewritten": [0.2, 0.2]},
        ("ce", "human", "none", "1"): {"human": [0.1, 0.0], "rewritten": [0.3, 0.0]},
        ("ce", "human", "none", "2"): {"human": [0.3, 0.0], "rewritten": [0.5, 0.0]},
    })  # fmt: skip
    assert list(rows[0]) == (
        "ranker recipe llm testset measure human rewritten relative ci_low ci_high delta p seeds queries".split()
    )
    first, second = rows
    assert (first["human"], first["rewritten"], first["delta"]) == ("0.4000", "0.2000", "0.2000")
    assert first["relative"] == "66.6667"  # 2 (.4 - .2) / .6
    assert (second["human"], second["rewritten"], second["relative"]) == ("0.1000", "0.2000", "-66.6667")
    assert (first["seeds"], second["seeds"], second["queries"]) == ("1", "2", "2")
    assert "| bm25 | first stage | 1 | 0.400 | 0.200 | +66.7 [" in text
    assert "| ce | human | 2 | 0.100 | 0.200 | -66.7 [" in text


def test_bias_table_interval_resamples_queries_with_both_values(make):
    generator = random.Random(5)
    human = [generator.random() for _ in range(30)]
    half = [value / 2 for value in human]
    rows, _ = make({("a", "none", "none", ""): {"human": human, "rewritten": half}})
    assert rows[0]["relative"] == rows[0]["ci_low"] == rows[0]["ci_high"] == "66.6667", (
        "the relative difference is the same for every query"
    )
    other = [generator.random() for _ in range(30)]
    rows, _ = make({("a", "none", "none", ""): {"human": human, "rewritten": other}}, resamples=4000)
    low, high = float(rows[0]["ci_low"]), float(rows[0]["ci_high"])
    drawn = np.array([[generator.randrange(30) for _ in range(30)] for _ in range(4000)])
    means = np.stack([np.array(human)[drawn].mean(axis=1), np.array(other)[drawn].mean(axis=1)], axis=1)
    found = 200 * (means[:, 0] - means[:, 1]) / means.sum(axis=1)
    assert [low, high] == pytest.approx(np.quantile(found, [0.05, 0.95]).tolist(), abs=3)
    assert low < float(rows[0]["relative"]) < high


def test_bias_table_has_no_relative_difference_if_both_means_are_0(make):
    rows, text = make({("a", "none", "none", ""): {"human": [0.0, 0.0], "rewritten": [0.0, 0.0]}})
    assert (rows[0]["relative"], rows[0]["ci_low"], rows[0]["human"]) == ("", "", "0.0000")
    assert "| a | first stage | 1 | 0.000 | 0.000 |  | +0.000 (p 1.000) |" in text


def test_bias_table_refuses_a_system_with_one_wording(make):
    with pytest.raises(DataError, match="nDCG@10 rewritten of a/none/none on mixed is missing"):
        make({("a", "none", "none", ""): {"human": [1.0]}})


def test_relative_is_the_published_equation():
    assert relative(np.array([[0.3, 0.1], [0.1, 0.3], [0.2, 0.2], [0.0, 0.0], [0.5, 0.0]])).tolist() == pytest.approx(
        [100, -100, 0, 0, 200]
    )
