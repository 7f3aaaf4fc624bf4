"""Step order_trainset: labels by rank, removal of held-out answers, counts."""

import json
from itertools import pairwise

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Group, Judgment, Order, Passage, Pool, Pooled
from synthrank.data.sampling import shuffle
from synthrank.errors import BudgetError, DataError
from synthrank.steps.trainsets.from_orders import labels_of
from synthrank.steps.trainsets.order_trainset import order_trainset

NAMES = [f"p{number}" for number in range(40)]
POOLED = tuple(Pooled(name, {"dense": 2, "bm25": 1} if name == "p2" else {"bm25": 3}) for name in NAMES)


@pytest.fixture
def build(tmp_path):
    write_jsonl(tmp_path / "p.jsonl", [Passage(name, f"text of {name}") for name in NAMES])

    def do(orders, held_out=(), pools=None, **recipe):
        settings = {"kind": "order", "corpus": "c", "queries": "crop", "pool": "pool", "ranking": "listwise", **recipe}
        (tmp_path / "r.yaml").write_text(json.dumps(settings))
        write_jsonl(tmp_path / "o.jsonl", orders)
        names = {order.query_id for order in orders}
        pools = [Pool(name, "?", POOLED) for name in sorted(names)] if pools is None else pools
        write_jsonl(tmp_path / "c.jsonl", pools)
        exclude(tmp_path, held_out)
        order_trainset(
            spec=tmp_path / "r.yaml", orders=tmp_path / "o.jsonl", candidates=tmp_path / "c.jsonl",
            passages=tmp_path / "p.jsonl", excluded=tmp_path / "excluded.txt", trainset=tmp_path / "g.jsonl",
            stats=tmp_path / "s.json",
        )  # fmt: skip
        return list(read_jsonl(tmp_path / "g.jsonl", Group)), json.loads((tmp_path / "s.json").read_text())

    return do


def ids(group):
    return [item.id for item in group.candidates]


def labels(group):
    return [item.label for item in group.candidates]


def test_order_trainset_labels_by_reciprocal_rank(build):
    groups, stats = build([Order("q1", "what?", ("p3", "p2", "p9", "p1")), Order("q0", "why?", ("p1", "p2"))])
    made = [
        (group.query_id, group.query, [(item.id, item.label, item.source) for item in group.candidates])
        for group in groups
    ]
    assert made == [
        ("q1", "what?", [("p3", 1.0, "bm25"), ("p2", 0.5, "bm25+dense"), ("p9", 1 / 3, "bm25"), ("p1", 0.25, "bm25")]),
        ("q0", "why?", [("p1", 1.0, "bm25"), ("p2", 0.5, "bm25+dense")]),
    ]
    assert all(item.text == f"text of {item.id}" for group in groups for item in group.candidates)
    assert stats == {
        "queries": 2, "groups": 2, "candidates": 6, "padded": 0, "list_lengths": {"2": 1, "4": 1},
        "sources": {"bm25": 4, "bm25+dense": 2}, "labels": {"1.0000": 2, "0.5000": 2, "0.3333": 1, "0.2500": 1},
        "orders": 2, "other_source": 0, "held_out_answers": 0, "too_short": 0, "beyond_max_queries": 0,
    }  # fmt: skip
    assert list(stats["labels"]) == ["1.0000", "0.5000", "0.3333", "0.2500"]


def test_order_trainset_label_rank_decreases_in_equal_steps(build):
    groups, _ = build([Order("q", "?", ("p3", "p2", "p9", "p1"))], label="rank")
    assert labels(groups[0]) == [1.0, 0.75, 0.5, 0.25]
    for kind in ("rank", "reciprocal-rank"):
        for length in range(2, 40):
            values = labels_of(kind, length)
            assert len(values) == length
            assert values[0] == 1.0
            assert all(high > low > 0 for high, low in pairwise(values))
            assert values[-1] == pytest.approx(1 / length)


def test_order_trainset_keeps_the_top_of_the_ranking(build):
    groups, stats = build([Order("q", "?", tuple(NAMES)), Order("r", "?", tuple(NAMES[:2]))], depth=3)
    assert [ids(group) for group in groups] == [["p0", "p1", "p2"], ["p0", "p1"]]
    assert stats["list_lengths"] == {"2": 1, "3": 1}
    groups, _ = build([Order("q", "?", tuple(NAMES))])
    assert ids(groups[0]) == NAMES[:30], "TWOLAR's depth is the default"


def test_order_trainset_removes_held_out_answers_before_the_depth(build):
    held_out = [Judgment("t", "p0", 1), Judgment("t", "p2", 3), Judgment("t", "p1", 0), Judgment("t", "p39", 1)]
    groups, stats = build([Order("q", "?", tuple(NAMES[:5]))], held_out, depth=2)
    assert ids(groups[0]) == ["p1", "p3"]
    assert labels(groups[0]) == [1.0, 0.5], "passages below move up"
    assert stats["held_out_answers"] == 2


