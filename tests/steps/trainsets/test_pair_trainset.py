"""Step pair_trainset: equal numbers of queries, counts, and no answers to held-out queries."""

import json
import random
from dataclasses import replace

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Group, Judgment, Passage, Query, ScoredList, WrittenPassage
from synthrank.data.sampling import shuffle
from synthrank.data.trec import write_qrels, write_run
from synthrank.errors import BudgetError
from synthrank.steps.trainsets.pair_trainset import pair_trainset


class World:
    """A corpus of passages p0…, training queries q0… with answers p0…, and two paradigms for these queries."""

    def __init__(self, folder, *, size=60, queries=12, held_out=(), qrels=None, run=None):
        self.folder, self.names = folder, [f"q{number}" for number in range(queries)]
        self.passages = [Passage(f"p{number}", f"words of passage w{number}") for number in range(size)]
        self.held_out = [Judgment(f"t{place}", name, 1) for place, name in enumerate(held_out)]
        self.qrels = qrels or [Judgment(name, f"p{name[1:]}", 1) for name in self.names]
        self.run = run or {
            name: [(f"p{(int(name[1:]) + step) % size}", 50.0 - step) for step in range(20)] for name in self.names
        }
        self.written = {
            "human": [WrittenPassage(f"p{name[1:]}", f"words of passage w{name[1:]}", name, f"{name}?")
                      for name in self.names if f"p{name[1:]}" not in held_out],
            "zero": [WrittenPassage(f"{name}@zero", f"written for {name}", name, f"{name}?") for name in self.names],
        }  # fmt: skip
        write_jsonl(folder / "queries.jsonl", [Query(name, f"{name}?") for name in self.names])

    def build(self, *positives, source="human", count=3, depth=10, seed=13, guard=None, hits=4, size=0, reworded=(),
              retriever=(), model=(), teacher=(), teacher_model=(), filters=None, asked=None,
              **draws):  # fmt: skip
        """Return the groups and the counts of a recipe of (paradigm, queries) or (paradigm, queries, per query).

        Filters are a pair, of what the recipe states and of the file that it goes by, for each paradigm that has one;
        ``asked`` are the files of queries of each paradigm whose queries are not the training split's.
        """
        filters, asked = filters or {}, asked or {}
        folder, files, runs, collections = self.folder, [], [], []
        write_jsonl(folder / "corpus.jsonl", self.passages)
        write_qrels(folder / "qrels.txt", self.qrels)
        exclude(folder, self.held_out)
        write_run(folder / "corpus.trec", self.run, "x")
        for paradigm, *_ in positives:
            files.append(folder / f"{paradigm}.jsonl")
            write_jsonl(files[-1], self.written[paradigm])
            same = source == "same" and paradigm != "human"
            collections.append(files[-1] if same else folder / "corpus.jsonl")
            runs.append(folder / f"{paradigm}.trec" if same else folder / "corpus.trec")
            if same:
                ids = [item.id for item in self.written[paradigm]]
                ranked = {
                    name: [(other, 9.0 - (other != f"{name}@{paradigm}")) for other in ids] for name in self.names
                }
                write_run(runs[-1], ranked, "x", hits)
        spec = {
            "kind": "pairs", "corpus": "c", "seed": seed,
            "positives": [
                {"paradigm": item[0], "queries": item[1], "per_query": (*item, 1)[2],
                 "filter": filters.get(item[0], (None,))[0]}
                for item in positives
            ],
            "negatives": {"source": source, "retriever": "bm25", "depth": depth, "count": count,
                          "guard": guard or {}},
        }  # fmt: skip
        (folder / "recipe.yaml").write_text(json.dumps(spec))
        pair_trainset(
            spec=folder / "recipe.yaml", size=size,
            queries=[asked.get(item[0], folder / "queries.jsonl") for item in positives],
            qrels=folder / "qrels.txt", passages=[],
            excluded=folder / "excluded.txt", positives=files,
            filters=[filters[item[0]][1] for item in positives if item[0] in filters],
            negative_runs=runs, negative_passages=collections,
            reworded=list(reworded), dropped_queries=[], dropped_qrels=[], dropped_passages=[], dropped_retriever=[],
            dropped_model=[], guard_retriever=list(retriever), guard_model=list(model), teacher=list(teacher),
            teacher_model=list(teacher_model),
            trainset=folder / "groups.jsonl", stats=folder / "stats.json", **draws,
        )  # fmt: skip
        return list(read_jsonl(folder / "groups.jsonl", Group)), json.loads((folder / "stats.json").read_text())


