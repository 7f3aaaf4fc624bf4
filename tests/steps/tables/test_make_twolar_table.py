"""The table of the distillation study: measured systems with their differences, and published results."""

from itertools import product

import numpy as np
import pytest
from scipy import stats
from twolar_case import MEASURES, OWN, QUERIES, RECIPES, all_scores, value, write_case, write_files

from synthrank.config.base import load
from synthrank.config.published import PublishedSpec
from synthrank.errors import DataError
from synthrank.steps.tables.make_twolar_table import make_twolar_table

COLUMNS = (
    "kind system recipe llm model first_stage depth testset measure value std ci_low ci_high seeds queries "
    "delta_first_stage p_first_stage delta_untrained p_untrained source certainty"
).split()
STATISTICS = COLUMNS[10:19]


@pytest.fixture
def make(tmp_path, config, table_of):
    """Return a function that makes the table of the case, and returns its rows and its Markdown."""
    write_case(tmp_path)

    def do(metrics=None, published=True, measures=MEASURES, rankers=("ce", "be", "warm")):
        paths = sorted((tmp_path / "metrics").rglob("*.csv")) if metrics is None else metrics
        return table_of(
            make_twolar_table, metrics=paths, rankers=[tmp_path / f"rankers/{name}.yaml" for name in rankers],
            retrievers=[tmp_path / f"retrievers/{name}.yaml" for name in ("dense", "bm25")],
            testsets=[tmp_path / f"testsets/{name}.yaml" for name in QUERIES],
            published=[config / "published/twolar.yaml"] if published else [], measures=list(measures),
        )  # fmt: skip

    return do


def per_query(ranker, recipe, llm, seeds, testset, measure):
    """Return the mean over seeds of each query."""
    ranker = f"ce+{OWN[testset]}" if ranker == "ce+first-stage" else ranker
    return np.mean(
        [[value(ranker, recipe, llm, seed, testset, measure, place) for place in range(QUERIES[testset])]
         for seed in seeds], axis=0,
    )  # fmt: skip


def key(row):
    return row["system"], row["recipe"], row["llm"], row["testset"], row["measure"]


def test_twolar_table_has_every_measured_system_once_per_test_set(make):
    rows, _ = make(published=False)
    assert list(rows[0]) == COLUMNS[:-2], "source and certainty are empty without published results"
    assert {row["kind"] for row in rows} == {"measured"}
    students = {
        (name, recipe, llm, testset, measure)
        for testset, measure in product(QUERIES, MEASURES)
        for recipe, llm in RECIPES
        for name in ("ce", "ce+first-stage", "be")
    }
    first = {("dense", "none", "none", testset, measure) for testset, measure in product(QUERIES, MEASURES)}
    first |= {("bm25", "none", "none", "moss", measure) for measure in MEASURES}
    assert sorted(map(key, rows)) == sorted(students | first)


def test_twolar_table_describes_model_first_stage_and_depth(make):
    found = {(row["system"], row["testset"]): (row["model"], row["first_stage"], row["depth"]) for row in make()[0]}
    assert found["bm25", "moss"] == ("", "none", "")
    assert found["dense", "moss"] == ("minilm", "none", "")
    assert found["be", "moss"] == ("wide", "none", "")
    # ce starts from another ranker and has its model; a test set may state the run to reorder
    assert found["ce", "moss"] == found["ce+first-stage", "moss"] == ("tiny", "bm25", "20")
    assert found["ce", "fern"] == found["ce+first-stage", "fern"] == ("tiny", "dense", "7")


def test_twolar_table_values_differences_and_p_equal_scipy(make):
    """The two seeds differ by a constant, and two systems by a constant plus a variation over queries."""
    for row in make(published=False)[0]:
        name, recipe, llm, testset, measure = key(row)
        seeds = [""] if name in ("bm25", "dense") else ["1", "2"]
        mine = per_query(name, recipe, llm, seeds, testset, measure)
        assert float(row["value"]) == pytest.approx(mine.mean(), abs=5.1e-5)
        assert (row["seeds"], row["queries"]) == (str(len(seeds)), str(QUERIES[testset]))
        assert row["std"] == ("" if len(seeds) == 1 else f"{np.std([-0.003, 0.004], ddof=1):.4f}")
        assert float(row["ci_low"]) <= float(row["value"]) <= float(row["ci_high"])
        against = {
            "first_stage": (OWN[testset], [""]) if name.startswith("ce") else None,
            "untrained": (name, seeds) if recipe != "none" else None,
        }
        for what, other in against.items():
            if other is None:
                assert row[f"delta_{what}"] == row[f"p_{what}"] == ""
            else:
                differences = mine - per_query(other[0], "none", "none", other[1], testset, measure)
                assert float(row[f"delta_{what}"]) == pytest.approx(differences.mean(), abs=5.1e-5)
                # Seeds add the same to both systems; a first stage has no seeds, so their variance counts.
                spread = np.var([-0.003, 0.004], ddof=1) if what == "first_stage" else 0.0
                of_queries, of_seeds = 2 * differences.var(ddof=1), len(differences) * spread
                freedom = (of_queries + of_seeds) ** 2 / (of_queries**2 / (len(differences) - 1) + of_seeds**2)
                quasi_f = 2 * len(differences) * differences.mean() ** 2 / (of_queries + of_seeds)
                assert float(row[f"p_{what}"]) == pytest.approx(stats.f.sf(quasi_f, 1, freedom), abs=1e-6)


