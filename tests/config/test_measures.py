"""Names of measures, which are checked when the configuration is read."""

import itertools
import re
import subprocess
import sys

import ir_measures
import pytest

from synthrank.config.base import validate
from synthrank.config.experiment import Experiment
from synthrank.config.measures import MEASURES, check_measure, cutoff_of
from synthrank.config.training import Selection
from synthrank.errors import ConfigError
from synthrank.stats.measures import measure_run

VALUES = {"rel": ["1", "2"], "judged_only": ["True", "False"]}


def every_name():
    for name, (cutoff, params) in MEASURES.items():
        ends = {"needed": ["@1", "@10"], "possible": ["", "@10"], "none": [""]}[cutoff]
        one = ["", *(f"({key}={value})" for key in params for value in VALUES[key])]
        two = [f"({a}={VALUES[a][0]}, {b}={VALUES[b][0]})" for a, b in itertools.combinations(params, 2)]
        yield from (name + stated + end for stated in [*one, *two] for end in ends)


@pytest.mark.parametrize("name", every_name())
def test_every_known_measure_is_computed_by_the_installed_providers(name):
    measure = ir_measures.parse_measure(check_measure(name))
    assert ir_measures.DefaultPipeline.supports(measure)
    assert measure.params.get("cutoff") == cutoff_of(name)
    values = measure_run({"q": [("a", 2.0), ("b", 1.0)]}, {"q": {"b": 1, "c": 2}}, [name], 1)
    assert [query for _, query, _ in values] == ["q"]
    assert 0 <= values[0][2] <= 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nDGC@10", "unknown measure 'nDGC@10'; did you mean 'nDCG@10'?"),
        ("ndcg@10", "unknown measure 'ndcg@10'; did you mean 'nDCG@10'?"),
        ("ndcg10", "unknown measure 'ndcg10'; did you mean 'nDCG@10'?"),
        ("Precision@3", "unknown measure 'Precision@3' (known: AP, Bpref, "),
        ("ERR@10", "unknown measure 'ERR@10'; did you mean 'RR@10'?"),
        ("RBP", "unknown measure 'RBP'"),
        ("alpha_nDCG@10", "unknown measure 'alpha_nDCG@10'"),
        ("", "unknown measure '' (known: "),
        ("P@0", "must be a whole number of at least 1"),
        ("nDCG@", "must be a whole number of at least 1"),
        ("P@1000000", "must be a whole number of at least 1 and below 1,000,000"),
        (f"P@{'9' * 6000}", "must be a whole number of at least 1 and below 1,000,000"),
        ("RR(rel=101)@10", "has an unknown or repeated parameter 'rel=101'"),
        ("nDCG@ten", "must be a whole number of at least 1"),
        ("nDCG@1_0", "must be a whole number of at least 1"),
        ("nDCG@010", "must be a whole number of at least 1"),
        ("P", "measure 'P' needs a cutoff, for example P@10"),
        ("Rprec@5", "measure 'Rprec@5' takes no cutoff; remove @5"),
        ("nDCG(dcg='exp-log2')@10", "has an unknown or repeated parameter \"dcg='exp-log2'\""),
        ("RR(rel=0)@10", "has an unknown or repeated parameter 'rel=0' (known: rel="),
        ("RR(rel=1,rel=2)@10", "has an unknown or repeated parameter 'rel=2'"),
        ("Judged(rel=1)@10", "has an unknown or repeated parameter 'rel=1' (known: none)"),
        ("nDCG()@10", "has an unknown or repeated parameter ''"),
    ],
)
def test_an_unknown_measure_is_refused_when_the_experiment_is_read(name, message):
    experiment = {"llms": [], "recipes": ["r"], "rankers": ["k"], "seeds": [1], "suites": ["s"]}
    stated = {
        "experiment: measures.1": {"measures": ["nDCG@10", name]},
        "experiment: bias.measure": {"measures": ["nDCG@10"], "bias": {"suites": ["s"], "measure": name}},
        "experiment: twolar.measures.0": {
            "measures": ["nDCG@10"],
            "twolar": {"recipes": ["r"], "rankers": ["k"], "measures": [name]},
        },
    }
    for key, change in stated.items():
        with pytest.raises(ConfigError) as error:
            validate(Experiment, experiment | change, "experiment")
        assert str(error.value).startswith(f"{key}: ")
        assert message in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match=rf"^x: measure: .*{re.escape(message)}"):
        validate(Selection, {"learning_rates": [1e-5], "epochs": [1], "retriever": "bm25", "measure": name}, "x")


def test_reading_a_configuration_does_not_import_ir_measures():
    code = "import sys, synthrank.config.study; sys.exit('ir_measures' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
