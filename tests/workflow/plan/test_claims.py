"""The power of claims: the design of each row, unknown values, and the file of variances."""

import csv
import shutil
import subprocess
import sys
from math import inf
from pathlib import Path

import numpy as np
import pytest

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.config.variances import FILE, Variances, read_variances
from synthrank.data.scores import Score, write_scores
from synthrank.errors import ConfigError
from synthrank.stats.power import Design, power, queries_needed, seeds_needed, smallest
from synthrank.stats.variance_components import Components, components
from synthrank.workflow.plan.claims import claims_text, plan_claims

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "benchmarks"))

import variances as benchmark  # noqa: E402

CLAIM = {"statement": "so", "expects": "gain", "distribution": "ood", "treatment": ["zero-shot"], "control": "human",
         "rankers": ["static"]}  # fmt: skip
SEEDS = [1, 2, 3, 4, 5]
OTHERS = ("sqlalchemy-headings", "celery-headings", "lxml-headings", "cython-headings")
OOD = (633, 370, 147, 328)
"""The numbers of test queries out of distribution, as the corpora of OTHERS state them."""


def row(architecture="bi-encoder", model="smollm2-table", distribution="ood", against="control", query=0.04,
        seed=0.0001, residual=0.01, measure="nDCG@10"):  # fmt: skip
    return Variances(
        architecture=architecture, model=model, distribution=distribution, against=against, measure=measure,
        var_query=query, var_seed=seed, var_residual=residual, queries=100, seeds=5, source="here",
    )  # fmt: skip


KNOWN = [row(distribution=where, against=against) for where in ("id", "ood") for against in ("control", "untrained")]


@pytest.fixture
def make(config):
    """Return a function that makes a study with claims and no other section."""
    plain = {
        **read_yaml(config / "config.yaml"),
        **dict.fromkeys(("enrichment", "sizes", "validity", "bias", "twolar")),
    }

    def do(folder=config, seeds=SEEDS, margin=0.02, over=("queries", "seeds"), first_look=None, **claims):
        family = {"margin": margin, "over": list(over), "first_look": first_look,
                  "claims": {name: {**CLAIM, **claim} for name, claim in claims.items()}}  # fmt: skip
        return Study(folder, {**plain, "seeds": seeds, "claims": family})

    return do


def test_plan_claims_uses_the_design_of_each_row(make):
    """A row has the test queries of its corpora, the experiment's seeds and two hypotheses, a gate has one."""
    study = make(one={"distribution": "both"}, two={"expects": "non-inferiority", "treatment": ["human-zero-shot"]})
    rows = plan_claims(study, KNOWN)
    assert [(item.member.name, item.member.distribution, item.queries, item.seeds) for item in rows] == [
        ("one", "id", 394, 5), ("one", "ood", 1478, 5), ("two", "ood", 1478, 5),
    ]  # fmt: skip
    parts = Components(0.04, 0.0001, 0.01)
    tested = Design(parts, OOD, 5, True, 0.05, 6)
    gate = Design(parts, OOD, 5, True, 0.05, 2, one_sided=True)
    for item in rows[1:]:
        assert item.settles == pytest.approx(smallest(tested))
        assert item.power == pytest.approx(power(tested, 0.02))
        assert (item.queries_needed, item.seeds_needed) == (queries_needed(tested, 0.02), seeds_needed(tested, 0.02))
        assert item.gain == pytest.approx(0.02 + smallest(gate))
        assert item.why_not.startswith("cannot be settled: too few ")


def test_plan_claims_of_equivalence_uses_both_tests(make):
    (row,) = plan_claims(make(one={"expects": "equivalence"}), KNOWN)
    tested = Design(Components(0.04, 0.0001, 0.01), OOD, 5, True, 0.05, 2)
    assert row.settles == pytest.approx(smallest(tested, 0.9)) != pytest.approx(smallest(tested, 0.8))
    (wide,) = plan_claims(make(margin=0.2, one={"expects": "equivalence"}), KNOWN)
    assert wide.power == pytest.approx(2 * power(tested, 0.2) - 1)
    assert wide.why_not == ""


