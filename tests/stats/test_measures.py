"""Compare measures with a plain implementation of their definitions, and with trec_eval."""

import json
import math
import os
import random
from pathlib import Path

import pytest
import pytrec_eval

from synthrank.data.trec import rank, read_qrels, read_run
from synthrank.errors import ConfigError
from synthrank.stats.measures import measure_run

NAMES = ["nDCG@10", "MRR@10", "Recall@100", "AP"]


def reference(ranked, grades, level):
    """Return four measures of the query by their textbook definitions.

    Gains are grades, discounts log2(rank + 1) (Järvelin and Kekäläinen 2002), negative grades count as 0.
    """
    gains = [max(grades.get(name, 0), 0) for name, _ in ranked]
    best = sorted((max(grade, 0) for grade in grades.values()), reverse=True)
    dcg, ideal = (sum(g / math.log2(place + 2) for place, g in enumerate(row[:10])) for row in (gains, best))
    hits = [grades.get(name, 0) >= level for name, _ in ranked]
    relevant = sum(grade >= level for grade in grades.values())
    precisions = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit]
    first = next((place + 1 for place, hit in enumerate(hits[:10]) if hit), None)
    return {
        "nDCG@10": dcg / ideal if ideal else 0.0,
        "MRR@10": 1 / first if first else 0.0,
        "Recall@100": sum(hits[:100]) / relevant if relevant else 0.0,
        "AP": sum(precisions) / relevant if relevant else 0.0,
    }


def as_dict(values):
    return {(name, query): value for name, query, value in values}


def random_case(seed):
    generator = random.Random(seed)
    names = [f"d{number}" for number in range(300)]
    qrels = {
        f"q{number}": {name: generator.randint(-1, 3) for name in generator.sample(names, generator.randint(1, 40))}
        for number in range(8)
    }
    run = {
        query: rank((name, generator.choice([0.5, 1.0, generator.random()])) for name in generator.sample(names, 150))
        for query in [*list(qrels)[1:], "unjudged"]
    }
    return run, qrels


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_measure_run_equals_the_definitions_on_random_runs(seed, level):
    run, qrels = random_case(seed)
    found = as_dict(measure_run(run, qrels, NAMES, level))
    assert len(found) == len(NAMES) * len(qrels)
    for query, grades in qrels.items():
        expected = reference(run.get(query, []), grades, level)
        for name in NAMES:
            assert found[name, query] == pytest.approx(expected[name], abs=1e-9), (name, query)
    assert all(found[name, "q0"] == 0.0 for name in NAMES), "a query that is missing in the run has the value 0"


@pytest.mark.parametrize("seed", range(3))
def test_measure_run_agrees_with_pytrec_eval(seed):
    run, qrels = random_case(seed)
    found = as_dict(measure_run(run, qrels, ["nDCG@10", "AP", "Recall@100", "RR"], 2))
    scored = {query: dict(ranked) for query, ranked in run.items()}
    for measure, name in (
        ("ndcg_cut_10", "nDCG@10"),
        ("map", "AP"),
        ("recall_100", "Recall@100"),
        ("recip_rank", "RR"),
    ):
        values = pytrec_eval.RelevanceEvaluator(qrels, {measure}, relevance_level=2).evaluate(scored)
        assert len(values) == 7
        for query, of_query in values.items():
            assert found[name, query] == pytest.approx(of_query[measure], abs=1e-12)


QRELS = {"a": {"x": 1, "y": 2, "z": 0}, "b": {"x": 1}, "c": {"z": 0}}
RUN = {"a": [("x", 3.0), ("z", 2.0), ("y", 1.0)], "other": [("x", 1.0)]}


def test_measure_run_computes_a_small_example():
    found = as_dict(measure_run(RUN, QRELS, NAMES, 1))
    ndcg = (1 + 2 / 2) / (2 + 1 / math.log2(3))
    assert found["nDCG@10", "a"] == pytest.approx(ndcg)
    assert found["AP", "a"] == pytest.approx((1 + 2 / 3) / 2)
    assert (found["MRR@10", "a"], found["Recall@100", "a"]) == (1.0, 1.0)
    assert {found[name, query] for name in NAMES for query in "bc"} == {0.0}
    assert len(found) == 12, "a query without judgments has no value"


def test_measure_run_applies_the_relevance_level_to_binary_measures():
    found = as_dict(measure_run(RUN, QRELS, [*NAMES, "P@1", "AP(rel=1)"], 2))
    assert found["nDCG@10", "a"] == as_dict(measure_run(RUN, QRELS, NAMES, 1))["nDCG@10", "a"]
    assert found["MRR@10", "a"] == pytest.approx(1 / 3)
    assert found["AP", "a"] == pytest.approx(1 / 3)
    assert found["P@1", "a"] == 0.0
    assert found["AP(rel=1)", "a"] == pytest.approx((1 + 2 / 3) / 2), "a level in the name has priority"


def test_measure_run_keeps_the_names_of_measures():
    values = measure_run(RUN, QRELS, ["MRR@10", "RR@10", "MRR@10"], 1)
    assert [(name, query) for name, query, _ in values] == [
        (name, query) for name in ("MRR@10", "RR@10") for query in "abc"
    ]
    assert values[0][2] == values[3][2] == 1.0


