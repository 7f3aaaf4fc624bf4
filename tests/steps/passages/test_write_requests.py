"""Requests: the prompt rendered for every query, and exemplars without overlap."""

import json
import random

import pytest
from held_out_case import exclude

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Exemplar, Judgment, Message, Passage, Query, Request
from synthrank.data.sampling import draw_seed, shuffle
from synthrank.data.trec import write_qrels
from synthrank.errors import BudgetError
from synthrank.steps.passages.write_requests import write_requests

ZERO = "---\ntask: passage\ninputs: [query]\n---\n# system\nWrite.\n# user\nQ: {{ query }}\n"
FEW = ZERO.replace("[query]", "[query, exemplars]").replace(
    "# user\n", "# user\n{% for item in exemplars %}\n<{{ item.query }}|{{ item.text }}>\n{% endfor %}\n"
)


@pytest.fixture
def make(tmp_path):
    """Return a function that writes requests for a corpus and returns (requests, exemplars, examples)."""

    def build(passages, queries, qrels, held_out, *, kind=None, count=2, labels=5, words=None, seed=13, draw=0,
              prompt=None, stated=""):  # fmt: skip
        write_jsonl(tmp_path / "passages.jsonl", passages)
        write_jsonl(tmp_path / "queries.jsonl", queries)
        write_qrels(tmp_path / "qrels.txt", qrels)
        exclude(tmp_path, held_out)
        spec = {"kind": "generated", "prompt": "p"}
        if kind:
            spec["exemplars"] = {"kind": kind, "count": count, "words": words, "seed": seed}
            spec["exemplars"] |= {"labels": labels} if kind == "pairs" else {}
        (tmp_path / "paradigm.yaml").write_text(json.dumps(spec))
        (tmp_path / "corpus.yaml").write_text(f"source: beir\nfolder: x\nsplits: {{}}\n{stated}")
        (tmp_path / "prompt.md").write_text(prompt or (FEW if kind else ZERO))
        write_requests(
            paradigm=tmp_path / "paradigm.yaml", prompt=tmp_path / "prompt.md", corpus=tmp_path / "corpus.yaml",
            passages=tmp_path / "passages.jsonl", queries=tmp_path / "queries.jsonl", qrels=tmp_path / "qrels.txt",
            excluded=tmp_path / "excluded.txt", exemplar_draw=draw, requests=tmp_path / "requests.jsonl",
            exemplars=tmp_path / "exemplars.jsonl", examples=tmp_path / "examples.md",
        )  # fmt: skip
        return (
            list(read_jsonl(tmp_path / "requests.jsonl", Request)),
            list(read_jsonl(tmp_path / "exemplars.jsonl", Exemplar)),
            (tmp_path / "examples.md").read_text(),
        )

    return build


def corpus(size=40, queries=10):
    passages = [Passage(f"p{number}", f"text of passage number {number} continues") for number in range(size)]
    asked = [Query(f"q{number}", f"question {number}?") for number in range(queries)]
    qrels = [Judgment(query.id, f"p{number}", 1) for number, query in enumerate(asked)]
    held_out = [Judgment(f"t{number}", f"p{number}", 1) for number in range(20, 30)]
    return passages, asked, qrels, held_out


def test_write_requests_renders_the_prompt_for_every_query(make):
    requests, pool, examples = make(*corpus())
    assert len(requests) == 10
    assert requests[0] == Request(
        "q0", "question 0?", (Message("system", "Write."), Message("user", "Q: question 0?")), (), 0
    )
    assert requests[-1].query_id == "q9"
    assert pool == []
    assert examples.startswith("# q0\n\n**system**\n\nWrite.\n\n**user**\n\nQ: question 0?\n\n# q1\n")
    assert examples.count("# q") == 3


