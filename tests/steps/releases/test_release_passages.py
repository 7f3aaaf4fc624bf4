"""Released passages: they load without a script or a network, and the card lists their provenance."""

import json
import re
import socket
import subprocess
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

from synthrank.data.files import sha256_of, write_jsonl
from synthrank.data.records import Exemplar, Judgment, Message, Passage, Reply, WrittenPassage
from synthrank.data.trec import write_qrels
from synthrank.errors import BudgetError, DataError
from synthrank.steps import releases
from synthrank.steps.releases.release_passages import release_passages

TEMPLATE = Path(releases.__file__).with_name("passages.md.j2")
PROMPT = """---
task: passage
inputs: [query, exemplars]
---
# user
Example:
```
{{ exemplars[0].text }}
```
Now: {{ query }}
"""
ENTITIES = {
    "corpora/toy": "source: beir\nfolder: toy\nsplits: {train: qrels/train.tsv, test: qrels/test.tsv}\n",
    "paradigms/few-shot": "kind: generated\nprompt: shown\nexemplars: {kind: passages, count: 1}\n",
    "paradigms/levels": "kind: graded\nprompt: shown\nlevels: [3, 1, 0]\n",
    "paradigms/human": "kind: human\n",
    "paradigms/asked": "kind: queries\naugmentation: inpars\n",
    "paradigms/others": "kind: imported\nfile: other.jsonl\nby: query\nwritten_by: Llama 2 of somebody\n",
    "llms/some-llm": (
        "backend: openai\nmodel: some-llm-2025-04-14\nkey_variable: MY_KEY\nbase_url: http://inside.example/v1\n"
        "sampling: {temperature: 0.7}\n"
        "price: {listed: 2025-10-01, input: 0.4, cached_input: 0.1, output: 1.6}\n"
    ),
    "llms/local-llm": "backend: local\nmodel: weights\n",
    "models/weights": "source: folder\npath: /home/somebody/weights\n",
}
COUNTS = {"queries": 3, "replies": 4, "passages": 2, "dropped": {"refusal": 1, "too-short": 1}, "repaired": {}}
WRITTEN = [
    WrittenPassage("q1@few-shot", "Größer means: taller or wider.", "q1", "what is „größer“?"),
    WrittenPassage("q2@few-shot", "It is so because it is.\tTruly", "q2", 'why "so"?'),
]
LEVELS = [
    WrittenPassage(f"q1@levels-{grade}", f"words of level {grade}", "q1", "what is „größer“?", grade)
    for grade in (3, 1, 0)
]
PASSAGES = [
    Passage("p1", "Größer is the comparative of groß, and means taller."),
    Passage("p2", "So it is."),
    Passage("p3", "Nobody asked."),
]
JUDGED = [Judgment("q1", "p1", 2), Judgment("q1", "p2", 1), Judgment("q1", "p3", 0), Judgment("q2", "absent", 1)]


def reply(query, sample, text, **other):
    return Reply(
        query, f"text of {query}", sample, text, "stop", 100, 10, "some-llm", {"temperature": 0.7, "backend": None},
        (Message("user", "Now: „größer“"),), key="hash-in-the-store", snapshot="some-llm-2025-04-14",
        tokens_cached=64, price_usd=0.125, mode="live", **other,
    )  # fmt: skip


REPLIES = [
    reply("q1", 0, "Größer means: taller or wider.", time="2025-11-03T10:00:00+00:00"),
    reply("q2", 0, "I cannot say.", time="2025-11-02T10:00:00+00:00"),
    reply("q2", 1, "It is so because it is.", time="2025-11-05T10:00:00+00:00"),
]
LEAKS = {"compared": {"query": 2}, "leaks": {"faq": {"exact": {"query": 1}, "13-gram": {"passage": 5}}}}


