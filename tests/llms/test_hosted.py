"""Replies of hosted models through all layers: environment, client, limits, price."""

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
from types import SimpleNamespace

import pytest
from provider_server import Fault, ProviderServer
from provider_specs import KEY, VARIABLE, gemini_spec, openai_spec, request

from synthrank.config.llms import Sampling
from synthrank.errors import ModelError, ProviderError, SpendError
from synthrank.llms import open_llm
from synthrank.llms.base import request_key
from synthrank.llms.hosted import Hosted, identity, open_client


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv(VARIABLE, KEY)


SPECS = pytest.mark.parametrize("make", [openai_spec, gemini_spec])


@SPECS
def test_hosted_replies_contain_model_sampling_tokens_price_and_time(make, tmp_path):
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
def test_generate_can_be_called_twice(make, tmp_path):
    requests = [request(f"question {number}") for number in range(12)]
    with ProviderServer(latency=0.01) as server:
        llm = open_llm(make(server.url), folder=tmp_path)
        for _ in range(2):
            assert sorted(reply.query for reply in llm.generate(requests)) == sorted(item.query for item in requests)
    assert server.most_in_flight <= 4
    assert set(server.asked.values()) == {2}


def test_generate_sends_equal_requests_once(tmp_path):
    same = request("why do bees dance")
    equal = type(same)("another", "in other words", same.messages)
    with ProviderServer() as server:
        replies = list(open_llm(openai_spec(server.url), folder=tmp_path).generate([same, equal, request("else")]))
    assert server.count == 2
    assert {reply.query_id for reply in replies} == {same.query_id, "another", "q-else"}
    assert sum(reply.price_usd > 0 for reply in replies) == 2


def test_closing_generate_closes_all_connections(tmp_path):
    with ProviderServer(latency=0.05) as server:
        llm = open_llm(openai_spec(server.url), folder=tmp_path)
        replies = llm.generate([request(f"question {number}") for number in range(50)])
        next(replies)
        replies.close()
        assert llm._client._opened is None
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
    assert server.count <= 12


def test_generate_yields_all_answers_before_an_error(tmp_path):
    requests = [request(f"question {number}") for number in range(20)] + [request("fatal")]
    with ProviderServer([Fault("too-long", match="fatal", last=9)], latency=0.02) as server:
        got = []
        with pytest.raises(ProviderError, match="a prompt is too long"):
            got.extend(open_llm(openai_spec(server.url), folder=tmp_path).generate(requests))
    assert len(got) == 20
    assert set(server.asked.values()) == {1}


@SPECS
def test_attempts_that_may_be_billed_count_over_all_runs(make, tmp_path):
    faults = [Fault("malformed", match="bad", last=99), Fault("500", match="down", last=99)]
    requests = [request(name) for name in ("good", "bad", "down")]
    with ProviderServer(faults) as server:
        for attempts, asked in ((2, 2), (2, 2), (3, 3)):
            spec = make(server.url, limits={"attempts": attempts})
            with pytest.raises(ProviderError, match="2 requests have no answer"):
                list(open_llm(spec, folder=tmp_path).generate(requests))
            assert server.asked["bad"] == asked
        assert server.asked["down"] == 7, "an attempt that was not billed does not count in later runs"


def test_generate_sends_only_requests_that_the_guard_yields(tmp_path):
    def guard(requests):
        for number, item in enumerate(requests.values()):
            if number == 5:
                raise SpendError("the money is spent")
            yield item

    with ProviderServer() as server:
        spec = openai_spec(server.url)
        llm = Hosted(spec, open_client(spec), tmp_path, SimpleNamespace(guard=guard))
        got = []
        with pytest.raises(SpendError):
            got.extend(llm.generate([request(f"question {number}") for number in range(20)]))
    assert len(got) == server.count == 5


@SPECS
def test_generate_by_batch(make, tmp_path):
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
def test_identity_has_only_settings_that_determine_an_answer(make):
    spec = make("http://a")
    same = [make("http://a", mode="batch"), make("http://a", limits={"concurrency": 1})]
    assert all(identity(item) == identity(spec) for item in same)
    assert identity(make("http://a", sampling=Sampling(seed=4))) != identity(spec)
    assert identity(gemini_spec("http://a", thinking_budget=1)) != identity(gemini_spec("http://a"))
    assert KEY not in json.dumps(identity(spec))


@SPECS
def test_identity_has_the_address_of_a_server_that_is_not_the_models_maker(make):
    one, other = identity(make("http://a:8000")), identity(make("http://b:8000"))
    assert one != other
    named = [identity(make(url, server_name="ours")) for url in ("http://a:8000", "http://b:8000")]
    assert named[0] == named[1] != one
    urls = ["http://user:secret@A:8000", "http://a:8000"]
    slashed = [identity(make("", base_url=f"{url}/v1{end}")) for url in urls for end in ("", "/")]
    assert all(item == slashed[0] for item in slashed)
    assert "secret" not in json.dumps(slashed)
    public = make("", base_url=None)
    assert "server" not in identity(public)
    assert identity(make("", base_url=f"{public.provider_url}/")) == identity(public)


def test_open_client_names_the_variable_of_a_missing_key(monkeypatch):
    monkeypatch.delenv(VARIABLE)
    message = rf"^gpt-4.1-mini: environment variable {VARIABLE} is not set; run: export {VARIABLE}=YOUR_KEY "
    with pytest.raises(ProviderError, match=message):
        open_client(openai_spec("http://a"))


def test_open_client_refuses_an_invalid_key_without_showing_it(monkeypatch):
    for broken in ("sk-SECRET PLANTED", "sk-SECRET\nPLANTED", "sk-SECRET-Ä"):
        monkeypatch.setenv(VARIABLE, broken)
        with pytest.raises(ProviderError, match="contains characters that no API key has") as caught:
            open_client(openai_spec("http://a"))
        assert "SECRET" not in str(caught.value)
    monkeypatch.setenv(VARIABLE, f"{KEY}\n")
    open_client(openai_spec("http://a"))


def test_score_of_a_hosted_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="use a local model"):
        open_llm(openai_spec("http://a"), folder=tmp_path).score([])


def test_open_llm_refuses_a_hosted_model_without_a_folder():
    with pytest.raises(ModelError, match="needs a folder"):
        open_llm(openai_spec("http://a"))


# An external server


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
                break  # the server runs, but cannot list models offline
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