def asked(groups):
    return [group.query_id for group in groups]


def negatives(group):
    return [item.id for item in group.candidates if item.label == 0]


@pytest.mark.parametrize("count", [1, 4, 9])
def test_pair_trainset_with_another_size(tmp_path, count):
    world = World(tmp_path)
    sized = world.build(("human", 6), ("zero", 2), size=count)
    assert sized == world.build(("human", count), ("zero", count))


def test_pair_group_matches_an_example_by_hand(tmp_path):
    world = World(tmp_path)
    groups, stats = world.build(("human", 4))
    order = shuffle(world.names, 13)
    assert asked(groups) == order[:4]
    first = groups[0]
    number = int(order[0][1:])
    assert (first.query, first.candidates[0].id) == (f"{order[0]}?", f"p{number}")
    assert (first.candidates[0].label, first.candidates[0].source) == (1.0, "human")
    assert first.candidates[0].text == f"words of passage w{number}"
    candidates = [f"p{number + step}" for step in range(1, 10)]  # rank 1 of ten is the positive
    assert negatives(first) == shuffle(candidates, 13, order[0])[:3]
    assert all(item.source == "human" and item.label == 0.0 for item in first.candidates[1:])
    assert all(item.text == f"words of passage w{item.id[1:]}" for item in first.candidates)
    assert stats == {"human": {"groups": 4, "queries": 4, "queries_replaced": 0, "negatives_at_random": 0}}


def test_pair_trainset_of_equal_size_uses_the_same_queries(tmp_path):
    world = World(tmp_path)
    human, _ = world.build(("human", 6))
    zero, _ = world.build(("zero", 6))
    both, stats = world.build(("human", 6), ("zero", 6))
    assert asked(human) == asked(zero)
    assert asked(both) == asked(human) + asked(zero)
    assert both == human + zero
    assert [negatives(group) for group in human] == [negatives(group) for group in zero], "negatives are equal too"
    assert list(stats) == ["human", "zero"]
    assert asked(world.build(("zero", 6), seed=14)[0]) != asked(zero)


def test_pair_trainset_sizes_are_nested(tmp_path):
    world = World(tmp_path)
    groups = [world.build(("human", size))[0] for size in (2, 5, 12)]
    assert groups[0] == groups[1][:2]
    assert groups[1] == groups[2][:5]


def test_pair_trainset_replaces_a_query_without_a_passage(tmp_path):
    world = World(tmp_path)
    order = shuffle(world.names, 13)
    world.written["zero"] = [item for item in world.written["zero"] if item.query_id not in (order[1], order[3])]
    groups, stats = world.build(("zero", 4))
    assert asked(groups) == [order[0], order[2], order[4], order[5]]
    assert stats["zero"]["queries_replaced"] == 2
    assert stats["zero"]["groups"] == stats["zero"]["queries"] == 4


def several(world, grade=1):
    """Give each query five more passages, and rewritten versions of them."""
    extra = [
        WrittenPassage(f"p{20 + 5 * place % 35 + step}", f"x{place} {step}", name, f"{name}?", grade)
        for place, name in enumerate(world.names)
        for step in range(5)
    ]
    world.written["human"] += extra
    world.written["other"] = [replace(item, text=f"other {item.text}") for item in world.written["human"]]


def positives(groups):
    return [(group.query_id, group.candidates[0].id) for group in groups]


def test_pair_trainset_draws_positives_of_equal_grade_per_query(tmp_path):
    world = World(tmp_path)
    several(world)
    groups, stats = world.build(("human", 12, 2))
    own = {name: [item.id for item in world.written["human"] if item.query_id == name] for name in world.names}
    expected = [(name, found) for name in shuffle(world.names, 13) for found in shuffle(own[name], 13, name)[:2]]
    assert positives(groups) == expected
    one = world.build(("human", 12))[0]
    assert positives(one) == expected[::2], "the first positives of a larger number"
    assert sum(found == f"p{name[1:]}" for name, found in positives(one)) < 6, "the order is not the one of the file"
    assert stats["human"] == {"groups": 24, "queries": 12, "queries_replaced": 0, "negatives_at_random": 0}


def test_pair_trainset_uses_the_best_grade_first(tmp_path):
    world = World(tmp_path)
    several(world, grade=2)
    for seed in range(5):
        groups, _ = world.build(("human", 12), seed=seed)
        assert all(int(found[1:]) >= 20 for _, found in positives(groups))


