"""The conversation about one query: requests, parsing, retries and records."""

import pytest
from oracles import Oracle, pool, texts

from synthrank.config.base import validate
from synthrank.config.rankings import RankingSpec
from synthrank.errors import ModelError
from synthrank.llms.parsing.status import Status
from synthrank.llms.prompts import read_prompt
from synthrank.llms.reranking.methods import asker_of, sort_of
from synthrank.llms.reranking.questions import Question, converse, labels, prompt_values

PROMPTS = {
    "listwise": "rank-listwise",
    "setwise": "rank-setwise",
    "pairwise": "rank-pairwise",
    "pointwise": "rank-pointwise",
    "query-likelihood": "rank-query-likelihood",
}


def spec_of(kind, **settings):
    return validate(RankingSpec, {"kind": kind, "prompt": PROMPTS[kind], **settings}, "test")


@pytest.fixture
def run(config):
    """Return a function that ranks a single pool and returns the outcome."""

    def do(spec, asked, llm, count=40):
        prompt = read_prompt(config / f"prompts/{spec.prompt}.md")
        asker = asker_of(spec, prompt, texts(count))
        conversation = converse(asked, sort_of(spec, len(asked.candidates)), asker, spec.malformed.attempts)
        answers = None
        try:
            while True:
                items = next(conversation) if answers is None else conversation.send(answers)
                if spec.scores:
                    answers = llm.score(items)
                else:
                    came = {(reply.query_id, reply.sample): reply for reply in llm.generate(items)}
                    assert len(came) == len(items), "ids are unique in a round"
                    answers = [came[item.query_id, item.sample] for item in items]
        except StopIteration as stop:
            return stop.value

    return do


MIXED = [5, 2, 7, 0, 6, 3, 1, 4]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("listwise", {"window": 20, "step": 10}),
        ("listwise", {"window": 4, "step": 2, "passes": 4}),
        ("listwise", {"prompt": "rank-listwise-single-turn"}),
        ("setwise", {"compared": 3}),
        ("setwise", {"compared": 4, "sort": "bubble"}),
        ("setwise", {"compared": 4, "answer": "log-probabilities"}),
        ("pairwise", {}),
        ("pairwise", {"sort": "heap"}),
        ("pairwise", {"sort": "bubble"}),
        ("pairwise", {"sort": "all-pairs", "answer": "log-probabilities"}),
        ("pointwise", {}),
        ("query-likelihood", {}),
    ],
)
def test_every_ranking_returns_the_order_of_a_perfect_model(run, kind, settings):
    spec = spec_of(kind, **settings)
    llm = Oracle(Oracle.order if kind == "listwise" else Oracle.best)
    outcome = run(spec, pool(MIXED), llm)
    assert outcome.ids == tuple(f"p{place}" for place in range(8))
    assert {ask.status for ask in outcome.asks} == {Status.WELL_FORMED}
    assert outcome.unanswered == 0
    assert [ask.step for ask in outcome.asks] == list(range(outcome.questions))


def test_converse_records_every_request_and_reply(run):
    outcome = run(spec_of("listwise", window=4, step=2), pool([2, 1, 0, 5, 4, 3]), Oracle())
    first, second = outcome.asks
    assert (first.shown, first.text) == (("p0", "p5", "p4", "p3"), "[1] > [4] > [3] > [2]")
    assert (second.shown, second.text) == (("p2", "p1", "p0", "p3"), "[3] > [2] > [1] > [4]")
    assert (first.query_id, first.key, first.price_usd) == ("q1", "q1#0/0", 0.5)
    assert (first.tokens_in, first.tokens_out) == (10, 3)
    assert outcome.snapshots == ("v1",)
    assert outcome.ids == ("p0", "p1", "p2", "p3", "p4", "p5")


def test_converse_records_scores_as_text(run):
    outcome = run(spec_of("pointwise"), pool([1, 0]), Oracle())
    assert [(ask.shown, ask.text) for ask in outcome.asks] == [
        (("p1",), "-2.000000 -50.000000"), (("p0",), "-1.000000 -50.000000"),
    ]  # fmt: skip


def test_converse_sends_nothing_for_fewer_than_two_candidates(run):
    for places in ([], [3]):
        llm = Oracle()
        outcome = run(spec_of("listwise"), pool(places), llm)
        assert outcome.ids == tuple(f"p{place}" for place in places)
        assert (outcome.asks, outcome.questions, outcome.malformed_share, llm.rounds) == ((), 0, 0.0, [])


