"""Queries asked of a language model: nothing asked twice, nothing kept back, nothing given away."""

import json

import pytest

from synthrank.errors import BudgetError, ShardError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.llms.echo import Echo
from synthrank.order import seeded
from synthrank.queries import ask_queries as module
from synthrank.queries.ask_queries import ask_queries
from synthrank.queries.draw_exemplars import draw_exemplars
from synthrank.queries.gather_asked_queries import gather_asked_queries
from synthrank.queries.sample_passages import sample_passages
from synthrank.records import Judgment, Passage, Query, Reply
from synthrank.trec import write_qrels

ZERO = "---\ntask: queries\ninputs: [passage]\n---\n# user\n<{{ passage }}>\n"
FEW = "---\ntask: queries\ninputs: [passage, exemplars]\n---\n# user\n{% for item in exemplars %}\n" + (
    "[{{ item.text }}|{{ item.query }}]\n{% endfor %}\n<{{ passage }}>\n"
)
PASSAGES = [Passage(f"p{number}", f"text of passage {number}") for number in range(8)]
TRAIN = [Query(f"q{number}", f"question {number}") for number in range(4)]
TRAIN_QRELS = [Judgment(f"q{number}", f"p{number}", 1) for number in range(4)]


class Scripted:
    """A language model that says what it is told to, in another order than it was asked."""

    def __init__(self, say):
        self.say, self.asked = say, []

    def generate(self, requests):
        self.asked += requests
        for request in reversed(requests):
            said = self.say(request)
            text, finish = said if isinstance(said, tuple) else (said, "stop")
            yield Reply(request.query_id, request.query, request.sample, text, finish, 1, 1, "m", {}, request.messages)


MADE = ("raw.jsonl", "replies.jsonl", "counts.json")


def gather(folder, paths):
    gather_asked_queries(spec=folder / "asked.yaml", sampled=folder / "sampled.jsonl", shards=paths,
                         **{name.split(".")[0]: folder / name for name in MADE})  # fmt: skip


@pytest.fixture
def ask(tmp_path, monkeypatch):
    def do(say=None, passages=PASSAGES, held_out=(), prompt=ZERO, train=None, shards=1, **changed):
        stated = {"kind": "llm-query", "prompt": "p", "llm": "echo", "count": 100, **changed}
        (tmp_path / "asked.yaml").write_text(json.dumps(stated))
        (tmp_path / "p.md").write_text(prompt)
        (tmp_path / "echo.yaml").write_text("backend: echo\n")
        write_jsonl(tmp_path / "passages.jsonl", passages)
        write_qrels(tmp_path / "held.txt", held_out)
        write_jsonl(tmp_path / "train.jsonl", TRAIN)
        write_qrels(tmp_path / "train.txt", TRAIN_QRELS if train is None else train)
        backend = Scripted(say) if say else None
        if backend:
            monkeypatch.setattr(module, "open_stored", lambda *_: backend)
        few = "exemplars" in stated
        spec, sampled = tmp_path / "asked.yaml", tmp_path / "sampled.jsonl"
        sample_passages(spec=spec, passages=tmp_path / "passages.jsonl", held_out=[tmp_path / "held.txt"],
                        sampled=sampled)  # fmt: skip
        if few:
            draw_exemplars(
                spec=spec, passages=tmp_path / "passages.jsonl", queries=tmp_path / "train.jsonl",
                qrels=tmp_path / "train.txt", held_out=[tmp_path / "held.txt"],
                exemplars=tmp_path / "exemplars.jsonl",
            )  # fmt: skip
        paths = [tmp_path / f"shards/{number}-of-{shards}.jsonl" for number in range(1, shards + 1)]
        for path in paths:
            ask_queries(
                spec=spec, prompt=tmp_path / "p.md", llm=tmp_path / "echo.yaml", model=[], sampled=sampled,
                exemplars=[tmp_path / "exemplars.jsonl"] if few else [], shard=path.stem, replies=path,
            )  # fmt: skip
        gather(tmp_path, paths)
        return list(read_jsonl(tmp_path / "raw.jsonl", Query)), backend

    return do


