"""The functions that make the parts of the page."""

import json

import pytest
from report_case import ATTACK, GRAPH, Case

from synthrank.steps.report import js_libraries as bundles
from synthrank.steps.report.examples import (
    CHARACTERS,
    WRITTEN,
    JudgedSet,
    show_ordered,
    show_ranked,
    show_written,
)
from synthrank.steps.report.graph import draw_graph
from synthrank.steps.report.page import as_data
from synthrank.steps.report.provenance import models_of, rule_rows, seeds_of, times
from synthrank.steps.report.sections import LEADS, SECTIONS, tables_of
from synthrank.steps.report.shown import read_figure, read_prose
from synthrank.steps.report.summary import SHOWN, findings


@pytest.fixture
def case(tmp_path):
    return Case(tmp_path)


def keys(case, *names):
    return [case.keywords[name] for name in names]


def test_written_examples_have_every_passage_and_reply(case):
    found = {item["id"]: item for item in show_written(*keys(case, "written", "replies", "dropped"), seed=13)}
    assert list(sorted(found)) == ["q1", "q2"]
    human, model = found["q1"]["passages"]
    assert (human["by"], human["texts"]) == ("human", [{"text": "A person wrote this.", "grade": 2}])
    assert model["texts"] == [{"text": ATTACK, "grade": 1}], "unchanged: the page escapes it"
    assert found["q2"]["passages"][0]["texts"] == []
    (reply,) = found["q2"]["replies"]
    assert (reply["by"], reply["ended"], reply["dropped"]) == ("zero-shot by echo", "length", "refusal")
    assert reply["text"] == "As a model I cannot."
    assert found["q1"]["replies"][0]["dropped"] == ""
    assert found["q1"]["replies"][0]["asked"] == [{"role": "user", "text": f"Write it. {ATTACK}"}]


def test_written_examples_sort_passages_by_grade(case):
    from synthrank.data.records import WrittenPassage

    rows = [WrittenPassage(f"h{grade}", f"grade {grade}", "q1", "How often?", grade) for grade in (1, 3, 0, 2)]
    (found,) = show_written([case.rows("results/passages/gardens/human/draw-0/none/passages.jsonl", *rows)], [], [], 13)
    assert [item["grade"] for item in found["passages"][0]["texts"]] == [3, 2, 1]


def test_written_examples_are_a_seeded_sample_of_the_stated_size(case):
    from synthrank.data.records import WrittenPassage

    path = "results/passages/gardens/human/draw-0/none/passages.jsonl"
    rows = [WrittenPassage(f"p{n}", "text", f"q{n:03}", "query") for n in range(WRITTEN + 30)]
    written = [case.rows(path, *rows)]
    one, same, other = (show_written(written, [], [], seed) for seed in (13, 13, 14))
    assert len(one) == WRITTEN
    assert one == same
    assert {item["id"] for item in one} != {item["id"] for item in other}


def test_ranked_examples_have_every_ranking_and_the_relevant_passages(case):
    testset = JudgedSet(*(case.keywords[name][0] for name in ("testsets", "queries", "qrels")))
    (found,) = show_ranked([testset], *keys(case, "first_runs", "runs", "collections"), seed=13)
    assert found["relevant"] == ["p2"], "a query without a judged passage is not shown"
    assert [(order["by"], order["ids"]) for order in found["orders"]] == [
        ("bm25", ["p1", "p2"]),
        ("bi-encoder, untrained", ["p2", "p1"]),
        ("bi-encoder, trained on human", ["p2", "p1"]),
        ("bi-encoder, trained on zero-shot by echo", ["p2", "p1"]),
    ]
    assert found["texts"]["p1"] == ATTACK
    assert len(found["texts"]["p2"]) <= CHARACTERS + 2
    assert found["texts"]["p2"].endswith(" …")


def test_ordered_examples_have_the_rankings_of_the_model_and_the_first_stages(case):
    (found,) = show_ordered(*keys(case, "candidates", "orders", "asks", "collections"), seed=13)
    assert [(order["by"], order["ids"]) for order in found["orders"]] == [
        ("echo (sliding)", ["p2", "p1"]), ("bm25", ["p1", "p2"]), ("minilm", ["p2", "p1"])
    ]  # fmt: skip
    assert [(ask["status"], ask["text"]) for ask in found["asks"]] == [("repaired", f"[2] > [1] {ATTACK}")]
    assert found["all_asks"] == 1


def test_read_figure_separates_title_and_caption(case):
    figure = read_figure(case.keywords["figures"][0])
    assert (figure.name, figure.title) == ("effectiveness", "Means")
    assert figure.caption == ("It shows means.", "It shows no cause.")
    assert "title" not in figure.spec


def test_read_prose_returns_escaped_paragraphs_without_tables(case):
    assert read_prose(case.keywords["markdown"][0]) == [
        "<p>What it shows &amp; not &lt;b&gt;bold&lt;/b&gt;.</p>\n",
        "<p>† differs.</p>\n",
    ]


def test_times_adds_up_benchmark_files_by_rule(case):
    head = "s\th:m:s\tmax_rss\n"
    case.text("results/benchmarks/train/a/seed-1.tsv", head + "1.5\t0:00:01\t100\n")
    case.text("results/benchmarks/train/b/seed-1.tsv", head + "2.25\t0:00:02\tNA\n")
    case.text("results/benchmarks/build/x.tsv", head + "-\t-\t-\n")
    found = times(case.folder / "results/benchmarks")
    assert (found["train"].jobs, found["train"].seconds, found["train"].megabytes) == (2, 3.75, 100)
    assert (found["build"].jobs, found["build"].seconds) == (1, 0)
    assert times(case.folder / "nowhere") == {}


