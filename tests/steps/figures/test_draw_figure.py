"""Figures show the numbers of their tables."""

import csv
import json
import re

import pytest

from synthrank.errors import DataError
from synthrank.steps.figures.draw_figure import CHARTS, draw_figure
from synthrank.steps.figures.style import COLOURS

ROW = {"ranker": "bi-encoder", "llm": "none", "measure": "nDCG@10", "std": "", "seeds": 1, "queries": 9}


def row(recipe, mean, **more):
    return {**ROW, "recipe": recipe, "mean": mean, "ci_low": mean - 0.1, "ci_high": mean + 0.1, **more}


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(dict.fromkeys(key for item in rows for key in item)))
        table.writeheader()
        table.writerows(rows)
    return path


class Figure:
    """A figure: the text of its SVG, and the rows of its data."""

    def __init__(self, folder, name, *data):
        paths = [folder / f"{name}.{end}" for end in ("svg", "pdf", "vl.json")]
        draw_figure(figure=name, data=list(data), svg=paths[0], pdf=paths[1], vega=paths[2])
        self.svg = paths[0].read_text(encoding="utf-8")
        assert paths[1].read_bytes()[:5] == b"%PDF-"
        self.vega = json.loads(paths[2].read_text(encoding="utf-8"))
        self.rows = [item for rows in self.vega["datasets"].values() for item in rows]

    def shows(self, *texts):
        return all(text in self.svg for text in texts)


def sizes(*more):
    places = [("id", "faq"), ("ood", "a"), ("ood", "b"), ("ood", "macro-average")]
    return [
        row(recipe, 0.3 + size / 100, size=size, distribution=distribution, testset=testset, **dict(more))
        for recipe in ("human", "zero-shot")
        for size in (12, 24)
        for distribution, testset in places
    ]


@pytest.mark.parametrize("figure", ["effectiveness", "differences"])
def test_draw_figure_accepts_one_empty_table_of_id_and_ood(tmp_path, figure):
    delta = {"delta": 0.1, "p": 0.2, "p_holm": 0.3}
    rows = [row("human", 0.3, testset="a", delta="", p="", p_holm=""), row("zero-shot", 0.4, testset="a", **delta)]
    there, empty = write(tmp_path / "ood.csv", rows), tmp_path / "id.csv"
    empty.write_text(there.read_text().splitlines()[0] + "\n")
    assert {item["testset"] for item in Figure(tmp_path, figure, empty, there).rows} == {"a"}
    with pytest.raises(DataError, match=r"id\.csv: has no rows to draw"):
        Figure(tmp_path, figure, empty, empty)


def test_differences_of_tables_without_a_comparison_are_refused(tmp_path):
    rows = [row("zero-shot", 0.4, testset="a"), row("none", 0.3, testset="a")]
    paths = [write(tmp_path / f"{name}.csv", rows) for name in ("id", "ood")]
    Figure(tmp_path, "effectiveness", *paths)
    with pytest.raises(DataError, match="no system is compared with human passages; add a recipe of human passages"):
        Figure(tmp_path, "differences", *paths)


def test_sizes_show_the_macro_average_or_the_only_test_set(tmp_path):
    figure = Figure(tmp_path, "sizes", write(tmp_path / "sizes.csv", sizes()))
    assert {item["testset"] for item in figure.rows} == {"faq", "macro-average"}
    assert sorted((item["recipe"], item["size"]) for item in figure.rows if item["distribution"] == "id") == [
        ("human", 12), ("human", 24), ("zero-shot", 12), ("zero-shot", 24)
    ]  # fmt: skip
    assert figure.shows(
        "bi-encoder, in distribution", "bi-encoder, out of distribution", "human", "zero-shot", "nDCG@10"
    )


def test_sizes_show_only_the_first_measure(tmp_path):
    rows = [*sizes(), *sizes(("measure", "MRR@10"))]
    figure = Figure(tmp_path, "sizes", write(tmp_path / "sizes.csv", rows))
    assert {item["measure"] for item in figure.rows} == {"nDCG@10"}


def test_sizes_have_a_line_per_llm(tmp_path):
    rows = [{**item, "llm": llm} for llm in ("one", "two") for item in sizes() if item["recipe"] == "zero-shot"]
    rows += [item for item in sizes() if item["recipe"] == "human"]
    figure = Figure(tmp_path, "sizes", write(tmp_path / "sizes.csv", rows))
    assert {item["system"] for item in figure.rows} == {"human", "zero-shot by one", "zero-shot by two"}


