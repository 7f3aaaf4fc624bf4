"""Steps rank_candidates and gather_orders: rankings of pools, records and counts of requests, no repeated requests."""

import json
import logging
import random
from dataclasses import replace

import pytest
from oracles import Oracle, pool
from provider_specs import openai_spec

from synthrank import llms
from synthrank.config.rankings import Listwise
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Ask, Order, Passage, Pool, Pooled
from synthrank.errors import DataError, ModelError, ShardError
from synthrank.llms.reranking.questions import Outcome
from synthrank.llms.store.cached_llm import StoredLlm
from synthrank.steps.rankings import rank_candidates as module
from synthrank.steps.rankings.gather_orders import gather_orders
from synthrank.steps.rankings.rank_candidates import rank_candidates

PASSAGES = 40
MADE = ("orders.jsonl", "asks.jsonl", "counts.json")


class World:
    """A folder with a corpus, pools and a model, and calls of the steps."""

    def __init__(self, folder, config, monkeypatch):
        self.folder, self.config, self._monkeypatch = folder, config, monkeypatch
        write_jsonl(folder / "passages.jsonl", [Passage(f"p{place}", f"w{place}") for place in range(PASSAGES)])

    def rank(self, pools, llm=None, kind="listwise", *, llm_file=None, shards=1, **settings):
        """Run the step on each shard and concatenate the shards; return the rankings, requests and counts."""
        prompt = settings.pop("prompt", f"rank-{kind}")
        (self.folder / "order.yaml").write_text(json.dumps({"kind": kind, "prompt": prompt, **settings}))
        if llm:
            self._monkeypatch.setattr(module, "open_stored", lambda spec, model: llm)
        write_jsonl(self.folder / "candidates.jsonl", pools)
        paths = [self.folder / f"shards/{number}-of-{shards}.jsonl" for number in range(1, shards + 1)]
        for path in paths:
            rank_candidates(
                candidates=self.folder / "candidates.jsonl",
                ranking=self.folder / "order.yaml",
                prompt=self.config / f"prompts/{prompt}.md",
                llm=llm_file or self.config / "llms/echo.yaml",
                model=[],
                passages=self.folder / "passages.jsonl",
                shard=path.stem,
                outcomes=path,
                texts=path.with_suffix(".json"),
            )
        self.gather(paths)
        counts = json.loads((self.folder / "out/counts.json").read_text(encoding="utf-8"))
        return list(read_jsonl(self.folder / "out/orders.jsonl", Order)), self.asks(), counts

    def gather(self, shards):
        gather_orders(
            candidates=self.folder / "candidates.jsonl",
            ranking=self.folder / "order.yaml",
            llm="echo",
            shards=shards,
            texts=[path.with_suffix(".json") for path in shards],
            **{name.split(".")[0]: self.folder / "out" / name for name in MADE},
        )

    def made(self):
        return [(self.folder / "out" / name).read_bytes() for name in MADE]

    def asks(self):
        return list(read_jsonl(self.folder / "out/asks.jsonl", Ask))


@pytest.fixture
def world(tmp_path, config, monkeypatch):
    return World(tmp_path, config, monkeypatch)


def mixed(count, query):
    places = list(range(count))
    random.Random(query).shuffle(places)
    return pool(places, query)


POOLS = [mixed(30, "q1"), mixed(5, "q2"), mixed(40, "q3"), mixed(1, "q4"), mixed(20, "q5")]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("listwise", {"window": 20, "step": 10, "passes": 4}),
        ("setwise", {"compared": 4, "top": 40}),
        ("setwise", {"compared": 3, "top": 40, "sort": "bubble", "answer": "log-probabilities"}),
        ("pairwise", {}),
        ("pairwise", {"sort": "heap", "top": 40, "answer": "log-probabilities"}),
        ("pointwise", {}),
        ("query-likelihood", {}),
    ],
)
def test_rank_candidates_ranks_each_pool_correctly(world, kind, settings):
    llm = Oracle(Oracle.order if kind == "listwise" else Oracle.best)
    orders, asks, counts = world.rank(POOLS, llm, kind, **settings)
    assert [order.query_id for order in orders] == ["q1", "q2", "q3", "q4", "q5"]
    for order, asked in zip(orders, POOLS, strict=True):
        assert order.query == asked.query
        assert order.ids == tuple(f"p{place}" for place in range(len(asked.candidates)))
    queries = [ask.query_id for ask in asks]
    assert queries == sorted(queries), "query by query"
    assert "q4" not in queries
    assert (counts["queries"], counts["ordered"], counts["unasked"], counts["candidates"]) == (5, 5, 1, 96)
    assert counts["asks"] == len(asks) == counts["status"]["well-formed"]
    assert counts["by_query"] == {}