def test_pairs_are_drawn_from_the_labelled_pool_per_query(make):
    requests, shown, _ = make(*corpus(), kind="pairs", count=3, labels=6)
    pool = shuffle([f"q{number}" for number in range(10)], 13)[:6]
    by_id = {item.id: item for item in shown}
    for request in requests:
        own = [name for name in shuffle(pool, 13, request.query_id) if name != request.query_id][:3]
        assert request.exemplars == tuple(f"p{name[1:]}" for name in own)
        assert request.messages[1].content == "\n".join(
            [*(f"<question {name[1:]}?|{by_id[f'p{name[1:]}'].text}>" for name in own), f"Q: {request.query}"]
        )
    assert all(item.query_id in pool and item.id == f"p{item.query_id[1:]}" for item in shown)


@pytest.mark.parametrize(("count", "labels"), [(2, 3), (3, 10), (8, 20)])
def test_all_prompts_together_show_at_most_labels_pairs(make, count, labels):
    requests, shown, _ = make(*corpus(80, 60), kind="pairs", count=count, labels=labels)
    used = {name for request in requests for name in request.exemplars}
    assert used == {item.id for item in shown}
    assert len(shown) == len(used) == labels, "60 queries show every pair of the pool"
    assert all(len(set(request.exemplars)) == count for request in requests)
    assert all(f"p{request.query_id[1:]}" not in request.exemplars for request in requests)
    assert len({request.exemplars for request in requests}) > (1 if labels == 3 else 40), "drawn for each query"


def test_raw_passages_differ_per_query_and_have_no_query(make):
    requests, shown, _ = make(*corpus(4000, 60), kind="passages", count=3)
    assert 170 <= len(shown) <= 180, "60 queries with 3 passages each, with few repetitions"
    assert [item.id for item in shown] == list(dict.fromkeys(name for item in requests for name in item.exemplars))
    assert all(item.query == item.query_id == "" for item in shown)
    first = requests[0]
    text_of = {item.id: item.text for item in shown}
    assert first.messages[1].content == "\n".join(
        [*(f"<|{text_of[name]}>" for name in first.exemplars), "Q: question 0?"]
    )


@pytest.mark.parametrize("kind", ["pairs", "passages"])
def test_adding_a_query_does_not_change_other_prompts(make, kind):
    passages, asked, qrels, held_out = corpus(60, 18)
    before = {request.query_id: request for request in make(passages, asked, qrels, held_out, kind=kind)[0]}
    outside = next(f"new{n}" for n in range(99) if shuffle([*before, f"new{n}"], 13).index(f"new{n}") >= 5)
    more = [Query(outside, "another?"), *asked]
    added = [*qrels, Judgment(outside, "p45", 1)]
    after = {request.query_id: request for request in make(passages, more, added, held_out, kind=kind)[0]}
    assert outside in after
    assert {name: after[name] for name in before} == before


def test_a_new_labelled_pair_changes_only_prompts_with_the_new_or_the_removed_pair(make):
    passages, asked, qrels, held_out = corpus(60, 18)
    before = {request.query_id: request for request in make(passages, asked, qrels, held_out, kind="pairs")[0]}
    inside = next(f"new{n}" for n in range(99) if shuffle([*before, f"new{n}"], 13).index(f"new{n}") < 5)
    last = f"p{shuffle(before, 13)[4][1:]}"
    added = [*qrels, Judgment(inside, "p45", 1)]
    after = make(passages, [*asked, Query(inside, "another?")], added, held_out, kind="pairs")[0]
    changed = {item.query_id for item in after[:-1] if item != before[item.query_id]}
    concerned = {item.query_id for item in after[:-1] if "p45" in item.exemplars}
    concerned |= {name for name, item in before.items() if last in item.exemplars}
    assert changed == concerned
    assert 0 < len(changed) < 18


@pytest.mark.parametrize("kind", ["pairs", "passages"])
def test_each_draw_has_other_exemplars(make, kind):
    given = {
        draw: [request.exemplars for request in make(*corpus(300, 40), kind=kind, seed=7, draw=draw)[0]]
        for draw in (0, 1, 2)
    }
    own = [request.exemplars for request in make(*corpus(300, 40), kind=kind, seed=draw_seed(7, 1))[0]]
    assert own == given[1]
    assert len({name for names in given[0] for name in names} & {name for names in given[1] for name in names}) < (
        5 if kind == "pairs" else 40
    )
    assert sum(one == other for one, other in zip(given[1], given[2], strict=True)) < 3