def test_twolar_table_p_differ_between_systems(make):
    found = {row["p_untrained"] for row in make(published=False)[0]}
    assert len(found) > 4, "the test above needs different p-values"


@pytest.mark.parametrize(
    ("system", "model", "first_stage", "testset", "measure", "figure"),
    [
        ("TWOLAR-xl", "Flan-T5-XL", "bm25", "trec-dl19", "nDCG@10", "0.7351"),
        ("TWOLAR-xl", "Flan-T5-XL", "bm25", "trec-dl20", "nDCG@10", "0.7084"),
        ("TWOLAR-large", "Flan-T5-large", "bm25", "trec-dl20", "nDCG@10", "0.6761"),
        ("TWOLAR-xl", "Flan-T5-XL", "bm25", "beir-robust04", "nDCG@10", "0.5790"),
        ("BM25", "", "none", "trec-dl19", "nDCG@10", "0.5058"),
        ("BM25", "", "none", "trec-dl20", "nDCG@1", "0.5772"),
        ("BM25", "flat", "none", "beir-touche", "nDCG@10", "0.4422"),
        ("BM25", "multifield", "none", "beir-touche", "nDCG@10", "0.3673"),
        ("TAS-B", "", "none", "trec-dl20", "nDCG@10", "0.6854"),
        ("RankGPT", "gpt-4", "bm25", "trec-dl19", "nDCG@10", "0.7559"),
        ("RankGPT", "gpt-4", "bm25", "trec-dl19", "nDCG@5", "0.7916"),
        ("RankGPT", "gpt-4", "bm25", "beir-trec-news", "nDCG@10", "0.5289"),
        ("RankZephyr", "Zephyr-7B", "splade-pp-ed", "trec-dl20", "nDCG@10", "0.8147"),
        ("RankZephyr", "Zephyr-7B", "bm25", "trec-dl20", "nDCG@10", "0.7080"),
    ],
)
def test_twolar_table_has_the_published_results(make, system, model, first_stage, testset, measure, figure):
    rows, _ = make(metrics=[])
    wanted = [system, model, first_stage, testset, measure]
    names = ("system", "model", "first_stage", "testset", "measure")
    (row,) = [row for row in rows if [row[name] for name in names] == wanted]
    assert (row["kind"], row["value"]) == ("published", figure)
    assert (row["depth"], row["recipe"], row["llm"]) == ("" if first_stage == "none" else "100", "", "")
    assert [row[name] for name in STATISTICS] == [""] * len(STATISTICS)
    assert row["source"]
    assert row["certainty"] == ("memory" if system == "TWOLAR-large" else "verified")


def test_published_rows_are_those_of_the_file(make, config):
    published = load(PublishedSpec, config / "published/twolar.yaml").results
    rows = [row for row in make()[0] if row["kind"] == "published"]
    figures = [value for item in published for values in item.values.values() for value in values.values()]
    assert [float(row["value"]) for row in rows] == figures
    assert len(figures) == 266
    assert all(0.1 < figure < 0.9 for figure in figures), "fractions of 1, with the decimal point in its place"


def test_twolar_table_has_no_duplicate_system(make):
    rows, _ = make()
    names = ("kind", "system", "model", "recipe", "llm", "first_stage", "testset", "measure")
    keys = [tuple(row[name] for name in names) for row in rows]
    assert len(keys) == len(set(keys))
    systems = [(row["system"], row["model"], row["first_stage"], row["testset"], row["measure"])
               for row in rows if row["kind"] == "published"]  # fmt: skip
    assert len(systems) == len(set(systems))


def test_twolar_table_refuses_a_missing_comparison(make, tmp_path):
    paths = sorted((tmp_path / "metrics").rglob("*.csv"))
    for lacking, message in (
        ("moss-bm25", r"nDCG@1 of bm25/none/none on moss is missing"),
        ("ce-none-none", r"nDCG@1 of ce/none/none on moss is missing"),
    ):
        with pytest.raises(DataError, match=rf"^results/metrics: {message}, and the table needs it; .* run again$"):
            make([path for path in paths if lacking not in path.name], published=False)


