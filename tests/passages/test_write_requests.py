"""Requests: the prompt rendered for every query, and exemplars that give nothing away."""

import json
import random

import pytest

from synthrank.errors import BudgetError, ConfigError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.order import seeded
from synthrank.passages.write_requests import write_requests
from synthrank.records import Exemplar, Judgment, Message, Passage, Query, Request
from synthrank.trec import write_qrels

ZERO = "---\ntask: passage\ninputs: [query]\n---\n# system\nWrite.\n# user\nQ: {{ query }}\n"
FEW = ZERO.replace("[query]", "[query, exemplars]").replace(
    "# user\n", "# user\n{% for item in exemplars %}\n<{{ item.query }}|{{ item.text }}>\n{% endfor %}\n"
)


@pytest.fixture
def make(tmp_path):
    """Return a function that writes requests over a corpus and gives (requests, pool, examples)."""

    def build(passages, queries, qrels, held_out, *, kind=None, count=2, words=None, seed=13, prompt=None, stated=""):
        write_jsonl(tmp_path / "passages.jsonl", passages)
        write_jsonl(tmp_path / "queries.jsonl", queries)
        write_qrels(tmp_path / "qrels.txt", qrels)
        write_qrels(tmp_path / "held.txt", held_out)
        spec = {"kind": "generated", "prompt": "p"}
        if kind:
            spec["exemplars"] = {"kind": kind, "count": count, "words": words, "seed": seed}
        (tmp_path / "paradigm.yaml").write_text(json.dumps(spec))
        (tmp_path / "corpus.yaml").write_text(f"source: beir\nfolder: x\nsplits: {{}}\n{stated}")
        (tmp_path / "prompt.md").write_text(prompt or (FEW if kind else ZERO))
        write_requests(
            paradigm=tmp_path / "paradigm.yaml", prompt=tmp_path / "prompt.md", corpus=tmp_path / "corpus.yaml",
            passages=tmp_path / "passages.jsonl", queries=tmp_path / "queries.jsonl", qrels=tmp_path / "qrels.txt",
            held_out=[tmp_path / "held.txt"], exemplar_draw=0, requests=tmp_path / "requests.jsonl",
            exemplars=tmp_path / "exemplars.jsonl", examples=tmp_path / "examples.md",
        )  # fmt: skip
        return (
            list(read_jsonl(tmp_path / "requests.jsonl", Request)),
            list(read_jsonl(tmp_path / "exemplars.jsonl", Exemplar)),
            (tmp_path / "examples.md").read_text(),
        )

    return build


def corpus(size=40, queries=10):
    passages = [Passage(f"p{number}", f"text of passage number {number} goes on") for number in range(size)]
    asked = [Query(f"q{number}", f"question {number}?") for number in range(queries)]
    qrels = [Judgment(query.id, f"p{number}", 1) for number, query in enumerate(asked)]
    held_out = [Judgment(f"t{number}", f"p{number}", 1) for number in range(20, 30)]
    return passages, asked, qrels, held_out


def test_without_exemplars_every_query_gets_the_prompt(make):
    requests, pool, examples = make(*corpus())
    assert len(requests) == 10
    assert requests[0] == Request(
        "q0", "question 0?", (Message("system", "Write."), Message("user", "Q: question 0?")), (), 0
    )
    assert requests[-1].query_id == "q9"
    assert pool == []
    assert examples.startswith("# q0\n\n**system**\n\nWrite.\n\n**user**\n\nQ: question 0?\n\n# q1\n")
    assert examples.count("# q") == 3


def test_pairs_use_count_plus_one_labels_however_many_queries_there_are(make):
    requests, pool, _ = make(*corpus(), kind="pairs", count=3)
    order = seeded([f"q{number}" for number in range(10)], 13)
    assert [item.query_id for item in pool] == order[:4]
    assert [item.id for item in pool] == [f"p{name[1:]}" for name in order[:4]]
    assert pool[0].query == f"question {order[0][1:]}?"
    assert {name for request in requests for name in request.exemplars} == {item.id for item in pool}
    for request in requests:
        assert len(request.exemplars) == 3
        shown = [item for item in pool if item.query_id != request.query_id][:3]
        assert list(request.exemplars) == [item.id for item in shown]
        assert request.messages[1].content == "\n".join(
            [*(f"<{item.query}|{item.text}>" for item in shown), f"Q: {request.query}"]
        )