class World:
    def __init__(self, folder):
        self.folder, self.to = folder, folder / "release"
        for name, text in ENTITIES.items():
            path = folder / "config" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / "shown.md").write_text(PROMPT)
        (folder / "counts.json").write_text(json.dumps(COUNTS))
        (folder / "statistics.json").write_text(json.dumps({"words": 6.123456, "self_bleu": {"4": 0.5}}))
        (folder / "leaks.json").write_text(json.dumps(LEAKS))
        write_jsonl(folder / "replies.jsonl", REPLIES)
        write_jsonl(folder / "exemplars.jsonl", [Exemplar("p3", "Nobody asked."), Exemplar("p2", "So it is.")])
        write_jsonl(folder / "collection.jsonl", PASSAGES)
        write_qrels(folder / "qrels.txt", JUDGED)

    def spec(self, name):
        return self.folder / "config" / f"{name}.yaml"

    def release(self, written=WRITTEN, paradigm="few-shot", llm="some-llm", measured=False):
        asked = paradigm in ("few-shot", "levels", "asked")
        write_jsonl(self.folder / "passages.jsonl", written)
        release_passages(
            passages=self.folder / "passages.jsonl", counts=self.folder / "counts.json",
            replies=[self.folder / "replies.jsonl"] if asked else [],
            exemplars=[self.folder / "exemplars.jsonl"] if paradigm in ("few-shot", "asked") else [],
            corpus=self.spec("corpora/toy"), collection=self.folder / "collection.jsonl",
            qrels=self.folder / "qrels.txt", paradigm=self.spec(f"paradigms/{paradigm}"),
            prompt=[self.folder / "shown.md"] if asked else [], llm=[self.spec(f"llms/{llm}")] if asked else [],
            weights=[self.spec("models/weights")] if llm == "local-llm" else [],
            statistics=[self.folder / "statistics.json"] if measured else [],
            leaks=[self.folder / "leaks.json"] if measured else [], template=TEMPLATE, release=self.to,
        )  # fmt: skip
        return (self.to / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return the loader of datasets, with a separate cache and without a network."""
    import datasets

    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets.load_dataset


def table_of(card):
    return dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", card, re.MULTILINE))


def test_card_of_generated_queries_names_authors_of_passages_and_queries(world):
    written = [WrittenPassage("p2", "So it is.", "inpars:p2:1", "is it so?")]
    card = " ".join(world.release(written, paradigm="asked").split())
    assert "Passages of toy with the queries that inpars made from them" in card
    assert "the passages are texts of toy: may they be passed on, and under which licence?" in card
    assert "the queries are the output of some-llm: do its provider's terms or its licence let" in card
    assert (
        "Exemplars of the prompts, 2 training pairs in all: each passage sees the same, none of them its own." in card
    )
    rows = pyarrow.parquet.read_table(world.to / "data/train-00000-of-00001.parquet").to_pylist()
    assert [(row["generator"], row["query"]) for row in rows] == [("people", "is it so?")]


def test_every_configuration_of_released_passages_loads(world, load):
    world.release()
    folder = str(world.to)
    assert load(folder)["train"].to_list() == [
        {
            "query_id": item.query_id, "query": item.query, "passage_id": item.id, "passage": item.text, "grade": 1,
            "generator": "some-llm", "paradigm": "few-shot",
        }
        for item in WRITTEN
    ]  # fmt: skip
    corpus = [{"_id": item.id, "title": "", "text": item.text} for item in WRITTEN]
    assert load(folder, "corpus", split="corpus").to_list() == corpus
    queries = [{"_id": item.query_id, "text": item.query} for item in WRITTEN]
    assert load(folder, "queries", split="queries").to_list() == queries
    qrels = [{"query-id": item.query_id, "corpus-id": item.id, "score": 1} for item in WRITTEN]
    assert load(folder, "qrels", split="train").to_list() == qrels
    replies = load(folder, "replies", split="train").to_list()
    assert [(row["query_id"], row["sample"], row["text"]) for row in replies] == [
        (item.query_id, item.sample, item.text) for item in REPLIES
    ], "unusable replies are included"
    assert json.loads(replies[0]["messages"]) == [{"role": "user", "content": "Now: „größer“"}]
    assert json.loads(replies[0]["sampling"]) == {"temperature": 0.7, "backend": None}
    assert (replies[0]["snapshot"], replies[0]["price_usd"]) == ("some-llm-2025-04-14", 0.125)
    assert "hash-in-the-store" not in str(replies)


def test_release_passages_writes_the_beir_layout(world):
    world.release()
    lines = [json.loads(line) for line in (world.to / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"_id": item.id, "title": "", "text": item.text} for item in WRITTEN]
    lines = [json.loads(line) for line in (world.to / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"_id": item.query_id, "text": item.query} for item in WRITTEN]
    qrels = (world.to / "qrels/train.tsv").read_text()
    assert qrels == "query-id\tcorpus-id\tscore\nq1\tq1@few-shot\t1\nq2\tq2@few-shot\t1\n"


def test_code_of_the_passages_card_reads_the_data_set(world, load, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", world.release(), re.DOTALL)
    monkeypatch.chdir(world.to)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "what is „größer“? -> Größer means: taller or wider.",
        "2 passages for queries, 2 different ones",
    ]


def test_croissant_describes_the_tables_of_released_passages(world):
    import mlcroissant as mlc

    world.release()
    described = mlc.Dataset(jsonld=world.to / "croissant.json")
    assert described.metadata.issues.errors == set()
    assert {item.name for item in described.metadata.record_sets} == {
        "default", "corpus", "queries", "qrels", "replies", "exemplars",
    }  # fmt: skip
    for item in described.metadata.distribution:
        path = world.to / item.content_url
        assert (item.sha256, item.content_size) == (sha256_of(path), f"{path.stat().st_size} B")
    rows = list(described.records("default"))
    assert [row["default/passage"].decode() for row in rows] == [item.text for item in WRITTEN]
    assert [row["default/grade"] for row in rows] == [1, 1]
    assert [row["replies/price_usd"] for row in described.records("replies")] == [0.125] * 3


def test_release_passages_writes_checksums_of_all_files(world):
    world.release()
    done = subprocess.run(["sha256sum", "--strict", "-c", "sha256.txt"], cwd=world.to, capture_output=True, text=True)
    files = sorted(path.relative_to(world.to).as_posix() for path in world.to.rglob("*") if path.is_file())
    assert done.returncode == 0
    assert sorted(done.stdout.splitlines()) == [f"{name}: OK" for name in files if name != "sha256.txt"]
    assert set(files) >= {"README.md", "croissant.json", "corpus.jsonl", "queries.jsonl", "qrels/train.tsv"}
    before = {name: sha256_of(world.to / name) for name in files}
    world.release()
    assert {name: sha256_of(world.to / name) for name in files} == before, "a second release is identical"


def test_release_passages_card_lists_provenance(world, load):
    card = world.release()
    head = yaml.safe_load(card.split("---\n")[1])
    assert (head["pretty_name"], head["license"]) == ("toy, few-shot, some-llm", "other")
    assert [config["config_name"] for config in head["configs"] if config.get("default")] == ["default"]
    assert all((world.to / file["path"]).is_file() for config in head["configs"] for file in config["data_files"])
    parts = dict(re.findall(r"^([^\n]+):\n\n```yaml\n(.*?)\n```", card, re.MULTILINE | re.DOTALL))
    assert list(parts) == [
        "The corpus `toy`", "The paradigm `few-shot`", "The language model `some-llm`",
    ]  # fmt: skip
    assert yaml.safe_load(parts["The language model `some-llm`"])["sampling"]["temperature"] == 0.7
    assert "The server named its model as some-llm-2025-04-14." in card
    assert f"````\n{PROMPT.strip()}\n````\n" in card, "the full prompt, in a longer fence"
    assert "2 in all: each query sees 1 that are not its own, drawn for it\nout of the whole corpus." in card
    shown = load(str(world.to), "exemplars", split="train")
    assert [shown["passage_id"][:], shown["query_id"][:]] == [["p3", "p2"], ["", ""]]
    rows = {
        "different passages": "2", "dropped: refusal": "1", "dropped: too-short": "1", "tokens in": "300",
        "of them cached": "192", "tokens out": "30", "US dollars": "0.375", "first day (UTC)": "2025-11-02",
        "last day (UTC)": "2025-11-05",
    }  # fmt: skip
    assert rows.items() <= table_of(card).items()
    assert card.count("- [ ]") == 5
    for private in ("inside.example", "MY_KEY", "cached_input", "hash-in-the-store", str(world.folder)):
        for path in world.to.rglob("*"):
            assert path.is_dir() or private.encode() not in path.read_bytes(), (path, private)


def test_release_passages_card_hides_the_folder_of_local_weights(world):
    card = world.release(llm="local-llm")
    assert "Its weights `weights`:\n\n```yaml\ntrained_on: []\nsource: folder\n" in card
    assert "/home/somebody" not in card


def test_release_passages_card_compares_with_human_passages(world):
    card = world.release()
    # Only q1 has both. Its query is {what, is, größer}. The generated passage {größer, means, taller, or, wider} and
    # the most similar human passage {größer, is, the, comparative, of, groß, and, means, taller} share 3 of 11 words.
    assert "| released, grade 1 | 1 | 5.0 | 5.0 | 0.333 | 0.273 |" in card
    # {so, it, is} holds 1 of the query's words, the other one 2: 0.5 on average.
    assert "| human | 2 | 6.0 | 6.0 | 0.500 |  |" in card


def test_release_passages_keeps_grades(world, load):
    card = world.release(LEVELS, "levels")
    assert load(str(world.to), split="train")["grade"][:] == [3, 1, 0]
    assert (world.to / "qrels/train.tsv").read_text().splitlines()[1:] == [
        "q1\tq1@levels-3\t3", "q1\tq1@levels-1\t1", "q1\tq1@levels-0\t0",
    ]  # fmt: skip
    assert "how relevant a passage is to its query: 3, 1, 0, more is better" in card
    assert [line.split(" | ")[0] for line in card.splitlines() if line.startswith(("| released", "| human"))] == [
        "| released, grade 3", "| released, grade 1", "| released, grade 0", "| human",
    ]  # fmt: skip
    assert "Exemplars of the prompt" not in card


def test_release_passages_of_human_passages(world, load):
    shared = [WrittenPassage("p1", PASSAGES[0].text, query, f"about {query}", 2) for query in ("q1", "q2")]
    card = world.release(shared, "human")
    assert load(str(world.to), "corpus", split="corpus")["_id"][:] == ["p1"], "once, for any number of queries"
    assert load(str(world.to), split="train")["generator"][:] == ["people", "people"]
    assert "passages and queries are texts of toy" in card
    assert "These are the human passages themselves." in card
    assert card.count("- [ ]") == 3
    for word in ("replies", "language model", "output of", "## Cost"):
        assert word not in card.split("## Counts")[0], word
    assert not list(world.to.rglob("*replies*"))


def test_release_passages_card_names_the_author_of_imported_passages(world, load):
    card = world.release([WrittenPassage("q1@others", "Their words.", "q1", "what is „größer“?")], "others")
    assert load(str(world.to), split="train")["generator"][:] == ["Llama 2 of somebody"]
    assert "the passages are the text of others (Llama 2 of somebody): under which licence" in card
    assert "| released, grade 1 | 1 | 2.0 |" in card
    assert not list(world.to.rglob("*replies*"))


def test_release_passages_card_lists_overlap_if_searched(world):
    card = world.release(measured=True)
    rows = {
        "words": "6.1235",
        "self bleu: 4": "0.5",
        "leaks: faq: exact: query": "1",
        "leaks: faq: 13-gram: passage": "5",
    }
    assert rows.items() <= table_of(card).items()
    assert "Not tested" not in card
    assert "Not tested: compare with the test sets" in world.release()


def test_release_passages_refuses_missing_or_conflicting_passages(world):
    with pytest.raises(
        BudgetError, match=r"passages\.jsonl: the file has no passages; a release needs at least one passage$"
    ):
        world.release([])
    twice = [WRITTEN[0], WrittenPassage("q1@few-shot", "other words", "q2", "?")]
    with pytest.raises(DataError, match=r"passage 'q1@few-shot' has two texts; expected one text per id$"):
        world.release(twice)
    with pytest.raises(DataError, match=r"query 'q1' has two texts"):
        world.release([WRITTEN[0], WrittenPassage("x", "text", "q1", "another question")])
    graded = [WrittenPassage("x", "text", "q1", "?", grade) for grade in (1, 2)]
    with pytest.raises(DataError, match=r"passage 'x' has two grades for query 'q1'; expected one$"):
        world.release(graded)
    assert not world.to.exists()
    assert not list(world.folder.glob(".release*"))
