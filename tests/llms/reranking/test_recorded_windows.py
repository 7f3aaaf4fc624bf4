"""Recorded replies of real models, including malformed replies, give the published rankings."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from synthrank.config.base import validate
from synthrank.config.rankings import RankingSpec
from synthrank.data.records import Pool, Pooled, Reply
from synthrank.llms.prompts import read_prompt
from synthrank.llms.reranking.methods import asker_of, sort_of
from synthrank.llms.reranking.questions import converse
from synthrank.llms.reranking.rounds import run_in_rounds
from synthrank.llms.reranking.sorts import windows

SHARED = os.environ.get("SYNTHRANK_SHARED")
FOLDER = Path(SHARED or "absent") / "golden/sliding-window"
CASES = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8")) if SHARED else []


def first_stage(path, depth):
    """Return the first passages of each query in the order of the file, which also orders ties."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        query, _, passage, *_ = line.split()
        found.setdefault(query, []).append(passage)
    return {query: names[:depth] for query, names in found.items()}


class Recording:
    """Returns each query's replies in the order of its windows, and checks the number of passages shown."""

    def __init__(self, records):
        self.records, self.rounds = records, []

    def answer(self, requests):
        self.rounds.append(len(requests))
        for request in requests:
            query, step = request.query_id.rsplit("#", 1)
            window = self.records[query]["windows"][int(step)]
            assert sum(turn.content.startswith("[") for turn in request.messages) == window["end"] - window["start"]
            yield Reply(request.query_id, request.query, 0, window["response"], "stop", 1, 1, "recorded", {},
                        request.messages)  # fmt: skip


@pytest.mark.skipif(not SHARED, reason="SYNTHRANK_SHARED is not set")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_listwise_ranking_of_recorded_replies_equals_the_published_ranking(case, config):
    records = {}
    for line in (FOLDER / case["file"]).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        records[record["qid"]] = record
    depth = 20 if case["windows_per_query"] == 1 else 100
    first = first_stage(FOLDER / case["first_stage"], 100)
    spec = validate(RankingSpec, {"kind": "listwise", "prompt": "rank-listwise"}, "test")
    prompt = read_prompt(config / "prompts/rank-listwise.md")
    asker = asker_of(spec, prompt, {name: name for names in first.values() for name in names})
    pools = [
        Pool(query, record["query"], tuple(Pooled(name, {}) for name in first[query][:depth]))
        for query, record in records.items()
    ]
    llm = Recording(records)
    conversations = (converse(pool, sort_of(spec, len(pool.candidates)), asker, 1) for pool in pools)
    outcomes = list(run_in_rounds(conversations, lambda requests: list(llm.answer(requests)), 10_000))

    assert len(outcomes) == case["queries"]
    assert llm.rounds == [case["queries"]] * case["windows_per_query"]
    notes = Counter(ask.notes for outcome in outcomes for ask in outcome.asks)
    for outcome in outcomes:
        record = records[outcome.pool.query_id]
        assert [*outcome.ids, *first[outcome.pool.query_id][depth:]] == record["final"]
        assert list(windows(depth, 20, 10)) == [(window["start"], window["end"]) for window in record["windows"]]
    assert notes.total() == case["responses"]
    # The recordings count a reply as malformed if its numbers are not a permutation. Here these are replies without a
    # number, and repaired replies with another note than "form" (a missing bracket).
    assert notes.total() - notes[()] - notes[("form",)] == case["malformed_responses"]
