"""The report as a file: its content, escaped texts, and no network requests."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from report_case import ATTACK, EXPERIMENT, Case


class Reader(HTMLParser):
    """Parse a page into elements with attributes, texts of scripts, and all other text."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.scripts, self.words, self.within = [], [], [], ""
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.within = tag if tag in ("script", "style") else self.within
        if tag == "script":
            self.scripts.append((dict(attributes), ""))

    def handle_endtag(self, tag):
        self.within = "" if tag == self.within else self.within

    def handle_data(self, data):
        if self.within == "script":
            attributes, before = self.scripts.pop()
            self.scripts.append((attributes, before + data))
        elif not self.within:
            self.words.append(data)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("report"))


@pytest.fixture
def page(case):
    return Reader(case.made())


def test_make_report_escapes_texts(case, page):
    case.text("config/models/tiny.yaml", f"source: hub\nrepo: example/tiny\nrevision: abc123 # {ATTACK}\n")
    page = Reader(case.made())
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert len(page.scripts) == 4, "the data, two libraries and the script of the page"
    assert not [code for attributes, code in page.scripts if code.startswith("window.attacked")]
    assert ATTACK in page.text, "from the configuration file, escaped"
    data = json.loads(page.scripts[0][1])
    assert [reply["text"] for item in data["examples"]["written"] for reply in item["replies"]].count(f"Sure! {ATTACK}")
    assert data["figures"]["effectiveness"]["data"]["values"][0]["b"] == ATTACK


def test_make_report_policy_allows_only_the_embedded_scripts(page):
    (policy,) = [item["content"] for tag, item in page.elements
                 if tag == "meta" and item.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
              for attributes, code in page.scripts if attributes["type"] == "module"}  # fmt: skip
    assert set(rules["script-src"].split()) == hashes
    assert len(hashes) == 3
    assert not [name for _, item in page.elements for name in item if name.startswith("on")]


def test_make_report_page_loads_no_other_resource(page):
    named = [item[key] for _, item in page.elements for key in ("src", "href", "srcset", "action") if key in item]
    assert named
    assert not [name for name in named if not name.startswith(("#", "data:"))]
    assert not [item for tag, item in page.elements if tag in ("iframe", "object", "embed", "base")]
    for style in re.findall(r"<style>(.*?)</style>", "".join(f"<style>{code}</style>" for _, code in page.scripts)):
        assert "@import" not in style


def test_make_report_page_has_every_section_table_and_figure(page):
    names = {item["id"] for _, item in page.elements if "id" in item}
    assert {"experiment", "effectiveness", "cost", "queries", "workflow", "provenance", "words"} <= names
    assert {"table-id", "table-cost", "table-rules", "figure-effectiveness", "figure-rules"} <= names
    links = {item["href"] for tag, item in page.elements if tag == "a"}
    assert links <= {f"#{name}" for name in names}, "every link has a target"
    assert len(names) == len([item for _, item in page.elements if "id" in item]), "ids are unique"


def test_make_report_lists_the_sections_that_the_experiment_lacks(page):
    absent = page.text.partition("Not part of this experiment: ")[2].partition(".")[0]
    assert "Claims" in absent
    assert "Ranking quality" not in absent
    assert "LLM cost" not in absent, "it has a table, but no figure"
    assert not [item for _, item in page.elements if item.get("id") == "claims"]


def test_make_report_states_captions_and_limits(page):
    assert "It shows means." in page.text
    assert "It shows no cause." in page.text
    assert "1 training seed cannot show the variance of training." in page.text
    assert "One row per paradigm and LLM" in page.text, "the table has no Markdown copy"
    for limit in ("20 training queries", "40 test queries", "the first 10 passages", "first 500 characters"):
        assert limit in page.text


def test_make_report_does_not_warn_of_three_seeds(case):
    page = Reader(case.made(experiment=json.dumps(EXPERIMENT | {"seeds": [1, 2, 3]})))
    assert "Few seeds" not in page.text
    assert "3 training seeds" in page.text


def test_make_report_has_the_numbers_of_the_tables(page):
    assert "0.1000 [0.0500, 0.2000]†" in page.text
    assert "0.3000 [0.2000, 0.4000] " in page.text
    assert "The same in every row: test set gardens; seeds 1; queries 8." in page.text


def test_make_report_shows_benchmarks_if_there_are_any(case, page):
    assert "Build it." in page.text
    case.text("results/benchmarks/train/a.tsv", "s\tmax_rss\n12.34\t56\n")
    row = re.search(r"<tr><td>train</td>.*?</tr>", case.made(), re.DOTALL)[0]
    assert "<td>1</td><td>12.3</td><td>56</td>" in row


def test_make_report_adds_up_the_dollars_of_a_rule(case):
    asked = [["generate_passages", "passages", "Ask."], ["ask_queries", "queries", "Ask."]]
    graph = json.dumps({"rules": [*asked, ["b", "tables", "B."]], "edges": []})
    page = case.made(graph=graph)
    for rule, dollars in (("generate_passages", "0.7500"), ("ask_queries", "0.1250")):
        assert dollars in re.search(rf"<tr><td>{rule}</td>.*?</tr>", page, re.DOTALL)[0]


def test_make_report_shows_equal_explanations_of_adjacent_tables_once(case):
    names = ("ablation-a", "ablation-b", "ablation-c")
    tables = [*case.keywords["tables"], *(case.text(f"results/tables/{name}.csv", "x\n1\n") for name in names)]
    words = ("# A\n\nOf both.\n", "# B\n\nOf both.\n", "# C\n\nOf one.\n")
    copies = [case.text(f"results/tables/{name}.md", text) for name, text in zip(names, words, strict=True)]
    text = case.made(tables=tables, markdown=[*case.keywords["markdown"], *copies])
    assert (text.count("Of both."), text.count("Of one."), text.count("explanation of the previous table")) == (1, 1, 1)


def test_make_report_works_without_language_models(case):
    none = ("replies", "dropped", "candidates", "orders", "asks")
    tables = case.keywords["tables"][:1]
    page = Reader(case.made(tables=tables, **{name: [] for name in none}))
    assert json.loads(page.scripts[0][1])["examples"]["ordered"] == []
    assert "table-cost" not in {item.get("id") for _, item in page.elements}


def test_make_report_is_deterministic(case):
    assert case.made() == case.made()


def test_make_report_tables_are_accessible(page):
    heads = [item for tag, item in page.elements if tag == "th"]
    assert heads
    assert all(item.get("scope") in ("col", "row") for item in heads)
    regions = [item for _, item in page.elements if item.get("role") == "region"]
    assert all(item.get("aria-label") and item.get("tabindex") == "0" for item in regions)
    assert ("html", {"lang": "en"}) in page.elements