@pytest.mark.parametrize("kind", ["pairs", "passages"])
def test_exemplars_never_overlap_with_held_out_or_own_passages(make, kind):
    generator = random.Random(len(kind))
    made = 0
    for _ in range(15):
        passages, asked, *_ = corpus(30, 8)
        judged = {(query.id, generator.randrange(30)): generator.randint(0, 2) for query in asked * 3}
        held = {(f"t{place}", generator.randrange(30)): generator.randint(0, 1) for place in range(12)}
        qrels = [Judgment(query, f"p{name}", grade) for (query, name), grade in judged.items()]
        held_out = [Judgment(query, f"p{name}", grade) for (query, name), grade in held.items()]
        secret = {item.passage_id for item in held_out if item.grade > 0}
        mine = {query.id: {j.passage_id for j in qrels if j.query_id == query.id and j.grade > 0} for query in asked}
        try:
            requests, shown, _ = make(passages, asked, qrels, held_out, kind=kind, seed=generator.randrange(99))
        except BudgetError as error:
            assert "exemplars" in str(error)  # noqa: PT017  # a random corpus may be too small
            continue
        made += 1
        assert not {item.id for item in shown} & secret
        pairs = {(item.query_id, item.id) for item in shown}
        assert len(pairs) == len(shown)
        for request in requests:
            assert len(request.exemplars) == 2
            assert not set(request.exemplars) & mine[request.query_id]
            text = "".join(message.content for message in request.messages)
            assert f"<{request.query}|" not in text, "its own pair"
    assert made > 7


def test_a_pair_with_a_held_out_answer_is_not_an_exemplar(make):
    passages, asked, qrels, _ = corpus(queries=4)
    everything = [Judgment("t", f"p{number}", 1) for number in range(4) if number != 2]
    with pytest.raises(BudgetError) as error:
        make(passages, asked, qrels, everything, kind="pairs", count=1, labels=2)
    assert str(error.value).endswith(
        "passages.jsonl: 2 labelled pairs needed, but only 1 training queries have a passage that may be shown; lower "
        "exemplars.labels"
    )


def test_too_few_exemplars_after_exclusion_are_an_error(make):
    passages, asked, _, held_out = corpus(queries=2)
    both = [Judgment("q0", "p1", 1), Judgment("q1", "p1", 1)]
    with pytest.raises(BudgetError, match="query q0: 1 exemplars needed, but only 0 of the 2 labelled pairs do not "):
        make(passages, asked, both, held_out, kind="pairs", count=1, labels=2)


@pytest.mark.parametrize("kind", ["pairs", "passages"])
def test_exemplars_are_cut_to_words_if_stated(make, kind):
    _, shown, _ = make(*corpus(), kind=kind, words=3)
    assert all(item.text == "text of passage …" for item in shown)
    for words in (6, None):
        _, shown, _ = make(*corpus(), kind=kind, words=words)
        assert all(item.text == f"text of passage number {item.id[1:]} continues" for item in shown)


def test_the_choice_of_exemplars_is_seeded(make):
    pools = {tuple(item.id for item in make(*corpus(), kind="pairs", seed=seed)[1]) for seed in (1, 1, 2, 3)}
    assert len(pools) == 3


def test_prompts_show_inputs_that_the_corpus_states(make):
    prompt = ZERO.replace("[query]", "[query, domain, passage_words]") + "{{ passage_words }} words of {{ domain }}\n"
    requests, _, _ = make(*corpus(), prompt=prompt, stated="domain: roses\npassage_words: 40\n")
    assert {request.messages[1].content.splitlines()[1] for request in requests} == {"40 words of roses"}
    requests, _, _ = make(*corpus(), stated="domain: roses\npassage_words: 40\n")
    assert requests[0].messages[1].content == "Q: question 0?", "a prompt may ignore these inputs"
