"""The table of an ablation: every recipe with every ranker, compared with the first system of the same LLM."""

from itertools import product

import pytest
from twolar_case import MEASURES, QUERIES, scores, write_files

from synthrank.config.experiment import Intervals
from synthrank.errors import DataError
from synthrank.stats.bootstrap import summarise
from synthrank.stats.paired import compare
from synthrank.stats.score_matrix import read_cells
from synthrank.steps.tables.make_ablation_table import make_ablation_table
from synthrank.steps.tables.markdown import format_p

COLUMNS = "recipe llm ranker testset measure mean std ci_low ci_high seeds queries reference delta p".split()
INTERVALS = Intervals(resamples=300, confidence=0.9, seed=3)
SYSTEMS = (("orders", "echo"), ("orders", "gpt"), ("teacher", "none"))


@pytest.fixture
def metrics(tmp_path):
    """Write files of scores, including fused runs and another recipe, in an order other than the ablation's."""
    names = [*((recipe, llm, ranker) for recipe, llm in SYSTEMS for ranker in ("be", "ce", "ce+bm25")),
             ("none", "none", "ce")]  # fmt: skip
    files = {f"{recipe}-{llm}-{ranker}": scores(ranker, recipe, llm, ["1", "2"]) for recipe, llm, ranker in names}
    return write_files(tmp_path, files)


@pytest.fixture
def make(table_of, metrics):
    def do(recipes, rankers, paths=metrics):
        return table_of(make_ablation_table, metrics=paths, ablation="data", recipes=list(recipes),
                        rankers=list(rankers), measures=MEASURES)  # fmt: skip

    return do


def test_ablation_table_has_every_recipe_with_every_ranker_on_every_test_set(make):
    rows, _ = make(["orders", "teacher"], ["ce", "be"])
    assert list(rows[0]) == COLUMNS
    systems = [("orders", "echo", "ce"), ("orders", "gpt", "ce"), ("orders", "echo", "be"), ("orders", "gpt", "be"),
               ("teacher", "none", "ce"), ("teacher", "none", "be")]  # fmt: skip
    keys = [(row["recipe"], row["llm"], row["ranker"], row["testset"], row["measure"]) for row in rows]
    assert keys == [(*system, testset, measure)
                    for testset, measure, system in product(QUERIES, MEASURES, systems)]  # fmt: skip


def test_ablation_table_reference_is_the_first_system_of_the_same_llm(make):
    rows, _ = make(["orders", "teacher"], ["ce", "be"])
    found = {(row["recipe"], row["llm"], row["ranker"]): row["reference"] for row in rows}
    assert found == {
        ("orders", "echo", "ce"): "",
        ("orders", "gpt", "ce"): "",
        ("orders", "echo", "be"): "orders/echo/ce",
        ("orders", "gpt", "be"): "orders/gpt/ce",
        ("teacher", "none", "ce"): "orders/echo/ce",
        ("teacher", "none", "be"): "orders/echo/ce",
    }
    first, _ = make(["teacher", "orders"], ["be"])
    assert {row["reference"] for row in first} == {"", "teacher/none/be"}


def test_ablation_table_values_differences_and_p_equal_the_statistics(make, metrics):
    cells = read_cells(metrics, MEASURES)
    rows, _ = make(["orders", "teacher"], ["ce", "be"])
    for row in rows:
        where = row["testset"], row["measure"]
        cell = cells[row["ranker"], row["recipe"], row["llm"]][where]
        mean = summarise([cell.values], INTERVALS)
        for name in ("mean", "std", "ci_low", "ci_high"):
            assert float(row[name]) == pytest.approx(getattr(mean, name), abs=5.1e-5)
        assert (row["seeds"], row["queries"]) == ("2", str(QUERIES[row["testset"]]))
        if not row["reference"]:
            assert row["delta"] == row["p"] == ""
            continue
        recipe, llm, ranker = row["reference"].split("/")
        found = compare(cell, cells[ranker, recipe, llm][where], INTERVALS)
        assert float(row["delta"]) == pytest.approx(found.delta, abs=5.1e-5)
        assert float(row["p"]) == pytest.approx(found.p, abs=5.1e-7)


def test_ablation_table_markdown_has_a_section_per_measure(make):
    rows, text = make(["orders", "teacher"], ["ce", "be"])
    assert text.startswith("# Ablation: data\n\n")
    assert "**The p-values are not corrected for the number of tests**" in " ".join(text.split())
    assert "90% bootstrap interval" in text
    sections = text.split("\n## ")[1:]
    assert [section.splitlines()[0] for section in sections] == MEASURES
    lines = [line for line in sections[1].splitlines() if line.startswith("|")]
    assert lines[0] == "| training set | ranker | seeds | moss | fern |"
    assert len(lines) == 2 + 6
    assert lines[2].count("reference") == 2
    row = next(row for row in rows if row["reference"] and row["measure"] == "nDCG@10")
    delta = f"{float(row['delta']):+.3f} (p {format_p(float(row['p']))}"
    assert delta in "\n".join(lines)


@pytest.mark.parametrize(
    ("recipes", "rankers", "message"),
    [(["orders", "human"], ["ce"], "ranker 'ce' trained on recipe 'human'"),
     (["orders"], ["ce", "other"], "ranker 'other' trained on recipe 'orders'")],
)  # fmt: skip
def test_ablation_table_refuses_a_system_without_scores(make, recipes, rankers, message):
    with pytest.raises(DataError, match=f"^results/metrics: no scores of {message}, which the ablation .* run again$"):
        make(recipes, rankers)


def test_ablation_table_refuses_a_system_without_a_test_set(make, tmp_path):
    files = {"ce": scores("ce", "orders", "gpt", ["1", "2"]), "be": scores("be", "orders", "gpt", ["1", "2"], ["moss"])}
    with pytest.raises(DataError, match="nDCG@1 of be/orders/gpt on fern is missing"):
        make(["orders"], ["ce", "be"], write_files(tmp_path / "other", files))
