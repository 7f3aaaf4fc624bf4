"""Scores of generated passages by a language model, compared with the model's score of each pair."""

import json
import math

import pytest

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import ScoredList, WrittenPassage
from synthrank.steps.passages import judge_passages as module
from synthrank.steps.passages.judge_passages import judge_passages

WRITTEN = [
    WrittenPassage("q1@zero", "Bread needs flour and time for the dough.", "q1", "What does bread need?"),
    WrittenPassage("q2@zero", "The river reaches the sea.", "q2", "river"),
    WrittenPassage("q1@zero@2", "Salt.", "q1", "What does bread need?"),
]
KNOWN, UNKNOWN = math.log(0.1), math.log(0.001)


@pytest.fixture
def judge(tmp_path, config):
    """Return a function that scores the passages by a ranking and returns a score per (query, passage)."""

    def run(kind, prompt=None, **settings):
        prompt = prompt or f"rank-{kind}"
        (tmp_path / "ranking.yaml").write_text(json.dumps({"kind": kind, "prompt": prompt, **settings}))
        write_jsonl(tmp_path / "passages.jsonl", WRITTEN)
        judge_passages(
            passages=tmp_path / "passages.jsonl", ranking=tmp_path / "ranking.yaml",
            prompt=config / f"prompts/{prompt}.md", llm=config / "llms/echo.yaml", model=[],
            scores=tmp_path / "scores.jsonl",
        )  # fmt: skip
        found = list(read_jsonl(tmp_path / "scores.jsonl", ScoredList))
        assert [item.query_id for item in found] == ["q1", "q2"]
        return {(item.query_id, name): score for item in found
                for name, score in zip(item.ids, item.scores, strict=True)}  # fmt: skip

    return run


def test_query_likelihood_is_divided_by_the_words_of_the_query(judge, config):
    prompt = (config / "prompts/rank-query-likelihood.md").read_text().split("---")[2].lower()
    found = judge("query-likelihood")
    assert found.keys() == {("q1", "q1@zero"), ("q1", "q1@zero@2"), ("q2", "q2@zero")}
    for item in WRITTEN:
        # echo finds a word likely if the prompt or the passage has it
        words = item.query.lower().rstrip("?").split()
        seen = {word.strip(".?,:") for word in f"{prompt} {item.text.lower()}".split()}
        expected = sum(KNOWN if word in seen else UNKNOWN for word in words) / len(words)
        assert found[item.query_id, item.id] == pytest.approx(expected)
    assert found["q1", "q1@zero"] > found["q1", "q1@zero@2"]


def test_judge_passages_cuts_passages_to_passage_words(judge):
    assert judge("query-likelihood")["q2", "q2@zero"] == pytest.approx(KNOWN)
    assert judge("query-likelihood", passage_words=1)["q2", "q2@zero"] == pytest.approx(UNKNOWN)


class Scores:
    """A model whose log-probability of a reply is its length minus a hundredth of the messages' length."""

    def score(self, pairs):
        return [len(reply) - sum(len(item.content) for item in messages) / 100 for messages, reply in pairs]


def test_pointwise_score_is_the_difference_of_two_replies(judge, monkeypatch):
    monkeypatch.setattr(module, "open_stored", lambda spec, model: Scores())
    found = judge("pointwise", positive="certainly", negative="no")
    assert list(found.values()) == pytest.approx([len("certainly") - len("no")] * 3)
