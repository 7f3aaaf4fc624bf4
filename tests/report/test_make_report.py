"""The page as a file: everything is in it, texts stay texts, and it asks no network for anything."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from report_case import ATTACK, EXPERIMENT, Case


class Reader(HTMLParser):
    """A page as a browser reads it: elements with their attributes, the text of scripts, and all other text."""

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


def test_texts_that_would_be_more_stay_texts(case, page):
    case.text("config/models/tiny.yaml", f"source: hub\nrepo: someone/tiny\nrevision: abc123 # {ATTACK}\n")
    page = Reader(case.made())
    assert not [tag for tag, _ in page.elements if tag == "img"]
    assert len(page.scripts) == 4, "the data, two libraries and the page's own"
    assert not [code for attributes, code in page.scripts if code.startswith("window.attacked")]
    assert ATTACK in page.text, "of the configuration's file, escaped"
    data = json.loads(page.scripts[0][1])
    assert [reply["text"] for item in data["examples"]["written"] for reply in item["replies"]].count(f"Sure! {ATTACK}")
    assert data["figures"]["effectiveness"]["data"]["values"][0]["b"] == ATTACK


def test_only_the_scripts_that_were_put_there_may_run(page):
    (policy,) = [item["content"] for tag, item in page.elements
                 if tag == "meta" and item.get("http-equiv") == "Content-Security-Policy"]  # fmt: skip
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"
              for attributes, code in page.scripts if attributes["type"] == "module"}  # fmt: skip
    assert set(rules["script-src"].split()) == hashes
    assert len(hashes) == 3
    assert not [name for _, item in page.elements for name in item if name.startswith("on")]


def test_nothing_is_fetched(page):
    named = [item[key] for _, item in page.elements for key in ("src", "href", "srcset", "action") if key in item]
    assert named
    assert not [name for name in named if not name.startswith(("#", "data:"))]
    assert not [item for tag, item in page.elements if tag in ("iframe", "object", "embed", "base")]
    for style in re.findall(r"<style>(.*?)</style>", "".join(f"<style>{code}</style>" for _, code in page.scripts)):
        assert "@import" not in style


def test_every_part_is_there(page):
    names = {item["id"] for _, item in page.elements if "id" in item}
    assert {"experiment", "effectiveness", "cost", "queries", "workflow", "provenance", "words"} <= names
    assert {"table-id", "table-cost", "table-rules", "figure-effectiveness", "figure-rules"} <= names
    links = {item["href"] for tag, item in page.elements if tag == "a"}
    assert links <= {f"#{name}" for name in names}, "every link of the page leads somewhere"
    assert len(names) == len([item for _, item in page.elements if "id" in item]), "no name stands for two"


def test_what_the_experiment_has_not_is_said_and_not_shown(page):
    said = page.text.partition("This experiment has nothing to say of: ")[2].partition(" Its configuration")[0]
    assert "The claims, and whether they hold" in said
    assert "How well the rankers rank" not in said
    assert "What the language models' part cost" not in said, "it has a table, and no figure"
    assert not [item for _, item in page.elements if item.get("id") == "claims"]
    assert "Its configuration does not ask for these parts." in page.text


def test_the_page_says_what_it_is_not(page):
    assert "It shows means." in page.text
    assert "It shows no cause." in page.text
    assert "With 1 training seed, this page cannot say" in page.text
    assert "One row a way of writing and language model" in page.text, "for a table without a twin"
    for what in ("20 training queries", "40 test queries", "the first 10 passages", "first 500 characters"):
        assert what in page.text


def test_enough_seeds_need_no_warning(case):
    page = Reader(case.made(experiment=json.dumps(EXPERIMENT | {"seeds": [1, 2, 3]})))
    assert "Read with care" not in page.text
    assert "3 training seeds" in page.text


def test_numbers_are_those_of_the_tables(page):
    assert "0.1000 [0.0500, 0.2000]†" in page.text
    assert "0.3000 [0.2000, 0.4000] " in page.text
    assert "The same in every row: test set gardens; seeds 1; queries 8." in page.text


def test_benchmarks_are_shown_where_they_are_and_no_reason_to_fail_where_not(case, page):
    assert "Build it." in page.text
    case.text("results/benchmarks/train/a.tsv", "s\tmax_rss\n12.34\t56\n")
    row = re.search(r"<tr><td>train</td>.*?</tr>", case.made(), re.DOTALL)[0]
    assert "<td>1</td><td>12.3</td><td>56</td>" in row


def test_dollars_of_a_rule_are_those_of_its_table(case):
    graph = json.dumps({"rules": [["generate_passages", "passages", "Ask."], ["b", "tables", "B."]], "edges": []})
    row = re.search(r"<tr><td>generate_passages</td>.*?</tr>", case.made(graph=graph), re.DOTALL)[0]
    assert "0.7500" in row, "half a dollar and a quarter"


def test_the_same_words_stand_above_the_first_of_some_tables_alone(case):
    names = ("ablation-a", "ablation-b", "ablation-c")
    tables = [*case.keywords["tables"], *(case.text(f"results/tables/{name}.csv", "x\n1\n") for name in names)]
    words = ("# A\n\nOf both.\n", "# B\n\nOf both.\n", "# C\n\nOf one.\n")
    twins = [case.text(f"results/tables/{name}.md", text) for name, text in zip(names, words, strict=True)]
    text = case.made(tables=tables, twins=[*case.keywords["twins"], *twins])
    assert (text.count("Of both."), text.count("Of one."), text.count("as the table before it")) == (1, 1, 1)


def test_an_experiment_without_language_models_has_a_page(case):
    none = ("replies", "dropped", "candidates", "orders", "asks")
    tables = case.keywords["tables"][:1]
    page = Reader(case.made(tables=tables, **{name: [] for name in none}))
    assert json.loads(page.scripts[0][1])["examples"]["ordered"] == []
    assert "table-cost" not in {item.get("id") for _, item in page.elements}


def test_the_same_files_give_the_same_page(case):
    assert case.made() == case.made()


def test_every_table_can_be_read_aloud(page):
    heads = [item for tag, item in page.elements if tag == "th"]
    assert heads
    assert all(item.get("scope") in ("col", "row") for item in heads)
    regions = [item for _, item in page.elements if item.get("role") == "region"]
    assert all(item.get("aria-label") and item.get("tabindex") == "0" for item in regions)
    assert ("html", {"lang": "en"}) in page.elements