def test_pair_trainset_selects_the_same_passages_in_both_versions(tmp_path):
    world = World(tmp_path)
    several(world)
    human, _ = world.build(("human", 12, 3))
    other, _ = world.build(("other", 12, 3))
    assert positives(human) == positives(other)


def test_pair_trainset_draw_changes_only_queries_or_negatives(tmp_path):
    world = World(tmp_path)
    several(world)
    fixed, _ = world.build(("human", 12))
    assert world.build(("human", 12), query_draw=0, negative_draw=0)[0] == fixed
    others, _ = world.build(("human", 12), negative_draw=1)
    assert positives(others) == positives(fixed)
    assert [negatives(group) for group in others] != [negatives(group) for group in fixed]
    assert others == world.build(("human", 12), negative_draw=1)[0] != world.build(("human", 12), negative_draw=2)[0]
    moved, _ = world.build(("human", 12), query_draw=1)
    assert asked(moved) != asked(fixed)
    of = {group.query_id: group for group in fixed}
    assert any(group.candidates[0].id != of[group.query_id].candidates[0].id for group in moved)
    assert all(
        negatives(group) == negatives(of[group.query_id])
        for group in moved
        if group.candidates[0].id == of[group.query_id].candidates[0].id
    )
    both, _ = world.build(("human", 4, 2), query_draw=3, negative_draw=3)
    assert both == world.build(("human", 12, 2), query_draw=3, negative_draw=3)[0][:8], (
        "sizes are nested for every draw"
    )


def test_pair_trainset_uses_several_positives_per_query(tmp_path):
    world = World(tmp_path)
    world.written["human"] += [
        WrittenPassage(f"p{40 + place}", "x", name, f"{name}?", 2) for place, name in enumerate(world.names)
    ]
    groups, stats = world.build(("human", 3, 2))
    order = shuffle(world.names, 13)[:3]
    assert asked(groups) == [name for name in order for _ in range(2)]
    assert [group.candidates[0].id for group in groups][:2] == [f"p{40 + int(order[0][1:])}", f"p{order[0][1:]}"]
    assert stats["human"] == {"groups": 6, "queries": 3, "queries_replaced": 0, "negatives_at_random": 0}


def test_pair_trainset_fills_up_with_random_negatives(tmp_path):
    run = {"q0": [("p0", 9.0), ("p1", 8.0)]}  # the positive and one candidate; other queries have no ranking
    world = World(tmp_path, queries=3, run=run)
    groups, stats = world.build(("human", 3), count=4)
    assert {len(negatives(group)) for group in groups} == {4}
    of_q0 = next(group for group in groups if group.query_id == "q0")
    assert negatives(of_q0)[0] == "p1"
    assert stats["human"]["negatives_at_random"] == 3 + 4 + 4
    draws = [tuple(negatives(group)[-3:]) for group in groups]
    assert len(set(draws)) == 3, "draws differ between queries"
    for group in groups:
        assert len(set(negatives(group))) == 4
        assert f"p{group.query_id[1:]}" not in negatives(group)
        assert all(item.text for item in group.candidates)
    assert world.build(("human", 3), count=4)[0] == groups


def test_pair_trainset_random_negatives_pass_the_guard(tmp_path):
    """Ten passages, eight of them in the run; skip_top removes six, so two are left, and two outside the run."""
    run = {"q0": [(f"p{number}", 9.0 - number) for number in range(8)]}
    world = World(tmp_path, size=10, queries=1, run=run)
    groups, stats = world.build(("human", 1), count=4, guard={"skip_top": 6})
    assert sorted(negatives(groups[0])) == ["p6", "p7", "p8", "p9"]
    assert stats["human"]["negatives_at_random"] == 2
    with pytest.raises(BudgetError, match=r"corpus\.jsonl: query q0 needs 3 random negatives, 2 available"):
        world.build(("human", 1), count=5, guard={"skip_top": 6})


def test_pair_trainset_uses_known_positives_as_negatives_only_if_stated(tmp_path):
    qrels = [Judgment("q0", "p0", 1), Judgment("q0", "p1", 1), Judgment("q0", "p2", 0)]
    run = {"q0": [(f"p{number}", 9.0 - number) for number in range(5)]}
    world = World(tmp_path, size=5, queries=1, qrels=qrels, run=run)
    groups, _ = world.build(("human", 1), count=3)
    assert sorted(negatives(groups[0])) == ["p2", "p3", "p4"]
    groups, _ = world.build(("human", 1), count=4, guard={"known_positives": False})
    assert sorted(negatives(groups[0])) == ["p1", "p2", "p3", "p4"]