def number(request):
    return request.query_id[1:]


def test_each_passage_of_the_seeded_order_is_asked_about(ask, tmp_path):
    order = seeded([passage.id for passage in PASSAGES], 13)
    for count in (1, 3, 8):
        queries, backend = ask(lambda request: f"what of {number(request)}?", count=count)
        assert queries == [Query(f"asked:{name}:1", f"what of {name[1:]}?", name) for name in order[:count]]
        assert [request.query_id for request in backend.asked] == order[:count]
        assert [reply.query_id for reply in read_jsonl(tmp_path / "replies.jsonl", Reply)] == order[:count]
    assert backend.asked[0].messages[0].content == f"<text of passage {order[0][1:]}>"


def test_only_per_passage_queries_of_a_reply_are_kept(ask):
    order = seeded([passage.id for passage in PASSAGES], 13)
    queries, backend = ask(lambda request: "1. one?\n2. two?\n3. three?", count=5, per_passage=2)
    assert [query.id for query in queries] == [
        *(f"asked:{name}:{place}" for name in order[:2] for place in (1, 2)), f"asked:{order[2]}:1",
    ]  # fmt: skip
    assert {query.text for query in queries} == {"one?", "two?"}
    assert len(backend.asked) == 3


def test_every_reply_is_kept_and_how_it_was_read_is_counted(ask, tmp_path):
    said = {
        "p0": "fine?", "p1": "- same?\n- same?", "p2": '["cut off', "p3": "I'm sorry, but no.",
        "p4": ("half a", "length"), "p5": ("whole?\nhalf a", "length"), "p6": ("", "blocked"), "p7": "",
    }  # fmt: skip
    queries, _ = ask(lambda request: said[request.query_id])
    assert {query.source: query.text for query in queries} == {"p0": "fine?", "p1": "same?", "p5": "whole?"}
    assert {reply.text for reply in read_jsonl(tmp_path / "replies.jsonl", Reply)} == {
        text if isinstance(text, str) else text[0] for text in said.values()
    }
    assert json.loads((tmp_path / "counts.json").read_text()) == {
        "replies": 8,
        "queries": 3,
        "status": {"well-formed": 1, "repaired": 2, "malformed": 2, "refused": 1, "truncated": 1, "blocked": 1},
        "notes": {"cut": 1, "neither a JSON list of texts nor lines": 1, "no query": 1, "repeated": 1},
        "finish_reasons": {"blocked": 1, "length": 2, "stop": 5},
    }


@pytest.mark.parametrize("shards", [1, 3])
def test_no_query_in_any_reply_is_an_error(ask, shards):
    said = r"asked\.yaml: prompt: none of 8 replies to p holds a query \(.*'refused': 8.*\); change it"
    with pytest.raises(BudgetError, match=said):
        ask(lambda request: "Sorry, no.", shards=shards)