def test_order_trainset_drops_rankings_of_one_passage(build):
    orders = [
        Order("q", "?", ("p0", "p1", "p2")),
        Order("r", "?", ("p3", "p4")),
        Order("s", "?", ("p5",)),
        Order("t", "?", ()),
    ]
    groups, stats = build(orders, [Judgment("t", "p0", 1), Judgment("t", "p3", 1)])
    assert [group.query_id for group in groups] == ["q"]
    assert (stats["orders"], stats["groups"], stats["too_short"], stats["held_out_answers"]) == (4, 1, 3, 2)
    with pytest.raises(
        BudgetError, match=r"o\.jsonl: no training query has a ranking of 2 passages; add longer rankings$"
    ):
        build([Order("q", "?", ("p0",))])


def test_order_trainset_without_usable_rankings_writes_no_file(build, tmp_path):
    with pytest.raises(BudgetError):
        build([Order("q", "?", ("p0",))])
    assert not (tmp_path / "g.jsonl").exists()
    assert not (tmp_path / "s.json").exists()


def test_order_trainset_pads_short_rankings_only_if_stated(build):
    """Like the published loader: ``neg + ['<padding_passage>'] * (neg_num - len(neg))``, labels 1 / rank."""
    orders = [Order("q", "?", ("p4", "p3")), Order("r", "?", tuple(NAMES)), Order("s", "?", ("p1",))]
    groups, stats = build(orders, depth=5, pad_short_lists_with_fake_passages=True)
    assert [item.text for item in groups[0].candidates] == ["text of p4", "text of p3", *["<padding_passage>"] * 3]
    assert labels(groups[0]) == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert len(set(ids(groups[0]))) == 5
    assert ids(groups[1]) == NAMES[:5]
    assert [group.query_id for group in groups] == ["q", "r"], "a ranking of one passage is not padded"
    assert (stats["padded"], stats["candidates"], stats["list_lengths"]) == (3, 10, {"2": 1, "5": 1})
    assert sum(stats["sources"].values()) == 7
    assert stats["labels"]["0.2000"] == 2
    groups, _ = build(orders, depth=5, label="rank", pad_short_lists_with_fake_passages=True)
    assert labels(groups[0]) == [1.0, 0.8, 0.6, 0.4, 0.2]
    groups, stats = build(orders, depth=5)
    assert ids(groups[0]) == ["p4", "p3"]
    assert stats["padded"] == 0


def test_order_trainset_limits_queries_by_seed(build):
    orders = [Order(f"q{number}", "?", ("p1", "p2")[: 2 - (number == 4)]) for number in range(10)]
    usable = [order.query_id for order in orders if len(order.ids) == 2]
    chosen = {}
    for limit in (3, 6, 20):
        groups, stats = build(orders, max_queries=limit)
        chosen[limit] = [group.query_id for group in groups]
        assert chosen[limit] == [name for name in usable if name in shuffle(usable, 13)[:limit]], "in the file's order"
        assert stats["beyond_max_queries"] == max(0, 9 - limit)
        assert stats["too_short"] == 1
    assert set(chosen[3]) < set(chosen[6]) < set(chosen[20])
    assert {group.query_id for group in build(orders, max_queries=3, seed=5)[0]} == set(shuffle(usable, 5)[:3])


def test_order_trainset_uses_texts_of_the_ranking(build):
    orders = [Order("q", "?", ("p4", "x", "p3"), ("own 4", "own x", "own 3")), Order("r", "?", ("p1", "p2"))]
    groups, _ = build(
        orders, [Judgment("t", "x", 1)], [Pool("q", "?", (*POOLED, Pooled("x", {}))), Pool("r", "?", POOLED)]
    )
    assert [item.text for item in groups[0].candidates] == ["own 4", "own 3"]
    assert [item.text for item in groups[1].candidates] == ["text of p1", "text of p2"]


@pytest.mark.parametrize(
    ("orders", "pools", "message"),
    [
        ([Order("q", "?", ("p1", "p2"))] * 2, None, r"o\.jsonl: query q has two rankings; expected one per query$"),
        ([Order("q", "?", ("p1", "p2"))], [Pool("q", "?", POOLED[:2])], r"c\.jsonl: query q: ranked passage p2 is not"),
        ([Order("q", "?", ("p1", "p2"))], [Pool("r", "?", POOLED)], r"c\.jsonl: query q: ranked passage p1 is not"),
        ([Order("q", "?", ("p1", "x"))], [Pool("q", "?", (*POOLED, Pooled("x", {})))], r"p\.jsonl: 1 passages are"),
    ],
)  # fmt: skip
def test_order_trainset_refuses_inconsistent_files(build, tmp_path, orders, pools, message):
    with pytest.raises(DataError, match=message):
        build(orders, pools=pools)
    assert not (tmp_path / "g.jsonl").exists()


def test_order_trainset_with_a_source_uses_only_its_queries(build):
    pools = [Pool(name, "?", POOLED, source) for name, source in (("q1", "bm25"), ("q2", "dense"), ("q3", "bm25"))]
    orders = [Order(name, "?", ("p3", "p2")) for name in ("q1", "q2", "q3")]
    groups, stats = build(orders, pools=pools, source="bm25")
    assert [group.query_id for group in groups] == ["q1", "q3"], "p2 was found by dense too, which does not count"
    assert (stats["orders"], stats["other_source"]) == (2, 1)
    assert build(orders, pools=pools)[1]["other_source"] == 0