def test_plan_claims_over_queries_only_and_with_e_values(make):
    (alone,) = plan_claims(make(seeds=[1], margin=0.01, over=["queries"], one={}), KNOWN)
    parts = Components(0.04, 0.0001, 0.01)
    assert alone.settles == pytest.approx(smallest(Design(parts, OOD, 1, False, 0.05, 2)))
    assert alone.seeds_needed is None, "seeds do not replace queries"
    assert alone.why_not == "cannot be settled: too few queries"
    (by_e,) = plan_claims(make(first_look=4, one={}), KNOWN)
    assert by_e.settles == pytest.approx(smallest(Design(parts, OOD, 5, True, 0.05, 2, first_look=4)))


@pytest.mark.parametrize(
    ("known", "query", "like"),
    [
        ([row(query=0.5, model="minilm-l12-h384"), row()], 0.04, "bi-encoder smollm2-table"),
        ([row(query=0.5, model="minilm-l12-h384"), row(model="electra-base")], 0.5, "bi-encoder minilm-l12-h384"),
        ([row("cross-encoder", query=0.5)], 0.5, "cross-encoder smollm2-table"),
    ],
)
def test_plan_claims_of_an_unknown_ranker_uses_the_largest_similar_variances(make, known, query, like):
    (found,) = plan_claims(make(one={}), [*known, row(against="untrained"), row(distribution="id", query=9.0)])
    assert found.like == like
    assert found.settles == pytest.approx(smallest(Design(Components(query, 0.0001, 0.01), OOD, 5, True, 0.05, 2)))


def test_plan_claims_marks_unknown_values_with_a_reason(make, config, tmp_path):
    (unmeasured,) = plan_claims(make(one={}), [row(), row(against="untrained", measure="AP")])
    assert unmeasured.why_not == "not known: config/variances.csv has no variances of nDCG@10, ood"
    folder = shutil.copytree(config, tmp_path / "config")
    path = folder / "corpora/lxml-headings.yaml"
    path.write_text(path.read_text().split("counts:")[0])
    study = make(folder, one={})
    (uncounted,) = plan_claims(study, KNOWN)
    assert uncounted.why_not == "not known: config/corpora/lxml-headings.yaml does not state counts.splits.test.queries"
    (line,) = (line for line in claims_text([uncounted], study).splitlines() if line.startswith("one "))
    assert line.split()[5:7] == ["?", "5"]
    assert line.endswith(uncounted.why_not)


def test_plan_claims_with_one_query_per_test_set_settles_no_row(make, config, tmp_path):
    folder = shutil.copytree(config, tmp_path / "config")
    path = folder / "corpora/lxml-headings.yaml"
    path.write_text(path.read_text().replace("test: {queries: 147", "test: {queries: 1"))
    study = make(folder, one={})
    (row,) = plan_claims(study, KNOWN)
    assert (row.queries, row.settles, row.power, row.gain) == (1332, inf, 0.0, inf)
    assert row.why_not.startswith("cannot be settled: too few queries")
    text = claims_text([row], study)
    assert "0 of 1 rows of claims can be settled at the margin of 0.02." in text
    assert " none " in next(line for line in text.splitlines() if line.startswith("one "))