def test_converse_repeats_a_malformed_reply_as_another_sample(run):
    def say(request):
        return Oracle.order(request) if request.sample == 2 else "I cannot decide."

    llm = Oracle(say)
    outcome = run(spec_of("listwise", malformed={"attempts": 3}), pool(MIXED), llm)
    assert [(item.query_id, item.sample) for items in llm.rounds for item in items] == [("q1#0", 0), ("q1#0", 1),
                                                                                        ("q1#0", 2)]  # fmt: skip
    assert len({item.messages for items in llm.rounds for item in items}) == 1
    assert [(ask.step, ask.status) for ask in outcome.asks] == [
        (0, Status.MALFORMED), (0, Status.MALFORMED), (0, Status.WELL_FORMED),
    ]  # fmt: skip
    assert (outcome.ids[0], outcome.unanswered, outcome.malformed_share) == ("p0", 0, 0.0)


def test_converse_repeats_only_malformed_replies(run):
    def say(request):
        return "no" if request.sample == 0 and request.query_id.endswith("#3") else Oracle.best(request)

    llm = Oracle(say)
    run(spec_of("pairwise", malformed={"attempts": 2}), pool([1, 0, 2]), llm)
    first, again = ([item.query_id for item in items] for items in llm.rounds)
    assert first == [f"q1#{step}" for step in range(6)]
    assert again == ["q1#3"]


def test_converse_keeps_the_order_after_the_last_malformed_reply(run):
    def say(request):
        return "no numbers" if request.query_id == "q1#0" else Oracle.order(request)

    spec = spec_of("listwise", window=4, step=2, malformed={"attempts": 2})
    outcome = run(spec, pool([3, 2, 1, 0, 5, 4]), Oracle(say))
    assert outcome.ids == ("p0", "p1", "p2", "p3", "p5", "p4")
    assert (outcome.questions, outcome.unanswered, outcome.malformed_share) == (2, 1, 0.5)
    assert len(outcome.asks) == 3


def test_converse_sends_equal_questions_once(run):
    llm = Oracle()
    run(spec_of("listwise", window=4, step=4, passes=5), pool([0, 1, 2, 3]), llm)
    assert len(llm.rounds) == 1
    llm = Oracle(Oracle.best)
    run(spec_of("setwise", sort="bubble", compared=2, top=8), pool(list(range(8))), llm)
    assert len(llm.rounds) == 7, "the pool is in order, so each pair of neighbours is compared once"


@pytest.mark.parametrize(
    ("text", "finish", "status", "notes"),
    [
        ("[2] > [1]", "stop", Status.WELL_FORMED, ()),
        ("[2] > [1", "length", Status.REPAIRED, ("form", "truncated")),
        ("[2] > [1]", "length", Status.WELL_FORMED, ("truncated",)),
        ("[2] > [9] > [2]", "stop", Status.REPAIRED, ("outside", "repeated", "missing")),
        ("", "blocked", Status.MALFORMED, ("blocked",)),
        ("[2] > [1]", "blocked", Status.MALFORMED, ("blocked",)),
        ("I'm sorry, but I cannot rank.", "stop", Status.MALFORMED, ("no number of the window", "refusal")),
        ("Home / News", "stop", Status.MALFORMED, ("no number of the window",)),
    ],
)
def test_converse_records_status_and_notes(run, text, finish, status, notes):
    outcome = run(spec_of("listwise"), pool([0, 1]), Oracle(lambda _: text, finish))
    (ask,) = outcome.asks
    assert (ask.text, ask.status, ask.notes) == (text, status, notes)
    assert outcome.ids == (("p0", "p1") if status == Status.MALFORMED else ("p1", "p0"))


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
def test_converse_refuses_scores_that_are_not_finite(run, score):
    class Broken(Oracle):
        def score(self, pairs):
            return [score] * len(pairs)

    with pytest.raises(ModelError, match=r"^query q1: .* a reply to p1 is (nan|-inf); use dtype bfloat16 or float32$"):
        run(spec_of("query-likelihood"), pool([1, 0]), Broken())


def test_prompt_values_render_the_listwise_conversation(config):
    question = Question(pool([1, 0]), (1, 0), 0)
    turns = read_prompt(config / "prompts/rank-listwise.md").render(
        **prompt_values(question, {"p0": "first text", "p1": "second text"}, frozenset({"query", "passages"}))
    )
    assert [turn.role for turn in turns] == [
        "system", "user", "assistant", "user", "assistant", "user", "assistant", "user"
    ]  # fmt: skip
    assert "2 passages" in turns[1].content
    assert turns[1].content.endswith("query q1")
    assert [turns[3].content, turns[5].content] == ["[1] first text", "[2] second text"]
    assert "[1]" in turns[4].content
    assert "[2]" in turns[6].content
    assert "query q1" in turns[-1].content
    assert "2 passages" in turns[-1].content


def test_labels_are_empty_after_z():
    assert labels(30) == [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "", "", "", ""]