def test_enrichment_has_a_bar_per_recipe(tmp_path):
    rows = [row(name, 0.5, distribution="id", testset="faq") for name in ("human@24", "human", "human-zero-shot@24")]
    figure = Figure(tmp_path, "enrichment", write(tmp_path / "enrichment.csv", rows))
    assert [item["recipe"] for item in figure.rows] == ["human@24", "human", "human-zero-shot@24"]
    assert figure.shows("human-zero-shot@24", "in distribution")


def differing(name, testset, delta, p):
    return row(name, 0.5, testset=testset, delta=delta, p_holm=p)


def test_differences_leave_out_human_passages_but_reserve_their_colour(tmp_path):
    first = write(tmp_path / "id.csv", [differing("human", "faq", "", ""), differing("zero-shot", "faq", 0.1, 0.01)])
    second = write(tmp_path / "ood.csv", [differing("human", "far", "", ""), differing("zero-shot", "far", -0.1, 0.9)])
    figure = Figure(tmp_path, "differences", first, second)
    assert [(item["place"], item["delta"]) for item in figure.rows] == [("faq (in distribution)", 0.1), ("far", -0.1)]
    drawn = re.findall(r'aria-roledescription="point"[^>]*fill="(#\w+)"', figure.svg)
    assert drawn == [COLOURS[1]]  # one is significant, and filled in the second recipe's colour


def test_claims_have_a_row_each_and_the_margin(tmp_path):
    rows = [
        {"claim": "ood-gain", "treatment": "zero", "distribution": "ood", "ranker": ranker, "measure": "nDCG@10",
         "margin": 0.02, "effect": 0.01, "ci_low": -0.01, "ci_high": 0.03, "verdict": verdict}
        for ranker, verdict in (("cross-encoder", "supported"), ("bi-encoder", "equivalent"))
    ]  # fmt: skip
    figure = Figure(tmp_path, "claims", write(tmp_path / "claims.csv", rows))
    assert figure.shows("ood-gain · zero · ood · cross-encoder", "ood-gain · zero · ood · bi-encoder")
    assert figure.shows("supported", "contradicted", "equivalent", "undecided", "insensitive")
    colours = dict(re.findall(r'verdict: (\w+)"[^>]*(?:fill|stroke)="(#\w+)"', figure.svg))
    assert colours["supported"] != colours["equivalent"], "equivalent has a separate colour"
    assert '"-0.02"' in json.dumps(figure.vega)


def test_passages_have_boxes_of_their_quantiles(tmp_path):
    for recipe, llm, words in (("human", "none", range(101)), ("zero-shot", "tiny", range(100, 201))):
        rows = [{"query_id": k, "passage_id": k, "words": n, "query_overlap": 0.5} for k, n in enumerate(words)]
        write(tmp_path / "trainsets" / recipe / llm / "draw-1/passages.csv", rows)
    figure = Figure(tmp_path, "passages", *sorted(tmp_path.glob("trainsets/*/*/draw-1/passages.csv")))
    lengths = {item["system"]: item for item in figure.rows if item["high"] > 1}
    assert [lengths["human"][name] for name in ("low", "lower", "middle", "upper", "high")] == [5, 25, 50, 75, 95]
    assert lengths["zero-shot by tiny"]["middle"] == 150


def test_differences_give_untrained_rankers_the_last_colour(tmp_path):
    rows = [
        differing("none", "faq", -0.2, 0.01),
        differing("human", "faq", "", ""),
        differing("zero-shot", "faq", 0.1, 0.9),
    ]
    data = write(tmp_path / "id.csv", rows)
    figure = Figure(tmp_path, "differences", data, write(tmp_path / "ood.csv", rows))
    drawn = re.findall(r'aria-roledescription="point"[^>]*fill="(#\w+)"', figure.svg)
    assert set(drawn) == {COLOURS[2]}
    assert figure.shows("untrained")


def main_table(path, *more):
    first = [row("none", 0.7, ranker="bm25", testset="a"), row("none", 0.3, testset="a")]
    return write(path, [*first, row("human", 0.5, testset="a"), row("zero-shot", 0.4, testset="a", llm="tiny"), *more])


