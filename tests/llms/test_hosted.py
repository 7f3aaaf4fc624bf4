"""Replies of hosted models, end to end: environment, client, pace, price."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

import pytest
from provider_server import Fault, ProviderServer
from provider_specs import KEY, VARIABLE, gemini_spec, openai_spec, request

from synthrank.errors import ModelError, ProviderError, SpendError
from synthrank.llms import open_llm
from synthrank.llms.base import request_key
from synthrank.llms.hosted import Hosted, identity, open_client
from synthrank.specs.llms import Sampling


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)


SPECS = pytest.mark.parametrize("make", [openai_spec, gemini_spec])


@SPECS
def test_a_reply_tells_what_made_it_and_what_it_took(make, tmp_path):
    with ProviderServer([Fault("500", match="bees")], latency=0.05) as server:
        spec = make(server.url)
        (reply,) = open_llm(spec, folder=tmp_path).generate([request("why do bees dance", sample=2)])
    assert (reply.query_id, reply.query, reply.sample) == ("q-why do bees dance", "why do bees dance", 2)
    assert reply.text == "Here is what I know about: why do bees dance"
    assert (reply.finish_reason, reply.blocked, reply.mode, reply.attempts) == ("stop", "", "live", 2)
    assert (reply.tokens_in, reply.tokens_out, reply.tokens_cached) == (7, 10, 3)
    assert reply.price_usd == pytest.approx((4 * 0.4 + 3 * 0.1 + 10 * 1.6) / 1e6)
    assert reply.model == spec.model
    assert reply.snapshot.startswith(spec.model)
    assert reply.key == request_key(identity(spec), request("why do bees dance", sample=2))
    assert 0.05 <= reply.latency_s < 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", reply.time)
    assert abs((datetime.fromisoformat(reply.time) - datetime.now().astimezone()).total_seconds()) < 60
    assert {"temperature": 0.7, "top_p": 0.9, "max_new_tokens": 64, "seed": 3}.items() <= reply.sampling.items()


@SPECS
def test_replies_come_one_by_one_and_twice_in_a_row(make, tmp_path):
    requests = [request(f"question {number}") for number in range(12)]
    with ProviderServer(latency=0.01) as server:
        llm = open_llm(make(server.url), folder=tmp_path)
        for _ in range(2):
            assert sorted(reply.query for reply in llm.generate(requests)) == sorted(item.query for item in requests)
    assert server.most_in_flight <= 4
    assert set(server.asked.values()) == {2}


def test_requests_that_ask_the_same_are_paid_once(tmp_path):
    same = request("why do bees dance")
    twin = type(same)("another", "in other words", same.messages)
    with ProviderServer() as server:
        replies = list(open_llm(openai_spec(server.url), folder=tmp_path).generate([same, twin, request("else")]))
    assert server.count == 2
    assert {reply.query_id for reply in replies} == {same.query_id, "another", "q-else"}
    assert sum(reply.price_usd > 0 for reply in replies) == 2


def test_an_early_end_closes_everything(tmp_path):
    with ProviderServer(latency=0.05) as server:
        llm = open_llm(openai_spec(server.url), folder=tmp_path)
        replies = llm.generate([request(f"question {number}") for number in range(50)])
        next(replies)
        replies.close()
        assert llm._client._opened is None
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
    assert server.count <= 12


def test_what_was_gained_is_yielded_before_the_error(tmp_path):
    requests = [request(f"question {number}") for number in range(20)] + [request("fatal")]
    with ProviderServer([Fault("too-long", match="fatal", last=9)], latency=0.02) as server:
        got = []
        with pytest.raises(ProviderError, match="a prompt is too long"):
            got.extend(open_llm(openai_spec(server.url), folder=tmp_path).generate(requests))
    assert len(got) == 20
    assert set(server.asked.values()) == {1}


def test_the_guard_says_what_may_be_asked(tmp_path):
    def guard(requests):
        for number, item in enumerate(requests.values()):
            if number == 5:
                raise SpendError("the money is spent")
            yield item

    with ProviderServer() as server:
        spec = openai_spec(server.url)
        llm = Hosted(spec, open_client(spec), tmp_path, guard=guard)
        got = []
        with pytest.raises(SpendError):
            got.extend(llm.generate([request(f"question {number}") for number in range(20)]))
    assert len(got) == server.count == 5


@SPECS
def test_by_batch(make, tmp_path):
    requests = [request(f"question {number}") for number in range(7)]
    with ProviderServer() as server:
        spec = make(server.url, mode="batch", batch={"lines": 3, "poll_s": 0.05})
        replies = list(open_llm(spec, folder=tmp_path).generate(requests))
        assert len(server.batches) == 3
    assert sorted(reply.query for reply in replies) == sorted(item.query for item in requests)
    assert {reply.mode for reply in replies} == {"batch"}
    one = replies[0]
    live = (one.tokens_in - one.tokens_cached) * 0.4 + one.tokens_cached * 0.1 + one.tokens_out * 1.6
    assert one.price_usd == pytest.approx(live / 2 / 1e6)
    found = [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert not found


@SPECS
def test_the_identity_is_what_determines_an_answer_and_nothing_else(make):
    spec = make("http://a")
    same = [make("http://b"), make("http://a", mode="batch"), make("http://a", limits={"concurrency": 1})]
    assert all(identity(item) == identity(spec) for item in same)
    assert identity(make("http://a", sampling=Sampling(seed=4))) != identity(spec)
    assert identity(gemini_spec("", thinking_budget=1)) != identity(gemini_spec(""))
    assert KEY not in json.dumps(identity(spec))


def test_a_missing_key(monkeypatch):
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ProviderError, match=rf"^gpt-4.1-mini: environment variable {VARIABLE} is not set; export it"):
        open_client(openai_spec("http://a"))


def test_a_key_that_can_be_none(monkeypatch):
    for broken in ("sk-SECRET PLANTED", "sk-SECRET\nPLANTED", "sk-SECRET-Ä"):
        monkeypatch.setenv(VARIABLE, broken)
        with pytest.raises(ProviderError, match="holds characters that a key cannot have") as caught:
            open_client(openai_spec("http://a"))
        assert "SECRET" not in str(caught.value)
    monkeypatch.setenv(VARIABLE, f"{KEY}\n")
    open_client(openai_spec("http://a"))


def test_scores_are_not_to_be_had(tmp_path):
    with pytest.raises(ModelError, match="take a local model"):
        open_llm(openai_spec("http://a"), folder=tmp_path).score([])


def test_a_hosted_model_needs_a_folder():
    with pytest.raises(ModelError, match="needs a folder"):
        open_llm(openai_spec("http://a"))


# A server that somebody else wrote


@pytest.fixture(params=["tiny", pytest.param("packaged", marks=pytest.mark.network)])
def transformers_server(request, tmp_path):
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    from tiny_models import tiny_llm

    if request.param == "tiny":
        folder = tmp_path / request.param
        tiny_llm(folder)
    else:
        folder = request.getfixturevalue("packaged_llm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "transformers.cli.transformers",
        "serve",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=tmp_path)
    try:
        for _ in range(240):
            time.sleep(0.5)
            assert process.poll() is None, (tmp_path / "log").read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).close()
                break
            except urllib.error.HTTPError:
                break  # it has no cache of models to list offline, but it answers
            except OSError:
                continue
        yield f"http://127.0.0.1:{port}", folder
    finally:
        process.terminate()
        process.wait()


@pytest.mark.serve
def test_transformers_serve_generates(transformers_server, tmp_path):
    url, folder = transformers_server
    spec = openai_spec(url, token_limit_key="max_tokens", sampling=Sampling(max_new_tokens=8)).model_copy(
        update={"model": str(folder)}
    )
    replies = list(open_llm(spec, folder=tmp_path).generate([request("why do bees dance"), request("how is it made")]))
    assert len(replies) == 2
    for reply in replies:
        assert reply.text
        assert reply.finish_reason in ("stop", "length")
        assert reply.tokens_in > 10
        assert 1 <= reply.tokens_out <= 8