def test_rank_candidates_requests_windows_of_all_queries_per_round(world):
    llm = Oracle()
    world.rank(POOLS, llm)
    # windows of 20 in steps of 10: two for 30 passages, one for 5 and 20, three for 40, none for one
    assert [sorted({item.query_id.rsplit("#")[0] for item in items}) for items in llm.rounds] == [
        ["q1", "q2", "q3", "q5"], ["q1", "q3"], ["q3"]
    ]  # fmt: skip


def test_rank_candidates_limits_requests_per_round(world, monkeypatch):
    monkeypatch.setattr(module, "TOGETHER", 2)
    llm = Oracle()
    orders, _, _ = world.rank(POOLS, llm)
    assert max(map(len, llm.rounds)) == 2
    monkeypatch.setattr(module, "TOGETHER", 1000)
    assert world.rank(POOLS, Oracle())[0] == orders


def test_gather_orders_counts_requests_and_repairs(world):
    replies = {"q1#0": "[2] > [1]", "q1#1": "so sorry", "q2#0": "[1] > [1] > [77]", "q5#0": "[3] then [2]"}

    def say(request):
        return replies.get(request.query_id) or Oracle.order(request)

    orders, asks, counts = world.rank(POOLS, Oracle(say), malformed={"attempts": 2})
    assert len(orders) == 5
    assert len([ask for ask in asks if ask.text == "so sorry"]) == 2
    assert {name: counts[name] for name in ("ranking", "kind", "prompt", "llm", "snapshots")} == {
        "ranking": "order", "kind": "listwise", "prompt": "rank-listwise", "llm": "echo", "snapshots": ["v1"],
    }  # fmt: skip
    assert (counts["questions"], counts["asks"], counts["unanswered"]) == (7, 8, 1)
    assert counts["status"] == {"well-formed": 3, "repaired": 3, "malformed": 2}
    assert counts["notes"] == {
        "form": 1, "missing": 3, "repeated": 1, "outside": 1, "few": 3, "thought": 0, "truncated": 0, "blocked": 0,
        "refusal": 0, "no number of the window": 2,
    }  # fmt: skip
    assert (counts["tokens_in"], counts["tokens_out"], counts["price_usd"]) == (80, 24, 4.0)
    assert counts["by_query"] == {
        "q1": {
            "asks": 3,
            "unanswered": 1,
            "repaired": 1,
            "malformed": 2,
            "missing": 1,
            "few": 1,
            "no number of the window": 2,
        },
        "q2": {"asks": 1, "unanswered": 0, "repaired": 1, "missing": 1, "outside": 1, "repeated": 1, "few": 1},
        "q5": {"asks": 1, "unanswered": 0, "repaired": 1, "form": 1, "missing": 1, "few": 1},
    }
    assert counts["dropped"] == []


@pytest.mark.parametrize(("share", "beyond", "kept"), [(0.5, "drop", True), (0.4, "drop", False), (0.4, "keep", True)])
def test_gather_orders_drops_a_query_with_too_many_malformed_replies(world, caplog, share, beyond, kept):
    def say(request):
        return "nothing" if request.query_id == "q1#1" else Oracle.order(request)

    with caplog.at_level(logging.WARNING):
        orders, asks, counts = world.rank(POOLS, Oracle(say), malformed={"max_share": share, "beyond": beyond})
    assert ("q1" in {order.query_id for order in orders}) is kept
    assert {order.query_id for order in orders} >= {"q2", "q3", "q4", "q5"}
    assert counts["dropped"] == ([] if kept else ["q1"])
    assert counts["ordered"] == len(orders)
    assert [ask.text for ask in asks if ask.query_id == "q1"][-1] == "nothing", "replies of dropped queries are kept"
    assert ("query q1 is dropped: 1 of 2 requests have no usable reply" in caplog.text) is not kept