def test_rule_rows_have_dependencies_times_and_dollars(case):
    case.text("results/benchmarks/train/a.tsv", "s\tmax_rss\n1\t2\n")
    rows = rule_rows(GRAPH["rules"], GRAPH["edges"], times(case.folder / "results/benchmarks"), {"train": 0.75})
    train, table = rows[1], rows[2]
    assert (train["reads"], train["took"].jobs, train["usd"]) == ("build, train", 1, 0.75)
    assert (table["reads"], table["took"], table["usd"]) == ("build, train", None, None)


def test_draw_graph_has_every_rule_once_and_only_downward_lines():
    spec = draw_graph(GRAPH["rules"], GRAPH["edges"])
    rows = [row for values in spec["datasets"].values() for row in values]
    places = {row["rule"]: (row["x"], row["y"]) for row in rows if "rule" in row}
    assert set(places) == {"build", "train", "table"}
    assert len(set(places.values())) == 3
    lines = [row for row in rows if "x2" in row]
    assert len(lines) == 2, "loops and transitive edges are not drawn"
    assert all(line["y"] < line["y2"] for line in lines)
    ends = {((line["x"], line["y"]), (line["x2"], line["y2"])) for line in lines}
    assert ends == {(places[one], places[other]) for one, other in [("build", "train"), ("train", "table")]}


def test_draw_graph_keeps_the_lines_of_a_cycle():
    rules = [["search"], ["pool"], ["train"]]
    spec = draw_graph(rules, [["search", "pool"], ["pool", "train"], ["train", "search"]])
    assert len([row for values in spec["datasets"].values() for row in values if "x2" in row]) == 3


def test_findings_state_counts_of_the_tables(tmp_path):
    texts = {
        "claims": "statement,ranker,treatment,distribution,verdict,why\n"
        "it helps,bi-encoder,zero,ood,contradicted,It does not.\n"
        "it harms,bi-encoder,zero,id,insensitive,Nothing helps.\n",
        "replies": "replies,well-formed,repaired\n10,3,4\n10,0,1\n",
        "leaks": "recipe,llm,kind,what,count\na,x,exact,query,0\na,x,8-gram,query,2\na,x,8-gram,passage,1\n"
        "b,x,exact,query,0\n",
    }
    tables = {name: tmp_path / f"{name}.csv" for name in texts}
    for name, text in texts.items():
        tables[name].write_text(text, encoding="utf-8")
    assert findings(tables) == [
        "2 claims, each with one ranker and training set, tested as one family: 0 supported, "
        "1 contradicted, 0 equivalent, 0 undecided, 1 insensitive.",
        "Contradicted for bi-encoder trained on zero, out of distribution: it helps. It does not.",
        "Language models returned 20 replies with passages; 40% could be parsed.",
        "Training sets (of 2) that have a text in common with a test set: 0 by exact, 1 by 8-gram.",
    ]
    assert findings({}) == []
    head, row = texts["claims"].splitlines()[:2]
    tables["claims"].write_text("\n".join([head, *[row] * (SHOWN + 3)]), encoding="utf-8")
    assert findings({"claims": tables["claims"]})[-1] == "See the table for 3 more decided claims."


def test_models_and_seeds_come_from_the_configuration_files(case):
    assert models_of(case.keywords["specs"]) == [
        {"model": "tiny", "from": "model hub, example/tiny", "revision": "abc123"}
    ]
    seeds = seeds_of({"seeds": [1, 2], "intervals": {"seed": 13}}, case.keywords["specs"])
    assert seeds[:2] == [("training (experiment)", "1, 2"), ("intervals (experiment)", "13")]
    assert [value for key, value in seeds[2:] if "recipes/human.yaml" in key] == ["77"]


def test_models_of_states_the_origin_of_every_kind_of_model(config):
    rows = {row["model"]: row for row in models_of(sorted((config / "models").glob("*.yaml")))}
    assert len(rows) == len(list((config / "models").glob("*.yaml")))
    table = {"model": "smollm2-table", "from": "token-table of smollm2-135m", "revision": "see smollm2-135m"}
    assert rows["smollm2-table"] == table
    assert rows["smollm2-135m-6-layers"]["from"] == "first-layers of smollm2-135m"


def test_sections_have_every_table_and_figure_once():
    tables = [name for section in SECTIONS for name in section.tables]
    figures = [name for section in SECTIONS for name in section.figures]
    assert len(tables) == len(set(tables))
    assert len(figures) == len(set(figures))
    distillation = next(section for section in SECTIONS if section.key == "distillation")
    assert tables_of(distillation, ["id", "twolar", "ablation-loss"]) == ["twolar", "ablation-loss"]
    assert not [name for section in SECTIONS[:2] for name in tables_of(section, ["ablation-loss"])]
    assert set(LEADS) == {"cost", "replies", "rankings"}


def test_as_data_escapes_the_end_of_a_script_element():
    text = as_data({"text": ATTACK, "more": "<!-- é"})
    assert "<" not in text
    assert json.loads(text) == {"text": ATTACK, "more": "<!-- é"}


def test_for_script_escapes_the_end_of_a_script_element():
    assert bundles.for_script("a='</script>'; b=/<!--/") == "a='<\\/script>'; b=/<\\!--/"


def test_tables_script_sets_the_global_name():
    code = bundles.tables_script()
    assert "window.DataTable=" in code
    assert "export{" not in code.replace("export {", "export{")
    assert "<!--" not in code