def test_raw_passages_carry_no_label(make):
    requests, pool, _ = make(*corpus(), kind="passages", count=2, seed=5)
    allowed = [f"p{number}" for number in range(40) if not 20 <= number < 30]
    assert [item.id for item in pool] == seeded(allowed, 5)[:3]
    assert all(item.query == item.query_id == "" for item in pool)
    assert all(f"<|{pool[0].text}>" in request.messages[1].content for request in requests[:1])


@pytest.mark.parametrize("kind", ["pairs", "passages"])
def test_nothing_is_given_away_on_random_corpora(make, kind):
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
            requests, pool, _ = make(passages, asked, qrels, held_out, kind=kind, seed=generator.randrange(99))
        except BudgetError as error:
            assert "exemplar" in str(error)  # noqa: PT017  # a random corpus may be too small
            continue
        made += 1
        assert len(pool) == 3
        assert not {item.id for item in pool} & secret
        for request in requests:
            assert len(request.exemplars) == 2
            assert not set(request.exemplars) & mine[request.query_id]
            by_id = {item.id: item for item in pool}
            assert all(by_id[name].query_id != request.query_id for name in request.exemplars)
    assert made > 7


def test_a_pair_whose_answer_is_held_out_is_no_exemplar(make):
    passages, asked, qrels, _ = corpus(queries=4)
    everything = [Judgment("t", f"p{number}", 1) for number in range(4) if number != 2]
    with pytest.raises(BudgetError) as error:
        make(passages, asked, qrels, everything, kind="pairs", count=1)
    assert str(error.value).endswith(
        "passages.jsonl: 1 pairs can serve as exemplars, 2 are needed; lower exemplars.count"
    )


def test_a_passage_relevant_to_two_queries_may_leave_too_few(make):
    passages, asked, _, held_out = corpus(queries=2)
    both = [Judgment("q0", "p0", 1), Judgment("q0", "p1", 1), Judgment("q1", "p1", 1)]
    with pytest.raises(BudgetError, match="query q0: the exemplar pool holds 0 that are not its own, not 1"):
        make(passages, asked, both, held_out, kind="pairs", count=1)


def test_exemplars_are_cut_to_words(make):
    _, pool, _ = make(*corpus(), kind="passages", words=3)
    assert all(item.text == "text of passage …" for item in pool)
    _, pool, _ = make(*corpus(), kind="passages", words=7)
    assert all(item.text == f"text of passage number {item.id[1:]} goes on" for item in pool)


def test_the_choice_is_seeded(make):
    pools = {tuple(item.id for item in make(*corpus(), kind="pairs", seed=seed)[1]) for seed in (1, 1, 2, 3)}
    assert len(pools) == 3


def test_the_prompt_says_what_the_corpus_states(make):
    prompt = ZERO.replace("[query]", "[query, domain, passage_words]") + "{{ passage_words }} words of {{ domain }}\n"
    requests, _, _ = make(*corpus(), prompt=prompt, stated="domain: roses\npassage_words: 40\n")
    assert {request.messages[1].content.splitlines()[1] for request in requests} == {"40 words of roses"}
    requests, _, _ = make(*corpus(), stated="domain: roses\npassage_words: 40\n")
    assert requests[0].messages[1].content == "Q: question 0?", "a prompt need not use it"
    with pytest.raises(
        ConfigError, match=r"corpus\.yaml: domain: is missing; .*prompt\.md has it as an input, so state"
    ):
        make(*corpus(), prompt=prompt, stated="passage_words: 40\n")


@pytest.mark.parametrize(
    ("kind", "prompt", "inputs"), [(None, FEW, "['query']"), ("pairs", ZERO, "['exemplars', 'query']")]
)
def test_prompt_and_paradigm_must_agree(make, kind, prompt, inputs):
    with pytest.raises(ConfigError, match=r"prompt\.md: inputs: must be ") as error:
        make(*corpus(), kind=kind, prompt=prompt)
    assert inputs in str(error.value)