@pytest.mark.parametrize("count", [100, 5, 2])
def test_any_number_of_shards_gives_the_same_files(ask, tmp_path, count):
    refused = seeded([passage.id for passage in PASSAGES], 13)[1::3]

    def say(request):
        return "Sorry, no." if request.query_id in refused else f"1. what of {number(request)}?\n2. ü\u2028?"

    made = {}
    for shards in (1, 3, 10):
        _, backend = ask(say, count=count, per_passage=2, shards=shards, prompt=FEW, exemplars=1)
        made[shards] = [(tmp_path / name).read_bytes() for name in MADE]
        assert len(backend.asked) == min(8, -(-count // 2)), "nothing is asked twice"
    assert made[1] == made[3] == made[10]


def test_a_shard_that_is_not_its_share_is_named(ask, tmp_path):
    ask(lambda request: "what?", shards=3)
    paths = [tmp_path / f"shards/{place}-of-3.jsonl" for place in (1, 2, 3)]
    whole, before = paths[1].read_text(), (tmp_path / "replies.jsonl").read_bytes()
    paths[1].write_text(whole.split("\n", 1)[1])
    with pytest.raises(ShardError, match=r"2-of-3\.jsonl: 2 rows; shard 2 of 3 of 8 has 3: delete it, run again"):
        gather(tmp_path, paths)
    first = json.loads(whole.split("\n", 1)[0])["query_id"]
    paths[1].write_text(whole.replace(f'"query_id": "{first}"', '"query_id": "p9"'))
    with pytest.raises(ShardError, match=rf"2-of-3\.jsonl: holds p9 where {first} belongs: delete it, run again"):
        gather(tmp_path, paths)
    assert (tmp_path / "replies.jsonl").read_bytes() == before


def test_held_out_answers_and_empty_passages_are_not_asked_about(ask):
    held_out = [Judgment("t", "p1", 1), Judgment("t", "p2", 0)]
    queries, backend = ask(lambda request: "what?", [*PASSAGES, Passage("p8", " ")], held_out)
    assert {query.source for query in queries} == {f"p{n}" for n in (0, 2, 3, 4, 5, 6, 7)}
    assert len(backend.asked) == 7


def test_a_long_passage_is_cut(ask):
    _, backend = ask(lambda request: "what?", [Passage("p1", "one two three four")], passage_words=3)
    assert backend.asked[0].messages[0].content == "<one two three …>"


def test_exemplars_are_training_pairs_and_never_the_passage_itself(ask):
    order = seeded([query.id for query in TRAIN], 13)
    _, backend = ask(lambda request: "what?", prompt=FEW, exemplars=2)
    for request in backend.asked:
        shown = [name for name in (f"p{query[1:]}" for query in order[:3]) if name != request.query_id][:2]
        assert request.exemplars == tuple(shown)
        lines = request.messages[0].content.splitlines()
        assert lines == [*(f"[text of passage {name[1:]}|question {name[1:]}]" for name in shown),
                         f"<text of passage {number(request)}>"]  # fmt: skip


def test_no_exemplar_answers_a_held_out_query(ask):
    held_out = [Judgment("t", "p1", 1)]
    _, backend = ask(lambda request: "what?", held_out=held_out, prompt=FEW, exemplars=2)
    assert {name for request in backend.asked for name in request.exemplars} <= {"p0", "p2", "p3"}
    with pytest.raises(BudgetError, match="3 training pairs can serve as exemplars, 4 are needed; lower exemplars"):
        ask(lambda request: "what?", held_out=held_out, prompt=FEW, exemplars=3)
    unjudged = [Judgment("q0", "p0", 0), *TRAIN_QRELS[1:]]
    with pytest.raises(BudgetError, match="3 training pairs can serve"):
        ask(lambda request: "what?", prompt=FEW, exemplars=3, train=unjudged)


def test_a_structured_prompt_asks_for_a_list(ask):
    prompt = ZERO.replace("task: queries\n", "task: queries\nstructured: true\n")
    queries, backend = ask(lambda request: '{"queries": ["what?", "who?"]}', prompt=prompt)
    assert {query.text for query in queries} == {"what?"}
    assert json.loads(backend.asked[0].schema)["properties"]["queries"]["type"] == "array"
    _, backend = ask(lambda request: "what?")
    assert backend.asked[0].schema == ""


def test_what_was_asked_before_is_not_asked_again(ask, monkeypatch):
    first, _ = ask(count=3)
    asked = []
    generate = Echo.generate
    monkeypatch.setattr(Echo, "generate", lambda self, requests: asked.extend(requests) or generate(self, requests))
    again, _ = ask(count=8)
    assert again[:3] == first
    assert len(asked) == 5
    assert all(2 < len(query.text.split()) <= 12 for query in again)