def test_gather_orders_counts_the_price_of_a_shared_reply_once(world):
    class Same(Oracle):
        def generate(self, requests):
            for reply in super().generate(requests):
                yield replace(reply, key="one")

    _, asks, counts = world.rank([pool([1, 0], "a"), pool([1, 0], "b")], Same())
    assert len(asks) == 2
    assert (counts["asks"], counts["tokens_in"], counts["price_usd"]) == (2, 10, 0.5)


def test_rank_candidates_puts_passages_on_one_line_and_cuts_them(world):
    texts = {"a": "one  two\nthree", "b": " \n", "c": "one two three four five", "d": "one two three"}
    write_jsonl(world.folder / "passages.jsonl", [Passage(name, text) for name, text in texts.items()])
    llm = Oracle(lambda request: "[1] > [2] > [3] > [4]")
    asked = Pool("q", "why?", tuple(Pooled(name, {}) for name in texts))
    _, _, counts = world.rank([asked], llm, passage_words=3)
    shown = [turn.content for turn in llm.rounds[0][0].messages if turn.content.startswith("[")]
    assert shown == ["[1] one two three", "[2]", "[3] one two three", "[4] one two three"]
    assert (counts["cut_passages"], counts["empty_passages"]) == (1, 1)
    assert world.rank([asked], Oracle(lambda request: "[1]"))[2]["cut_passages"] == 0


def test_rank_candidates_refuses_invalid_pools(world):
    path = world.folder / "candidates.jsonl"
    with pytest.raises(DataError) as error:
        world.rank([pool([0, 1], "a"), pool([2, 0, 2], "b")], Oracle())
    assert str(error.value) == f"{path}: query b: passage p2 is repeated; expected each candidate once"
    with pytest.raises(DataError) as error:
        world.rank([pool([0, 1], "a"), pool([2, 0], "a")], Oracle())
    assert str(error.value) == f"{path}: query a is repeated; expected one pool per query"
    with pytest.raises(DataError, match=r"passages\.jsonl: 1 passages are not in it, first 'p99'"):
        world.rank([pool([0, 99], "a")], Oracle())
    assert not (world.folder / "shards").exists()
    assert not (world.folder / "out").exists()


def test_rank_candidates_without_pools_writes_empty_files(world):
    orders, asks, counts = world.rank([], Oracle())
    assert (orders, asks, counts["queries"]) == ([], [], 0)


def test_rank_candidates_gives_the_same_files_for_any_number_of_shards(world):
    # Half of the passages are cut, one is empty, and pools of different shards share passages.
    texts = ("" if place == 3 else " ".join([f"w{place}"] * (1 + place % 2)) for place in range(PASSAGES))
    write_jsonl(world.folder / "passages.jsonl", [Passage(f"p{place}", text) for place, text in enumerate(texts)])
    replies = {"q1#0": "[2] > [1]", "q1#1": "so sorry", "q3#0": "[1] > [1] > [77]", "q5#0": "[3] then\u2028[2]"}

    class Same(Oracle):
        def generate(self, requests):
            for reply in super().generate(requests):
                yield replace(reply, key="one", snapshot=f"v{reply.query_id[1]}", price_usd=0.1)

    made = {}
    for shards in (1, 3, 8):
        llm = Same(lambda request: replies.get(request.query_id) or "[2] > [1]")
        rules = {"attempts": 2, "max_share": 0.4, "beyond": "drop"}
        _, _, counts = world.rank(POOLS, llm, shards=shards, passage_words=1, malformed=rules)
        made[shards] = world.made()
        assert (counts["cut_passages"], counts["empty_passages"]) == (19, 1)
        assert counts["dropped"] == ["q1"]
        assert counts["snapshots"] == ["v1", "v2", "v3", "v5"]
        assert counts["price_usd"] == 0.1
    assert made[1] == made[3] == made[8]