def test_pair_trainset_skip_top_extends_the_depth(tmp_path):
    world = World(tmp_path, queries=1)
    groups, stats = world.build(("human", 1), count=3, depth=3, guard={"skip_top": 5})
    assert sorted(negatives(groups[0])) == ["p5", "p6", "p7"]
    assert stats["human"]["negatives_at_random"] == 0


def test_pair_trainset_takes_negatives_from_the_paradigm(tmp_path):
    world = World(tmp_path)
    groups, _ = world.build(("human", 8), ("zero", 8), source="same", count=5)
    for group in groups[:8]:
        assert all(name.startswith("p") for name in negatives(group))
    for group in groups[8:]:
        assert group.candidates[0].id == f"{group.query_id}@zero"
        assert len(set(negatives(group))) == 5
        assert all(name.endswith("@zero") for name in negatives(group))
        assert f"{group.query_id}@zero" not in negatives(group)
        assert all(item.text == f"written for {item.id.split('@')[0]}" for item in group.candidates)


def test_pair_trainset_distinguishes_query_ids_with_equal_prefixes(tmp_path):
    """q1@zero is the passage of q1; q10@zero is the passage of another query."""
    world = World(tmp_path, queries=12)
    world.written["zero"] = [item for item in world.written["zero"] if item.query_id in ("q1", "q10")]
    for hits in (4, 0):  # retrieved and random negatives
        groups, stats = world.build(("zero", 2), source="same", count=1, hits=hits)
        assert {group.query_id: negatives(group) for group in groups} == {"q1": ["q10@zero"], "q10": ["q1@zero"]}
        assert stats["zero"]["negatives_at_random"] == (0 if hits else 2)


@pytest.mark.parametrize("seed", range(12))
def test_pair_trainset_has_no_answer_to_a_held_out_query(tmp_path, seed):
    generator = random.Random(seed)
    size = generator.randint(20, 50)
    names = [f"p{number}" for number in range(size)]
    held_out = generator.sample(names, generator.randint(1, 8))
    queries = generator.randint(4, 12)
    run = {}
    for number in range(queries):
        hits = generator.sample(names, generator.choice([2, 12]))
        run[f"q{number}"] = [(name, generator.choice([1.0, 2.0, 3.0])) for name in hits]
    world = World(tmp_path, size=size, queries=queries, held_out=held_out, run=run)
    wanted = min(3, len(world.written["human"]))
    count = generator.randint(1, 8)
    guard = {"skip_top": generator.randint(0, 3)}
    groups, stats = world.build(("human", wanted), ("zero", wanted), count=count, guard=guard)
    known = {item.query_id: item.passage_id for item in world.qrels}
    assert len(groups) == 2 * wanted == stats["human"]["groups"] + stats["zero"]["groups"]
    for group in groups:
        ids = [item.id for item in group.candidates]
        assert not set(ids) & set(held_out)
        assert len(ids) == len(set(ids)) == count + 1
        assert [item.label for item in group.candidates] == [1.0] + [0.0] * count
        assert known[group.query_id] not in ids[1:]


def test_pair_trainset_drops_a_held_out_answer_among_positives(tmp_path):
    """The step checks this independently of collect_passages."""
    world = World(tmp_path)
    order = shuffle(world.names, 13)
    world.held_out = [Judgment("t", f"p{order[0][1:]}", 1)]
    groups, stats = world.build(("human", 3))
    assert asked(groups) == order[1:4]
    assert stats["human"]["queries_replaced"] == 1


def test_pair_trainset_refuses_too_few_queries(tmp_path):
    world = World(tmp_path)
    world.written["zero"] = world.written["zero"][:5]
    with pytest.raises(BudgetError) as error:
        world.build(("zero", 6))
    assert str(error.value) == (
        f"{tmp_path / 'zero.jsonl'}: 5 of 12 training queries have a passage, but the recipe asks for 6; "
        "set positives.queries to at most 5"
    )
    assert not (tmp_path / "groups.jsonl").exists()


TEACHER = """
architecture: seq2seq
base: {model: t5}
score: difference
max_length: 64
loss: ranknet
optimiser: {learning_rate: 1.0e-3, epochs: 1, batch_size: 1}
rerank: {retriever: bm25, depth: 10}
"""