def test_twolar_table_refuses_a_ranker_without_a_test_set(make, tmp_path):
    files = all_scores()
    files["be-orders-gpt-2"] = [row for row in files["be-orders-gpt-2"] if row.testset == "moss"]
    files["be-orders-gpt-1"] = [row for row in files["be-orders-gpt-1"] if row.testset == "moss"]
    with pytest.raises(DataError, match="nDCG@1 of be/orders/gpt on fern is missing"):
        make(write_files(tmp_path, files))


def test_twolar_table_refuses_a_measure_without_scores(make):
    with pytest.raises(DataError, match="MRR@10 of be/none/none on moss is missing"):
        make(measures=["nDCG@10", "MRR@10"])


def test_twolar_table_refuses_a_system_without_an_entity_file(make):
    with pytest.raises(DataError, match=r"'be' is not a ranker or first stage of the table \(known: bm25, ce"):
        make(rankers=("ce", "warm"))


# The Markdown copy


def sections(text):
    """Return the cells of each row, by test set."""
    found = {}
    for part in text.split("\n## ")[1:]:
        title, *lines = part.splitlines()
        if lines[1].startswith("|"):
            found[title] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return found


def test_twolar_table_markdown_sorts_measured_and_published_systems(make):
    rows, text = make(measures=["nDCG@1", "nDCG@10"])
    assert text.startswith("# The distillation study\n\nSorted by nDCG@10.")
    found = sections(text)
    assert list(found)[:4] == ["moss", "fern", "trec-dl19", "trec-dl20"]
    for testset, (head, dashes, *lines) in found.items():
        assert head[:8] == ["kind", "system", "model", "training set", "reorders", "nDCG@10", "nDCG@1", "seeds"]
        assert len({len(line) for line in (head, dashes, *lines)}) == 1
        shown = [float(line[5].split()[0]) for line in lines if line[5]]
        assert shown == sorted(shown, reverse=True)
        assert all(line[5] for line in lines[: len(shown)]), "systems without nDCG@10 come last"
        assert {line[0] for line in lines} == {"measured" if testset in QUERIES else "published"}
        # a published system without these measures has no line
        systems = {(row["system"], row["recipe"], row["llm"], row["model"], row["first_stage"]) for row in rows
                   if row["testset"] == testset and row["measure"] in MEASURES}  # fmt: skip
        assert len(lines) == len(systems)


def test_twolar_table_markdown_has_the_numbers_of_the_csv(make):
    rows, text = make()
    by_key = {key(row): row for row in rows}
    line = next(line for line in sections(text)["moss"] if line[1:4] == ["ce", "tiny", "orders by gpt"])
    row = by_key["ce", "orders", "gpt", "moss", "nDCG@10"]
    other = by_key["ce", "orders", "gpt", "moss", "nDCG@1"]
    assert line[4:8] == ["bm25, top 20", f"{row['value']} [{row['ci_low']}, {row['ci_high']}]", other["value"], "2"]
    assert line[8] == row["std"]
    for cell, what in ((line[9], "first_stage"), (line[10], "untrained")):
        delta, p = cell.removesuffix(")").split(" (p ")
        assert float(delta) == pytest.approx(float(row[f"delta_{what}"]), abs=5.5e-4)
        assert float(p) == pytest.approx(float(row[f"p_{what}"]), abs=5.5e-4)
    assert [line[9:11] for line in sections(text)["moss"] if line[1] == "bm25"] == [["", ""]]


def test_twolar_table_markdown_explains_p_and_lists_sources(make):
    _, text = make()
    joined = " ".join(text.split())
    for part in (
        "**The p-values are not corrected for the number of tests**",
        "p: two-sided. The two-way test over queries and training seeds is used",
        "Two systems with the same seeds, at least two, are paired by seed",
        "Otherwise seeds are averaged first",
        "they are not compared with measured results",
        "90% bootstrap interval over queries",
    ):
        assert part in joined, part
    sources = text.split("## Sources\n\n")[1].splitlines()
    assert all(source.startswith(f"{place}. ") for place, source in enumerate(sources, 1))
    lines = sections(text)["trec-dl20"]
    large = next(line for line in lines if line[1] == "TWOLAR-large")
    assert large[-1].endswith(" (memory only)")
    assert "2403.17759" in sources[int(large[-1].split()[0]) - 1]


def test_twolar_table_markdown_sorts_by_the_first_measure_without_ndcg_at_10(make):
    _, text = make(measures=["nDCG@1"], published=False)
    assert "Sorted by nDCG@1." in text
    head = sections(text)["moss"][0]
    assert head[5] == "nDCG@1"
    assert "## Sources" not in text