def test_measure_run_of_an_empty_run_is_zero():
    assert {value for *_, value in measure_run({}, QRELS, NAMES, 1)} == {0.0}


@pytest.mark.parametrize("name", ["foo", "nDCG@", "nDCG@ten", ""])
def test_measure_run_refuses_an_unknown_measure(name):
    with pytest.raises(ConfigError) as error:
        measure_run(RUN, QRELS, ["AP", name], 1)
    assert str(error.value).startswith(f"experiment: measures: got {name!r}; ir_measures cannot read it (")
    assert "\n" not in str(error.value)


SHARED = os.environ.get("SYNTHRANK_SHARED", "")
needs_shared = pytest.mark.skipif(not SHARED, reason="reference data: set SYNTHRANK_SHARED")
PRINTED = {"map": "AP", "recip_rank": "RR", "ndcg_cut_10": "nDCG@10"} | {
    f"recall_{depth}": f"Recall@{depth}" for depth in (5, 10, 100, 1000)
}


def printed(path):
    """Return the output of trec_eval as a dictionary from (measure, query id) to text."""
    rows = (line.split() for line in path.read_text().splitlines())
    return {(row[0], row[1]): row[2] for row in rows if len(row) == 3 and row[0] in PRINTED}


def compare(run, qrels, expected, level, complete):
    """Compare all printed values and means, to the last printed digit.

    trec_eval's means are over the queries of the run, or with -c (``complete``) over the judged queries, as here.
    """
    measures = sorted({measure for measure, _ in expected})
    found = as_dict(measure_run(run, qrels, [PRINTED[measure] for measure in measures], level))
    queries = {query for _, query in expected} - {"all"}
    assert queries
    for (measure, query), text in expected.items():
        name = PRINTED[measure]
        counted = [key for key in qrels if any(grade >= level for grade in qrels[key].values()) or complete]
        averaged = counted if complete else [key for key in counted if key in run]
        value = sum(found[name, key] for key in averaged) / len(averaged) if query == "all" else found[name, query]
        assert f"{value:.4f}" == text, (measure, query)
    return len(expected)


@needs_shared
@pytest.mark.parametrize(
    ("run", "qrels", "output", "level"),
    [
        ("results.test", "qrels.test", "out.test.aq", 1),
        ("results.trunc", "qrels.test", "out.test.aqc", 1),
        ("results.test", "qrels.rel_level", "out.test.aql", 2),
    ],
)
def test_measure_run_passes_the_tests_of_trec_eval(run, qrels, output, level, tmp_path):
    """Compare with the expected outputs of trec_eval's `make quicktest`.

    Some lines have words after the sixth column, which trec_eval ignores and read_run refuses.
    """
    folder = Path(SHARED, "golden/trec_eval")
    case = next(item for item in json.loads((folder / "cases.json").read_text()) if item["expected"] == output)
    assert (case["run"], case["qrels"]) == (run, qrels)
    judgments, expected = read_qrels(folder / qrels), printed(folder / output)
    assert {measure for measure, _ in expected} == set(PRINTED)
    lines = (" ".join(line.split()[:6]) for line in (folder / run).read_text().splitlines())
    (tmp_path / "run.trec").write_text("\n".join(lines) + "\n")
    assert compare(read_run(tmp_path / "run.trec"), judgments, expected, level, "-c" in case["args"]) > 20


@needs_shared
@pytest.mark.parametrize("name", ["ICT-BERT2", "ICT-CKNRM_B", "ICT-CKNRM_B50"])
def test_measure_run_reproduces_submissions_to_trec_deep_learning_2019(name):
    """Compare with the results published by TREC, whose binary measures count grade 1 as relevant."""
    folder = Path(SHARED, "golden/trec-dl19-official")
    expected = printed(folder / f"{name}.treceval") | printed(folder / f"{name}.ndcgeval")
    measures = {"map", "recip_rank", "ndcg_cut_10"}
    assert {measure for measure, _ in expected} == measures
    compared = compare(read_run(folder / f"{name}.run"), read_qrels(folder / "qrels-pass.txt"), expected, 1, False)
    assert compared == 44 * len(measures), "43 queries and the mean"


@needs_shared
def test_measure_run_reproduces_bm25_on_trec_deep_learning_2019():
    """Compare with Anserini's regression result of BM25 with default parameters; the stored run has the same top."""
    folder = Path(SHARED, "collections/trec-dl19")
    figures = json.loads(Path(SHARED, "golden/anserini-regressions/regressions.json").read_text())
    published = figures["dl19-passage"]["models"]["bm25-default"]
    run, qrels = read_run(folder / "runs/bm25.trec"), read_qrels(folder / "qrels-full.txt")
    values = measure_run(run, qrels, ["nDCG@10", "Recall@100"], 2)
    for name, key in (("nDCG@10", "nDCG@10"), ("Recall@100", "R@100")):
        mean = [value for measure, _, value in values if measure == name]
        assert len(mean) == 43
        assert sum(mean) / 43 == pytest.approx(published[key][0], abs=5e-4)