@pytest.mark.usefixtures("one_thread")
def test_pair_trainset_with_a_teacher_only_adds_scores(tmp_path):
    """The score is the difference of the logits of "true" and "false" at the first position of T5's decoder."""
    import torch
    from tiny_models import tiny_t5
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    world, folder = World(tmp_path), tiny_t5(tmp_path / "t5")
    (tmp_path / "teacher.yaml").write_text(TEACHER)
    wanted = ("human", 5), ("zero", 5)
    plain, stats = world.build(*wanted)
    groups, counted = world.build(*wanted, teacher=[tmp_path / "teacher.yaml"], teacher_model=[folder])
    assert counted == stats
    assert {item.teacher for group in plain for item in group.candidates} == {None}
    untaught = [
        replace(group, candidates=tuple(replace(item, teacher=None) for item in group.candidates)) for group in groups
    ]
    assert untaught == plain, "labels, passages and their order are equal"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    yes, no = (tokenizer(word, add_special_tokens=False)["input_ids"][0] for word in ("true", "false"))
    for group in groups:
        assert len(group.candidates) == 4
        for item in group.candidates:
            asked_for = tokenizer(f"Query: {group.query} Document: {item.text} Relevant:", return_tensors="pt")
            start = torch.tensor([[model.config.decoder_start_token_id]])
            with torch.no_grad():
                logits = model(**asked_for, decoder_input_ids=start).logits[0, 0]
            assert item.teacher == pytest.approx(float(logits[yes] - logits[no]), abs=1e-4)
    assert len({item.teacher for group in groups for item in group.candidates}) > 20


def test_pair_trainset_replaces_dropped_pairs_with_later_queries(tmp_path):
    world = World(tmp_path)
    scores = {name: float(place % 3) for place, name in enumerate(world.names)}
    path = tmp_path / "scores.jsonl"
    write_jsonl(path, [ScoredList(name, (f"{name}@zero",), (score,)) for name, score in scores.items()])
    kept = {"kind": "ranker", "ranker": "r", "min_score": 1}, path
    plain, _ = world.build(("human", 5), ("zero", 5))
    groups, stats = world.build(("human", 5), ("zero", 5), filters={"zero": kept})
    order = [name for name in shuffle(world.names, 13) if scores[name] >= 1]
    assert asked(groups[5:]) == order[:5]
    assert groups[:5] == plain[:5], "a paradigm without a filter is unchanged"
    assert stats["zero"]["groups"] == 5
    assert (stats["zero"]["filter_pairs"], stats["zero"]["filter_dropped"]) == (12, 4)
    assert stats["zero"]["queries_replaced"] == len(set(order[:5]) - set(shuffle(world.names, 13)[:5])) > 0
    assert "filter_pairs" not in stats["human"]
    message = (
        r"8 of 12 training queries have a passage that the filter keeps \(it dropped 4 of 12 pairs\), but the recipe"
    )
    with pytest.raises(BudgetError, match=message):
        world.build(("zero", 9), filters={"zero": kept})


def test_pair_trainset_of_generated_queries_uses_their_source_as_positive(tmp_path):
    world = World(tmp_path, held_out=["p3"])
    sources = [f"p{place}" for place in (*range(10), 4, 4)]
    queries = [Query(f"made:{place}", f"about {name}?", name) for place, name in enumerate(sources)]
    world.written["made"] = [WrittenPassage(item.source, f"words of passage w{item.source[1:]}", item.id, item.text)
                             for item in queries]  # fmt: skip
    write_jsonl(tmp_path / "made-queries.jsonl", queries)
    world.run |= {item.id: [(f"p{place}", 50.0 - place) for place in range(20)] for item in queries}
    groups, stats = world.build(("made", 11), ("human", 5), asked={"made": tmp_path / "made-queries.jsonl"})
    order = [name for name in shuffle([item.id for item in queries], 13) if name != "made:3"]
    assert asked(groups[:11]) == order[:11], "p3 answers a held-out query"
    assert groups[11:] == world.build(("human", 5))[0]
    assert stats["made"]["queries"] == stats["made"]["groups"] == 11
    for group in groups[:11]:
        source = sources[int(group.query_id.removeprefix("made:"))]
        assert group.relevant == (source,), "its source is the only relevant passage"
        assert group.candidates[0].id == source
        assert not {source, "p3"} & set(negatives(group))