def test_the_command_prints_claims_before_requests():
    done = subprocess.run(
        [sys.executable, "scripts/plan.py"], cwd=ROOT, env={"PYTHONPATH": "src", "PATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines[0].startswith("claim ")
    count = next(place for place, line in enumerate(lines) if "rows of claims can be settled" in line)
    assert all(line.rstrip().endswith("can be settled") or "cannot be settled: " in line for line in lines[1:count])
    assert any(line.startswith("rule ") for line in lines[count:])


def test_read_variances_reads_the_committed_file():
    rows = read_variances(ROOT / "config" / FILE)
    assert len({benchmark.key_of(row) for row in rows}) == len(rows) > 0
    assert read_variances(ROOT / "no-such") == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.04", "-0.04", r"variances\.csv:2: var_query must be at least 0; got '-0\.04'$"),
        ("0.04", "nan", r"variances\.csv:2: var_query must be a finite number; got 'nan'"),
        ("nDCG@10", "nDGC@10", r"variances\.csv:2: measure: unknown measure 'nDGC@10'"),
        ("control", "human", r"variances\.csv:2: against: unknown value 'human' "),
        ("var_seed", "var_seeds", r"variances\.csv:2: unknown key 'var_seeds'; did you mean 'var_seed'"),
    ],
)
def test_read_variances_refuses_an_invalid_row(tmp_path, old, new, message):
    path = tmp_path / FILE
    values = row().model_dump()
    path.write_text(f"{','.join(values)}\n{','.join(map(str, values.values()))}\n".replace(old, new))
    with pytest.raises(ConfigError, match=message):
        read_variances(path)


# The benchmark that updates the variances


def scores_of(recipe, llm, seed, shift):
    random = np.random.default_rng([len(recipe), len(llm), seed])
    return [
        Score("static", recipe, llm, str(seed), testset, "nDCG@10", f"q{place}", float(value))
        for testset in ("python-headings", *OTHERS)
        for place, value in enumerate(shift + random.normal(0, 0.1, 12))
    ]


def test_variances_of_a_finished_experiment(make, tmp_path, monkeypatch):
    """The differences of the claims have components over training seeds, even if the claims exclude seeds."""
    study = make(seeds=[1, 2, 3], over=["queries"], one={"distribution": "both"})
    monkeypatch.chdir(tmp_path)
    kept = {}
    for recipe, llm, shift in (("none", "none", 0.2), ("human", "none", 0.4), ("zero-shot", "smollm2-135m", 0.5)):
        for seed in (1, 2, 3):
            kept[recipe, seed] = scores_of(recipe, llm, seed, shift)
            for name in dict.fromkeys(item.testset for item in kept[recipe, seed]):
                path = tmp_path / f"results/metrics/testsets/{name}/{recipe}/{llm}/static/seed-{seed}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                write_scores(path, [item for item in kept[recipe, seed] if item.testset == name])
    found = {(item.distribution, item.against): item for item in benchmark.measured(study, "this")}

    def values(recipe, testset):
        return np.array([[item.value for item in kept[recipe, seed] if item.testset == testset] for seed in (1, 2, 3)])

    expected = components([values("zero-shot", name) - values("human", name) for name in OTHERS])
    item = found["ood", "control"]
    assert (item.var_query, item.var_seed, item.var_residual) == pytest.approx(
        (expected.query, expected.seed, expected.residual), abs=1e-6
    )
    # The untrained ranker does not depend on the seed, so its first run is compared with each seed.
    expected = components([values("human", "python-headings") - values("none", "python-headings")[:1]])
    item = found["id", "untrained"]
    assert (item.var_query, item.var_residual) == pytest.approx((expected.query, expected.residual), abs=1e-6)
    assert (item.architecture, item.model, item.queries, item.seeds) == ("bi-encoder", "smollm2-table", 12, 3)
    with pytest.raises(ConfigError, match="seeds: has one; variances over seeds are seen of two or more"):
        benchmark.measured(make(seeds=[1], over=["queries"], one={}), "this")


def test_updating_the_file_keeps_unmeasured_rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    old = row("cross-encoder", "minilm-l12-h384")
    benchmark.write(tmp_path / "config" / FILE, [old, row(query=0.9)])
    benchmark.write(tmp_path / "config" / FILE, [*read_variances(tmp_path / "config" / FILE), row(query=0.123456)])
    with (tmp_path / "config" / FILE).open(newline="") as stream:
        kept = [(item["architecture"], item["var_query"]) for item in csv.DictReader(stream)]
    assert kept == [("bi-encoder", "0.1235"), ("cross-encoder", "0.04")]
