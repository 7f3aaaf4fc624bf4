"""Recorded replies of real models, malformed ones included, give the published rankings."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from synthrank.ordering.asking import talk
from synthrank.ordering.methods import asker_of, sort_of
from synthrank.ordering.sorts import windows
from synthrank.ordering.together import together
from synthrank.prompts import read_prompt
from synthrank.records import Pool, Pooled, Reply
from synthrank.specs.base import validate
from synthrank.specs.rankings import RankingSpec

SHARED = os.environ.get("SYNTHRANK_SHARED")
FOLDER = Path(SHARED or "absent") / "golden/sliding-window"
CASES = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8")) if SHARED else []


def first_stage(path, depth):
    """Return the first passages of each query as the file has them; it orders ties in its own way."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        query, _, passage, *_ = line.split()
        found.setdefault(query, []).append(passage)
    return {query: names[:depth] for query, names in found.items()}


class Recording:
    """Gives each query's replies in the order of its windows, and checks what it is shown."""

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
def test_a_recording_gives_the_published_ranking(case, config):
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
    talks = (talk(pool, sort_of(spec, len(pool.candidates)), asker, 1) for pool in pools)
    outcomes = list(together(talks, lambda requests: list(llm.answer(requests)), 10_000))

    assert len(outcomes) == case["queries"]
    assert llm.rounds == [case["queries"]] * case["windows_per_query"]
    notes = Counter(ask.notes for outcome in outcomes for ask in outcome.asks)
    for outcome in outcomes:
        record = records[outcome.pool.query_id]
        assert [*outcome.ids, *first[outcome.pool.query_id][depth:]] == record["final"]
        assert list(windows(depth, 20, 10)) == [(window["start"], window["end"]) for window in record["windows"]]
    assert notes.total() == case["responses"]
    # What the recordings call malformed is a reply whose numbers are not each number once, however they are written:
    # here that is a reply without any, and every repaired one but those of another form alone (a bracket is missing).
    assert notes.total() - notes[()] - notes[("form",)] == case["malformed_responses"]