@pytest.mark.parametrize("kind", ["setwise", "query-likelihood"])
def test_rank_candidates_shards_use_the_store(world, kind):
    world.rank(POOLS, kind=kind)
    whole = world.made()
    world.rank(POOLS, kind=kind, shards=3)
    assert world.made() == whole


def test_gather_orders_refuses_a_wrong_shard(world):
    world.rank(POOLS, Oracle(), shards=3)
    paths, before = [world.folder / f"shards/{number}-of-3.jsonl" for number in (1, 2, 3)], world.made()
    with pytest.raises(ShardError, match=r"3-of-3\.jsonl: contains q4 in place of q2; delete it and run again"):
        world.gather([paths[0], paths[2], paths[1]])
    paths[1].write_text(paths[1].read_text().split("\n", 1)[1])
    with pytest.raises(
        ShardError, match=r"2-of-3\.jsonl: 1 rows; expected 2 for shard 2 of 3 of 5 rows; delete it and run again"
    ):
        world.gather(paths)
    assert world.made() == before


def test_rank_candidates_reads_only_texts_of_its_shard(world):
    world.rank([pool([0, 1], "a"), pool([2, 3], "b")], Oracle())
    write_jsonl(world.folder / "passages.jsonl", [Passage("p0", "w0"), Passage("p1", "w1")])
    with pytest.raises(DataError, match=r"2 passages are not in it, first 'p2'"):
        world.rank([pool([0, 1], "a"), pool([2, 3], "b")], Oracle(), shards=2)
    assert len(list(read_jsonl(world.folder / "shards/1-of-2.jsonl", Outcome))) == 1


def test_rank_candidates_sends_no_stored_request_again(world, monkeypatch):
    asked = []
    generate = StoredLlm._ask
    monkeypatch.setattr(StoredLlm, "_ask", lambda self, missing: asked.extend(missing) or generate(self, missing))
    first = world.rank(POOLS, kind="setwise", malformed={"attempts": 2})
    new = len(asked)
    assert new == first[2]["asks"] > 0
    second = world.rank(POOLS, kind="setwise", malformed={"attempts": 2})
    assert second == first
    assert len(asked) == new


def test_rank_candidates_shares_replies_of_equal_requests(world):
    # one reply for both queries: the key is the hash of the request, without the query id
    same = [Pool(name, "same words", (Pooled("p1", {}), Pooled("p0", {}))) for name in ("a", "b")]
    orders, asks, counts = world.rank(same)
    assert orders[0].ids == orders[1].ids
    assert asks[0].key == asks[1].key != ""
    assert counts["tokens_in"] == asks[0].tokens_in


def test_rank_candidates_opens_the_model_once(world, monkeypatch):
    opened = []
    open_llm = llms.open_llm
    monkeypatch.setattr(llms, "open_llm", lambda *how, **named: opened.append(how) or open_llm(*how, **named))
    world.rank(POOLS, kind="setwise")
    world.rank(POOLS, kind="query-likelihood")
    assert len(opened) == 2, "once per run, for any number of rounds"


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("query-likelihood", {}),
        ("pointwise", {}),
        ("setwise", {"answer": "log-probabilities"}),
        ("pairwise", {"answer": "log-probabilities"}),
    ],
)
def test_rank_candidates_refuses_log_probabilities_of_a_hosted_model_before_reading_its_key(
    world, monkeypatch, kind, settings
):
    spec = openai_spec("http://127.0.0.1:1")
    monkeypatch.delenv(spec.key_variable, raising=False)
    path = world.folder / "llm.yaml"
    path.write_text(spec.model_dump_json())
    with pytest.raises(ModelError) as error:
        world.rank(POOLS, kind=kind, llm_file=path, **settings)
    assert str(error.value) == (
        f"{spec.model}: a hosted model gives no log-probabilities of given texts; use a local model (backend: local), "
        "or a ranking that reads replies: listwise, or setwise or pairwise with answer: text"
    )


def test_round_of_a_batch_interface_has_the_size_of_a_batch():
    spec = openai_spec("http://127.0.0.1:1")
    listwise = Listwise(kind="listwise", prompt="rank-listwise")
    assert module._round_of(spec, listwise) == module.TOGETHER
    assert module._round_of(spec.model_copy(update={"mode": "batch"}), listwise) == spec.batch.lines
