"""What an experiment will cost: counted where requests are written, estimated from the entity files where not."""

import subprocess
import sys
from pathlib import Path

import pytest

from synthrank.errors import ConfigError
from synthrank.files import write_jsonl
from synthrank.llms.estimate import cost_usd
from synthrank.llms.hosted import identity
from synthrank.llms.keys import request_key
from synthrank.llms.store import ReplyStore, folder_of
from synthrank.plan import as_text, plan
from synthrank.records import Message, Reply, Request
from synthrank.specs.base import read_yaml
from synthrank.study import Study

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def paper():
    settings = {**read_yaml(PROJECT / "config/config.yaml"), **read_yaml(PROJECT / "config/paper.yaml")}
    return Study(PROJECT / "config", settings)


def test_the_full_study_is_estimated_without_data(paper, tmp_path):
    lines = list(plan(paper, tmp_path, tmp_path / "store"))
    assert len(lines) == 6
    assert {line.requests for line in lines} == {10_000}
    assert all(0 < line.batch_usd == pytest.approx(line.live_usd / 2) for line in lines)
    assert {line.minutes for line in lines if line.llm == "gemini-2.5-flash"} == {10_000 * 4 / 64 / 60}
    text = as_text(lines, paper)
    total = next(line for line in text.splitlines() if line.startswith("total"))
    assert "60,000" in total
    assert f"{sum(line.live_usd for line in lines):.2f}" in total
    assert "budget_usd: 50.00" in text


def test_written_requests_are_counted_and_looked_up(paper, tmp_path):
    asked = [Request(f"q{place}", "why", (Message("user", f"why {place}?" * 20),)) for place in range(8)]
    write_jsonl(tmp_path / "passages/msmarco-passage/zero-shot/requests.jsonl", asked)
    spec = paper.entities["llms"]["gpt-4.1-mini"]
    with ReplyStore(folder_of(tmp_path / "store", spec.model)) as store:
        for item in asked[:3]:
            key = request_key(identity(spec), item)
            store.add(Reply(item.query_id, "", 0, "so", "stop", 1, 1, spec.model, {}, item.messages, key=key))
    line = next(iter(plan(paper, tmp_path, tmp_path / "store")))
    assert (line.requests, line.stored, line.exact) == (8, 3, True)
    assert line.live_usd == pytest.approx(cost_usd(spec, asked[3:]), rel=0.05)


def test_a_corpus_must_say_how_many_training_queries_it_has(paper, tmp_path):
    corpus = paper.entities["corpora"]["msmarco-passage"]
    silent = corpus.model_copy(update={"train_queries": None, "counts": type(corpus.counts)()})
    paper.entities["corpora"]["msmarco-passage"] = silent
    with pytest.raises(ConfigError, match=r"msmarco-passage\.yaml: counts\.splits\.train\.queries: is missing"):
        list(plan(paper, tmp_path, tmp_path / "store"))


def test_the_command_prints_a_total():
    done = subprocess.run(
        [sys.executable, "-m", "synthrank.plan", "--config", "config/paper.yaml"],
        cwd=PROJECT, env={"PYTHONPATH": "src", "PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "\ntotal " in done.stdout
    assert "Nothing was asked of anyone." in done.stdout
