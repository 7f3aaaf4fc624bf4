"""A name of a measure is right where the configuration is read: what ir_measures can compute here, and nothing else."""

import itertools
import subprocess
import sys

import ir_measures
import pytest

from synthrank.errors import ConfigError
from synthrank.measures import measure_run
from synthrank.specs.base import validate
from synthrank.specs.experiment import Experiment
from synthrank.specs.measures import MEASURES, checked, cutoff_of
from synthrank.specs.training import Selection

VALUES = {"rel": ["1", "2"], "judged_only": ["True", "False"]}


def every_name():
    for name, (cutoff, params) in MEASURES.items():
        ends = {"needed": ["@1", "@10"], "possible": ["", "@10"], "none": [""]}[cutoff]
        one = ["", *(f"({key}={value})" for key in params for value in VALUES[key])]
        two = [f"({a}={VALUES[a][0]}, {b}={VALUES[b][0]})" for a, b in itertools.combinations(params, 2)]
        yield from (name + stated + end for stated in [*one, *two] for end in ends)


@pytest.mark.parametrize("name", every_name())
def test_what_is_known_is_computed_by_the_installed_providers(name):
    measure = ir_measures.parse_measure(checked(name))
    assert ir_measures.DefaultPipeline.supports(measure)
    assert measure.params.get("cutoff") == cutoff_of(name)
    values = measure_run({"q": [("a", 2.0), ("b", 1.0)]}, {"q": {"b": 1, "c": 2}}, [name], 1)
    assert [query for _, query, _ in values] == ["q"]
    assert 0 <= values[0][2] <= 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nDGC@10", "no such measure can be computed; did you mean 'nDCG@10'? (known: nDCG, AP, "),
        ("ndcg@10", "did you mean 'nDCG@10'?"),
        ("Precision@3", "no such measure can be computed"),
        ("ERR@10", "no such measure can be computed"),
        ("RBP", "no such measure can be computed"),
        ("alpha_nDCG@10", "no such measure can be computed; did you mean 'nDCG@10'?"),
        ("", "no such measure can be computed (known: "),
        ("P@0", "a cutoff is a whole number from 1 on"),
        ("nDCG@", "a cutoff is a whole number from 1 on"),
        ("nDCG@ten", "a cutoff is a whole number from 1 on"),
        ("nDCG@1_0", "a cutoff is a whole number from 1 on"),
        ("nDCG@010", "a cutoff is a whole number from 1 on"),
        ("P", "P needs a cutoff, for example P@10"),
        ("Rprec@5", "Rprec has no cutoff; leave @ out"),
        ("nDCG(dcg='exp-log2')@10", "is no parameter of nDCG"),
        ("RR(rel=0)@10", "'rel=0' is no parameter of RR; each once of: rel="),
        ("RR(rel=1,rel=2)@10", "'rel=2' is no parameter of RR"),
        ("Judged(rel=1)@10", "'rel=1' is no parameter of Judged; each once of: none"),
        ("nDCG()@10", "'' is no parameter of nDCG"),
    ],
)
def test_another_name_is_refused_as_the_experiment_is_read(name, said):
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
        assert str(error.value).startswith(f"{key}: got {name!r}; ")
        assert said in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(ConfigError, match=r"^x: measure: got "):
        validate(Selection, {"learning_rates": [1e-5], "epochs": [1], "retriever": "bm25", "measure": name}, "x")


def test_reading_a_configuration_imports_no_measure():
    code = "import sys, synthrank.study; sys.exit('ir_measures' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
