"""Released rankings: published training code and ours read them, and the card lists their provenance."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from held_out_case import exclude

from synthrank.data.external_rankings import read_orders
from synthrank.data.files import read_jsonl, sha256_of, write_jsonl
from synthrank.data.records import Group, Judgment, Order, Passage, Query
from synthrank.data.trec import write_qrels
from synthrank.errors import BudgetError, DataError
from synthrank.steps import releases
from synthrank.steps.releases.release_rankings import release_rankings
from synthrank.steps.trainsets.teacher_trainset import teacher_trainset

TEMPLATE = Path(releases.__file__).with_name("rankings.md.j2")
NAMES = [f"p{number}" for number in range(40)]
ORDERS = [
    Order("q1", "what is „größer“?", ("p3", "p1", "p2")),
    Order("q2", "why\tso?", tuple(reversed(NAMES))),
    Order("q3", "nothing found", ()),
]
COUNTS = {
    "ranking": "listwise", "kind": "listwise", "prompt": "order", "llm": "some-llm",
    "snapshots": ["some-llm-2025-04-14"],
    "queries": 3, "ordered": 3, "dropped": [], "status": {"well-formed": 4, "repaired": 1, "malformed": 0},
    "notes": {"missing": 2}, "price_usd": 0.25, "by_query": {"q1": {"asks": 2, "secret-of-a-query": 1}},
}  # fmt: skip
PROMPT = """---
task: listwise
inputs: [query, passages]
---
# user
Order for {{ query }}:
```
{% for passage in passages %}[{{ passage.number }}] {{ passage.text }}{% endfor %}
```
"""
ENTITIES = {
    "corpora/toy": "source: beir\nfolder: toy # its folder\nsplits: {train: qrels/train.tsv}\n",
    "augmentations/crop": "kind: crop\ncount: 100\n",
    "pools/two": "sources: [bm25, dense]\nstrategy: round-robin\ndepth: 30\n",
    "retrievers/bm25": "kind: bm25\nk1: 0.9\n",
    "retrievers/dense": "kind: dense\nmodel: encoder\n",
    "rankings/listwise": "kind: listwise\nprompt: order\nwindow: 20\nstep: 10\npassage_words: 300\n",
    "llms/some-llm": (
        "backend: openai\nmodel: some-llm-2025-04-14\nkey_variable: MY_KEY\nbase_url: http://inside.example/v1\n"
        "price: {listed: 2025-10-01, input: 0.4, cached_input: 0.1, output: 1.6}\n"
    ),
    "llms/local-llm": "backend: local\nmodel: weights\n",
    "models/weights": "source: hub\nrepo: someone/weights\nrevision: abc123\n",
}


class World:
    def __init__(self, folder):
        self.folder = folder
        for name, text in ENTITIES.items():
            path = folder / "config" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (folder / "config/order.md").write_text(PROMPT)
        write_jsonl(folder / "p.jsonl", [Passage(name, f"text of {name}, größer") for name in NAMES])
        (folder / "counts.json").write_text(json.dumps(COUNTS))
        self.release_folder = folder / "release"

    def spec(self, name):
        return self.folder / "config" / f"{name}.yaml"

    def release(self, orders=ORDERS, queryset="train", judged=None, llm="some-llm"):
        write_jsonl(self.folder / "o.jsonl", orders)
        write_qrels(self.folder / "qrels.txt", judged or [])
        release_rankings(
            queryset=queryset, orders=self.folder / "o.jsonl", counts=self.folder / "counts.json",
            corpus=self.spec("corpora/toy"), passages=self.folder / "p.jsonl",
            qrels=[] if judged is None else [self.folder / "qrels.txt"],
            augmentation=[self.spec("augmentations/crop")] if judged is None else [],
            pool=self.spec("pools/two"), sources=[self.spec("retrievers/bm25"), self.spec("retrievers/dense")],
            ranking=self.spec("rankings/listwise"), prompt=self.folder / "config/order.md",
            llm=self.spec(f"llms/{llm}"),
            weights=[self.spec("models/weights")] if llm == "local-llm" else [], template=TEMPLATE,
            release=self.release_folder,
        )  # fmt: skip
        lines = (self.release_folder / "train.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines], (self.release_folder / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_release_rankings_writes_records_in_the_published_format(world):
    records, _ = world.release(queryset="crop")
    assert records[0] == {
        "query": "what is „größer“?",
        "positive_passages": [],
        "retrieved_passages": [{"docid": name, "text": f"text of {name}, größer"} for name in ("p3", "p1", "p2")],
        "query_id": "q1",
    }
    assert [record["query_id"] for record in records] == ["q1", "q2"]
    assert [passage["docid"] for passage in records[1]["retrieved_passages"]] == list(reversed(NAMES))


def published_loader(record, neg_num=29, label=False):
    """The fields that the published training reads (github.com/Dundalia/TWOLAR, utils.RerankData)."""
    count = neg_num if label else neg_num + 1
    retrieved = record["retrieved_passages"]
    if label:
        known = [item["docid"] for item in record["positive_passages"]]
        retrieved = [item for item in retrieved if item["docid"] not in known]
    texts = [str(item["text"]) for item in retrieved][:count]
    texts += ["<padding_passage>"] * (count - len(texts))
    return record["query"], ([str(record["positive_passages"][0]["text"])] if label else []) + texts


def test_published_training_code_reads_released_rankings(world):
    judged = [Judgment("q1", "p1", 1), Judgment("q1", "p30", 3), Judgment("q1", "p2", 0), Judgment("q2", "p0", 1)]
    records, _ = world.release(judged=judged)
    query, passages = published_loader(records[0])
    assert query == "what is „größer“?"
    assert len(passages) == 30
    assert passages[:4] == ["text of p3, größer", "text of p1, größer", "text of p2, größer", "<padding_passage>"]
    assert published_loader(records[1])[1] == [f"text of p{number}, größer" for number in range(39, 9, -1)]
    _, passages = published_loader(records[0], label=True)
    assert passages[0] == "text of p30, größer", "the positive is the best grade"
    assert "text of p1, größer" not in passages[1:]


def test_positive_passages_of_a_record_are_relevant_passages_with_a_text(world):
    judged = [Judgment("q1", "p9", 1), Judgment("q1", "absent", 3), Judgment("q1", "p7", 2), Judgment("q1", "p8", 0),
              Judgment("other", "p6", 1)]  # fmt: skip
    records, card = world.release(judged=judged)
    assert [item["docid"] for item in records[0]["positive_passages"]] == ["p7", "p9"]
    assert records[1]["positive_passages"] == []
    assert "| queries with a positive passage | 1 |" in card
    assert "people judged relevant" in card
    assert "people judged relevant" not in world.release(queryset="crop")[1]


def test_recorded_reader_reads_released_rankings(world):
    world.release(judged=[])
    read = list(read_orders(world.release_folder / "train.jsonl", "records"))
    assert [(order.query_id, order.query, order.ids) for order in read] == [
        (order.query_id, order.query, order.ids) for order in ORDERS if order.ids
    ]
    assert read[0].texts == ("text of p3, größer", "text of p1, größer", "text of p2, größer")


def test_order_trainset_uses_released_rankings(world, tmp_path):
    world.release(judged=[])
    (tmp_path / "r.yaml").write_text(
        "kind: teacher\ncorpus: toy\nsplit: train\nfiles: [train.jsonl]\nformat: records\n"
    )
    write_jsonl(tmp_path / "q.jsonl", [Query(order.query_id, order.query) for order in ORDERS])
    write_jsonl(tmp_path / "none.jsonl", [])
    teacher_trainset(
        spec=tmp_path / "r.yaml", files=[world.release_folder / "train.jsonl"], queries=[tmp_path / "q.jsonl"],
        passages=tmp_path / "none.jsonl", excluded=exclude(tmp_path), held_out_queries=[],
        trainset=tmp_path / "g.jsonl", stats=tmp_path / "s.json",
    )  # fmt: skip
    groups = list(read_jsonl(tmp_path / "g.jsonl", Group))
    assert [[item.id for item in group.candidates] for group in groups] == [["p3", "p1", "p2"], NAMES[::-1][:30]]


def test_release_rankings_uses_texts_of_the_ranking_if_present(world):
    records, _ = world.release([Order("q", "?", ("x", "p1"), ("own x", "own p1"))])
    assert [item["text"] for item in records[0]["retrieved_passages"]] == ["own x", "own p1"]


def test_release_rankings_card_lists_provenance(world):
    _, card = world.release(queryset="crop")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["pretty_name"] == "toy, crop, ordered by some-llm"
    assert head["license"] == "other"
    parts = dict(re.findall(r"^([^\n]+):\n\n```yaml\n(.*?)\n```", card, re.MULTILINE | re.DOTALL))
    assert list(parts) == [
        "The corpus `toy`", "The queries `crop`", "The first stage `bm25`", "The first stage `dense`",
        "The pool of candidates `two`", "The ranking `listwise`", "The language model `some-llm`",
    ]  # fmt: skip
    pool = yaml.safe_load(parts["The pool of candidates `two`"])
    assert pool.items() >= yaml.safe_load(ENTITIES["pools/two"]).items()
    assert pool["source_depth"] == 100, "defaults are listed"
    llm = yaml.safe_load(parts["The language model `some-llm`"])
    assert (llm["backend"], llm["model"]) == ("openai", "some-llm-2025-04-14")
    assert llm["sampling"]["temperature"] == 0.0
    assert f"````\n{PROMPT.strip()}\n````\n" in card, "the full prompt, in a longer fence"
    table = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", card, re.MULTILINE))
    counts = {
        "queries with a positive passage": "0", "passages": "43", "different passages": "40", "dropped": "0",
        "passages per query": "3 to 40", "orders without a passage": "1", "status: repaired": "1",
        "notes: missing": "2", "price usd": "0.25",
    }  # fmt: skip
    assert counts.items() <= table.items()
    assert [line for line in card.splitlines() if line.startswith("| queries |")] == [
        "| queries | 2 |",
        "| queries | 3 |",
    ]
    assert "The server named its model as some-llm-2025-04-14." in card
    assert card.count("- [ ]") == 4
    assert "by_query" not in card
    assert "secret-of-a-query" not in card
    for private in ("inside.example", "MY_KEY", "cached_input", str(world.folder)):
        assert private not in card


def test_release_rankings_card_names_local_weights(world):
    _, card = world.release(judged=[], llm="local-llm")
    assert "Its weights `weights`:\n\n```yaml\n" in card
    assert "repo: someone/weights\nrevision: abc123\n" in card
    assert card.count("- [ ]") == 3, "the queries are the corpus's own"


def test_code_of_the_rankings_card_reads_the_data_set(world):
    _, card = world.release()
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 5
    command = [sys.executable, "-I", "-X", "utf8", "-c", code]
    done = subprocess.run(command, cwd=world.release_folder, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[0] == "what is „größer“? -> text of p3, größer"


def test_release_rankings_writes_checksums_of_all_files(world):
    world.release()
    folder = world.release_folder
    done = subprocess.run(["sha256sum", "--strict", "-c", "sha256.txt"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, sorted(done.stdout.splitlines())) == (0, ["README.md: OK", "train.jsonl: OK"])
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "sha256.txt", "train.jsonl"]
    lines = (folder / "sha256.txt").read_text().splitlines()
    assert lines == [f"{sha256_of(folder / name)}  {name}" for name in ("README.md", "train.jsonl")], "two spaces"
    before = {path.name: sha256_of(path) for path in folder.iterdir()}
    world.release()
    assert {path.name: sha256_of(path) for path in folder.iterdir()} == before, "a second release is identical"
    (folder / "train.jsonl").write_text("{}")
    assert subprocess.run(["sha256sum", "-c", "sha256.txt"], cwd=folder, capture_output=True).returncode == 1


def test_release_rankings_refuses_empty_rankings_or_unknown_passages(world):
    with pytest.raises(BudgetError, match=r"o\.jsonl: all rankings are empty; a release needs at least one passage$"):
        world.release([Order("q", "?", ())])
    with pytest.raises(DataError, match=r"p\.jsonl: 1 passages are not in it, first 'x'"):
        world.release([Order("q", "?", ("p1", "x"))])
    assert not world.release_folder.exists()