def test_effectiveness_has_a_panel_per_ranker_and_distribution(tmp_path):
    macro = [row(name, 0.6, testset="macro-average") for name in ("none", "human", "zero-shot")]
    other = row("human", 0.2, testset="a", ranker="cross-encoder")
    figure = Figure(
        tmp_path, "effectiveness", main_table(tmp_path / "id.csv", other), main_table(tmp_path / "ood.csv", *macro)
    )
    shown = {(item["panel"], item["system"]): item["mean"] for item in figure.rows}
    assert shown == {
        ("bi-encoder, in distribution", "untrained"): 0.3,
        ("bi-encoder, in distribution", "human"): 0.5,
        ("bi-encoder, in distribution", "zero-shot"): 0.4,
        ("cross-encoder, in distribution", "human"): 0.2,
        ("bi-encoder, out of distribution", "untrained"): 0.6,
        ("bi-encoder, out of distribution", "human"): 0.6,
        ("bi-encoder, out of distribution", "zero-shot"): 0.6,
    }
    assert [item["panel"] for item in figure.rows][:4] == ["bi-encoder, in distribution"] * 3 + [
        "bi-encoder, out of distribution"
    ], "the panels of a ranker are adjacent"
    assert {item["panel"]: item["first_stage_mean"] for item in figure.rows} == {
        "bi-encoder, in distribution": 0.7,
        "cross-encoder, in distribution": 0.7,
        "bi-encoder, out of distribution": None,
    }
    assert figure.shows("Dashed: bm25, the first stage.")


def test_effectiveness_without_a_first_stage_has_no_line(tmp_path):
    rows = [row(name, 0.6, testset="a") for name in ("none", "human")]
    figure = Figure(tmp_path, "effectiveness", write(tmp_path / "id.csv", rows), write(tmp_path / "ood.csv", rows))
    assert not figure.shows("Dashed")


def costs(folder, usd):
    recipe = folder / "recipes" / "zero-shot.yaml"
    recipe.parent.mkdir(exist_ok=True)
    text = "kind: pairs\ncorpus: faq\npositives: [{{paradigm: {}, queries: 3}}{}]\n"
    text += "negatives: {{source: human, retriever: b}}\n"
    recipe.write_text(text.format("human", ", {paradigm: zero-shot, queries: 3}"))
    (folder / "recipes/human.yaml").write_text(text.format("human", ""))
    asked = {"paradigm": "zero-shot", "tokens_in": 100, "tokens_out": 11}
    rows = [{"corpus": corpus, "kind": "passages", "llm": llm, **asked, "actual_usd": price}
            for corpus, llm, price in (("faq", "tiny", usd), ("faq", "other", 8), ("far", "tiny", 9))]  # fmt: skip
    rows.append({"corpus": "faq", "kind": "queries", "llm": "tiny", **asked, "actual_usd": 7})
    if not usd:
        rows = [item | {"actual_usd": 0} for item in rows]
    tables = [main_table(folder / f"{name}.csv") for name in ("id", "ood")]
    return [write(folder / "cost.csv", rows), *tables, recipe, folder / "recipes/human.yaml"]


@pytest.mark.parametrize(("usd", "cost", "unit"), [(2.5, 2.5, "US dollars"), (0, 111, "input and output tokens")])
def test_cost_adds_up_the_paradigms_of_a_recipe_and_its_llm(tmp_path, usd, cost, unit):
    figure = Figure(tmp_path, "cost", *costs(tmp_path, usd))
    assert {(item["system"], item["cost"]) for item in figure.rows} == {("human", 0), ("zero-shot", cost)}
    assert figure.shows(unit)


def test_cost_leaves_out_recipes_with_generated_queries(tmp_path):
    """The cost of generated queries is not in the table, but it is not 0."""
    costs_csv, *others = costs(tmp_path, 2.5)
    kept = [line for line in costs_csv.read_text().splitlines() if "faq,passages,tiny" not in line]
    assert len(kept) == 4
    costs_csv.write_text("\n".join(kept) + "\n")
    figure = Figure(tmp_path, "cost", costs_csv, *others)
    assert {(item["system"], item["cost"]) for item in figure.rows} == {("human", 0)}
    assert figure.shows("Recipes with generated queries are left out")


@pytest.mark.parametrize("figure", sorted(CHARTS))
def test_draw_figure_refuses_an_empty_table_and_writes_no_file(tmp_path, figure):
    folder = tmp_path / "trainsets/human/none/draw-0"
    data = write(folder / "table.csv", [{**row("human", 0.5), "testset": "", "words": 1}])
    data.write_text(data.read_text().splitlines()[0] + "\n")
    with pytest.raises(DataError, match="has no rows to draw") as error:
        Figure(tmp_path, figure, data, data)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.glob(f"{figure}.*"))
