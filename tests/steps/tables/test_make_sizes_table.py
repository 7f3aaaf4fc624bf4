"""The table of sizes: every recipe at every number of training queries."""

import re

import pytest
from passage_case import MEASURES, scores, write_entities, write_metrics

from synthrank.config.experiment import Intervals
from synthrank.errors import DataError
from synthrank.stats.bootstrap import summarise
from synthrank.stats.score_matrix import read_cells
from synthrank.steps.tables.make_sizes_table import make_sizes_table

COLUMNS = (
    "distribution testset measure ranker recipe llm size mean std ci_low ci_high seeds queries".split()
)  # fmt: skip
OWN = {"human": 40, "both": 40, "levels": 30}
FILES = [
    scores(ranker, name, llm, gain=0.01 * place)
    for ranker in ("ce", "be")
    for recipe, llms in (("human", ["none"]), ("both", ["echo", "gpt"]), ("levels", ["echo"]))
    for place, name in enumerate((recipe, f"{recipe}@20", f"{recipe}@5")) for llm in llms
]  # fmt: skip


@pytest.fixture
def make(tmp_path, table_of):
    recipes, testsets = write_entities(tmp_path)

    def do(files=FILES, names=("human", "both", "levels"), queries=(5, 20)):
        return table_of(
            make_sizes_table, metrics=write_metrics(tmp_path / "metrics", files), specs=recipes, testsets=testsets,
            recipes=list(names), queries=list(queries), measures=list(MEASURES),
        )  # fmt: skip

    return do


def test_sizes_table_has_every_recipe_at_every_size(make):
    rows, _ = make()
    assert list(rows[0]) == COLUMNS
    first = [(row["ranker"], row["recipe"], row["llm"], int(row["size"])) for row in rows
             if (row["testset"], row["measure"]) == ("home", "AP")]  # fmt: skip
    assert first == [
        (ranker, recipe, llm, size)
        for recipe, llms in (("human", ["none"]), ("both", ["echo", "gpt"]), ("levels", ["echo"]))
        for ranker in ("ce", "be") for llm in llms for size in (5, 20, OWN[recipe])
    ]  # fmt: skip
    assert [(row["distribution"], row["testset"]) for row in rows if row["size"] == "5" and row["llm"] == "gpt"
            and row["measure"] == "AP" and row["ranker"] == "be"] == [
        ("id", "home"), ("ood", "moss"), ("ood", "fern"), ("ood", "macro-average")]  # fmt: skip
    assert len(rows) == 4 * 2 * 2 * 4 * 3


def test_sizes_table_values_equal_the_statistics(make, tmp_path):
    rows, _ = make()
    cells = read_cells(sorted((tmp_path / "metrics").iterdir()), MEASURES)
    for row in rows:
        of_file = int(row["size"]) == OWN[row["recipe"]]
        name = row["recipe"] if of_file else f"{row['recipe']}@{row['size']}"
        of_system = cells[row["ranker"], name, row["llm"]]
        names = ["moss", "fern"] if row["testset"] == "macro-average" else [row["testset"]]
        mean = summarise(
            [of_system[name, row["measure"]].values for name in names], Intervals(resamples=300, confidence=0.9, seed=3)
        )
        for key in ("mean", "std", "ci_low", "ci_high"):
            assert float(row[key]) == pytest.approx(getattr(mean, key), abs=5.1e-5)
        assert (row["seeds"], row["queries"]) == (str(mean.seeds), str(mean.queries))


def test_sizes_table_markdown_has_a_column_per_size(make):
    rows, text = make()
    assert text.startswith("# Sizes\n\n")
    assert "| test set | ranker | training set | seeds | 5 | 20 | 40 | 30 |" not in text
    assert text.count("| test set | ranker | training set | seeds | 5 | 20 | 30 | 40 |") == 4
    shown = [float(mean) for mean in re.findall(r"([\d.]+) \[", text.split("## ", 1)[1])]
    assert sorted(shown) == pytest.approx(sorted(float(row["mean"]) for row in rows), abs=0.00056)
    line = next(line for line in text.splitlines() if line.startswith("| home | ce | levels by echo | 2 |"))
    assert line.endswith(" |  |"), "levels has no size 40"


def test_sizes_table_has_fused_runs_only_on_their_test_sets(make):
    fused = [scores("ce+bm25", name, "none", testsets=["moss"]) for name in ("human", "human@5", "human@20")]
    rows, _ = make([*FILES, *fused])
    assert {row["testset"] for row in rows if row["ranker"] == "ce+first-stage"} == {"moss"}


def test_sizes_table_refuses_a_size_without_scores(make):
    with pytest.raises(DataError, match=r"^results/metrics: no scores of a ranker trained on recipe 'human@7', which"):
        make(queries=(5, 7))
