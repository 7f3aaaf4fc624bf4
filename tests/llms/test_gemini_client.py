"""Properties of the Gemini API only: thoughts, bodies and result lines."""

from google.genai import types
from provider_clients import GEMINI
from provider_server import Fault
from provider_specs import KEY

from synthrank.data.records import Message, Request


def test_gemini_counts_thoughts_but_does_not_return_them(server):
    answer = GEMINI.ask(server, thinking_budget=100)
    assert answer.tokens_out == 10 + 5
    assert "Hm." not in answer.text
    assert server.calls[0].body["generationConfig"]["maxOutputTokens"] == 64 + 100, "thoughts count against the limit"


def test_gemini_sends_the_same_body_live_and_by_batch(server):
    turns = (Message("system", "Be brief."), Message("user", "one"), Message("assistant", "1"), Message("user", "two"))
    asked = Request("q", "two", turns)
    GEMINI.ask(server, asked)
    (call,) = server.calls
    seed = call.body["generationConfig"]["seed"]
    assert 0 <= seed < 2**31
    assert call.headers["x-goog-api-key"] == KEY
    line = GEMINI.use(server, lambda client: client.batch_line("k", asked))
    assert line == {"key": "k", "request": {
        "contents": [{"role": "user", "parts": [{"text": "one"}]}, {"role": "model", "parts": [{"text": "1"}]},
                     {"role": "user", "parts": [{"text": "two"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"temperature": 0.7, "topP": 0.9, "maxOutputTokens": 64, "seed": seed,
                             "thinkingConfig": {"thinkingBudget": 0}}}}  # fmt: skip
    for part in ("contents", "generationConfig", "systemInstruction"):
        read = {"contents": types.Content, "generationConfig": types.GenerationConfig}.get(part, types.Content)
        sent, written = call.body[part], line["request"][part]
        for one, other in zip(*(([it] if isinstance(it, dict) else it) for it in (sent, written)), strict=True):
            first, second = (read.model_validate(it).model_dump(exclude_none=True) for it in (one, other))
            assert {**first, "role": None} == {**second, "role": None}


def test_an_expired_gemini_batch_has_no_answers(server, tmp_path):
    server.faults = [Fault("batch-expired", match="slow")]
    _, states, _, answers, _ = GEMINI.submitted(server, tmp_path, ["slow 1", "slow 2"], "slow")
    assert (states[-1], answers) == ("expired", {})


def test_gemini_reads_invalid_and_failed_result_lines(server):
    lines = [
        {},
        {"key": "k", "response": {"candidates": "none"}},
        {"key": "k", "error": {"code": 16, "message": f"no {KEY}"}},
        {"key": "k", "error": {"code": 8, "message": "busy"}},
    ]
    answers = GEMINI.use(server, lambda client: [client.read_line(line) for line in lines])
    assert [key for key, _ in answers] == ["", "k", "k", "k"]
    assert [getattr(error, "kind", None) for _, error in answers] == ["malformed", "malformed", None, "rate"]
    assert KEY not in str(answers)
