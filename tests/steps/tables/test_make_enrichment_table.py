"""The table of enrichment: every system compared with the base and the control, per test set and on average."""

from itertools import product

import numpy as np
import pytest
from passage_case import MEASURES, QUERIES, scores, values, write_entities, write_metrics

from synthrank.config.experiment import Intervals
from synthrank.errors import DataError
from synthrank.stats.bootstrap import summarise
from synthrank.stats.two_way import two_way
from synthrank.steps.tables.make_enrichment_table import make_enrichment_table

COLUMNS = (
    "distribution testset measure ranker role recipe llm mean std ci_low ci_high seeds queries delta_base "
    "delta_base_low delta_base_high p_base delta_control delta_control_low delta_control_high p_control"
).split()
SYSTEMS = [("human@20", "none"), ("human", "none"), ("both@20", "echo"), ("both@20", "gpt"), ("zero", "echo")]
GAINS = {"human@20": 0.0, "human": 0.05, "both@20": 0.1, "zero": 0.03}
PLACES = {("id", "home"): ["home"], ("ood", "moss"): ["moss"], ("ood", "fern"): ["fern"],
          ("ood", "macro-average"): ["moss", "fern"]}  # fmt: skip
FILES = [
    scores(ranker, recipe, llm, gain=GAINS[recipe])
    for ranker in ("ce", "be")
    for recipe, llm in (*SYSTEMS[2:], *SYSTEMS[:2])
]
INTERVALS = Intervals(resamples=300, confidence=0.9, seed=3)


@pytest.fixture
def make(tmp_path, table_of):
    recipes, testsets = write_entities(tmp_path)

    def do(files=FILES, base="human@20", control=("human",), enriched=("both@20", "zero")):
        return table_of(
            make_enrichment_table, metrics=write_metrics(tmp_path / "metrics", files), recipes=recipes,
            testsets=testsets, base=base, control=list(control), enriched=list(enriched), added="echoed",
            measures=list(MEASURES),
        )  # fmt: skip

    return do


def test_enrichment_table_has_every_system_on_every_test_set(make):
    rows, _ = make()
    assert list(rows[0]) == COLUMNS
    roles = ["base", "control", "enriched", "enriched", "enriched"]
    assert [tuple(row[key] for key in COLUMNS[:7]) for row in rows] == [
        (*place, measure, ranker, role, *system)
        for place, measure, ranker in product(PLACES, MEASURES, ("ce", "be"))
        for role, system in zip(roles, SYSTEMS, strict=True)
    ]
    assert {row["queries"] for row in rows if row["testset"] == "macro-average"} == {
        str(QUERIES["moss"] + QUERIES["fern"])
    }


def of(ranker, recipe, llm, testset, measure):
    return np.array([values(ranker, recipe, llm, seed, testset, measure, GAINS[recipe]) for seed in ("1", "2")])


def test_enrichment_table_values_and_differences_equal_the_statistics(make):
    rows, _ = make()
    for row in rows:
        names = PLACES[row["distribution"], row["testset"]]
        where = row["ranker"], row["measure"]
        ours = [of(where[0], row["recipe"], row["llm"], name, where[1]) for name in names]
        mean = summarise(ours, INTERVALS)
        for key in ("mean", "std", "ci_low", "ci_high"):
            assert float(row[key]) == pytest.approx(getattr(mean, key), abs=5.1e-5)
        for part, recipe, has in (("base", "human@20", row["role"] != "base"),
                                  ("control", "human", row["role"] == "enriched")):  # fmt: skip
            cells = [row[f"delta_{part}"], row[f"delta_{part}_low"], row[f"delta_{part}_high"], row[f"p_{part}"]]
            if not has:
                assert cells == [""] * 4
                continue
            pairs = [
                mine - of(where[0], recipe, "none", name, where[1]) for mine, name in zip(ours, names, strict=True)
            ]
            stacked = [array[None] for array in pairs]
            delta, low, high, p = map(float, cells)
            assert delta == pytest.approx(np.mean([array.mean() for array in pairs]), abs=5.1e-5)
            assert [low, high] == pytest.approx(two_way(stacked).interval(INTERVALS.confidence)[0], abs=5.1e-5)
            assert p == pytest.approx(two_way(stacked).p()[0], abs=5.1e-7)


def test_enrichment_table_without_a_control_has_no_difference_to_it(make):
    rows, text = make(control=())
    assert {row["role"] for row in rows} == {"base", "enriched"}
    assert not any(row["delta_control"] for row in rows)
    assert all(row["delta_base"] for row in rows if row["role"] == "enriched")
    assert "delta_control" not in rows[0], "empty columns are left out"
    assert "as many more" not in text


def test_enrichment_table_compares_within_each_llm_of_the_base(make):
    files = [scores("ce", recipe, llm, gain=GAINS[recipe]) for recipe in ("zero", "both@20") for llm in ("echo", "gpt")]
    rows, _ = make(files, base="zero", control=(), enriched=["both@20"])
    row = next(row for row in rows if (row["role"], row["llm"], row["testset"]) == ("enriched", "gpt", "home"))
    delta = of("ce", "both@20", "gpt", "home", "nDCG@10").mean() - of("ce", "zero", "gpt", "home", "nDCG@10").mean()
    assert float(row["delta_base"]) == pytest.approx(delta, abs=5.1e-5)


def test_enrichment_table_markdown_has_a_section_per_distribution_and_measure(make):
    rows, text = make()
    assert text.startswith("# Enrichment\n\n")
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [f"## {place}: {measure}" for place in ("In distribution", "Out of distribution")
                      for measure in MEASURES]  # fmt: skip
    assert "as many more human passages (human)" in " ".join(text.split())
    assert sum(line.startswith("| ") and "---" not in line for line in text.splitlines()) == len(rows) + 4
    row = next(row for row in rows if row["role"] == "enriched")
    cell = f"{float(row['delta_control']):+.3f} [{float(row['delta_control_low']):+.3f}"
    assert cell.replace("-0.000", "+0.000") in text.replace("-0.000", "+0.000")


def test_enrichment_table_has_fused_runs_only_on_their_test_sets(make):
    fused = [scores("ce+bm25", recipe, llm, testsets=["moss"]) for recipe, llm in SYSTEMS]
    rows, _ = make([*FILES, *fused])
    assert {row["testset"] for row in rows if row["ranker"] == "ce+first-stage"} == {"moss"}


def test_enrichment_table_refuses_missing_scores(make):
    with pytest.raises(DataError, match=r"^results/metrics: no scores of a ranker trained on recipe 'zero', which the"):
        make([rows for rows in FILES if rows[0].recipe != "zero"])
    with pytest.raises(DataError, match=r"^results/metrics: no scores of ranker 'be' trained on recipe 'zero', which"):
        make([rows for rows in FILES if (rows[0].recipe, rows[0].ranker) != ("zero", "be")])
    files = [rows for rows in FILES if (rows[0].recipe, rows[0].ranker) != ("zero", "ce")]
    with pytest.raises(DataError, match=r"^results/metrics: nDCG@10 of ce/zero/echo on moss is missing"):
        make([*files, scores("ce", "zero", "echo", testsets=["home"])])
