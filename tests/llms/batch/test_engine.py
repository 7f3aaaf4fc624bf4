import asyncio
import json
import logging
import os
import random
import signal
from collections import Counter
from pathlib import Path

import pytest
from batch_provider import FakeProvider, answer_line, asked, error_line, spec

from synthrank.data import files
from synthrank.data.records import Message, Request
from synthrank.errors import ProviderError, SpendError, StoreError, TransientError
from synthrank.llms.batch.engine import batch_answers, run_batches

RATE = TransientError("too many requests", "rate", 0.0)
LOST = ("late", TransientError("connection reset", "connection"))
ABC = asked("a", "b", "c")


def answered(provider, requests, folder, **settings):
    """Return the text of every answer by key; check that each key comes once and with its request."""
    texts = {}
    for key, request, answer in run_batches(provider, spec(**settings), requests, folder):
        assert key not in texts
        assert request == requests[key]
        texts[key] = answer.text
    return texts


def gained(provider, requests, folder, before_submit=None, **settings):
    """Return the answered keys, and the error at the end."""
    keys = []

    def consume():
        for key, _, _ in run_batches(provider, spec(**settings), requests, folder, before_submit):
            keys.append(key)

    with pytest.raises((ProviderError, SpendError, StoreError)) as caught:
        consume()
    assert "\n" not in str(caught.value)
    return keys, caught.value


def full(requests):
    return {key: f"answer to {key}" for key in requests}


def journals(folder):
    return sorted(folder.glob("*.json"))


def entry(folder):
    (path,) = journals(folder)
    return json.loads(path.read_text())


def clean(folder):
    """Return whether the folder contains only done entries, without temporary files."""
    return {path.name for path in folder.iterdir()} <= {"done", "unasked"}


# Submissions


def test_run_batches_answers_all_requests_in_one_batch(tmp_path):
    provider = FakeProvider()
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert [batch["keys"] for batch in provider.batches] == [list(ABC)]
    assert provider.calls == ["submit", "poll", "poll", "download"]
    assert clean(tmp_path)
    assert provider.closed


def test_run_batches_without_requests_makes_no_call(tmp_path):
    provider = FakeProvider()
    assert answered(provider, {}, tmp_path) == {}
    assert provider.calls == []


def test_batches_respect_the_line_limit_and_run_concurrently(tmp_path):
    provider = FakeProvider(polls=9)
    requests = asked(*"abcdefg")
    assert answered(provider, requests, tmp_path, lines=3) == full(requests)
    assert [len(batch["keys"]) for batch in provider.batches] == [3, 3, 1]
    assert "".join(key[-1] for batch in provider.batches for key in batch["keys"]) == "abcdefg"
    assert provider.calls.index("download") > max(
        place for place, call in enumerate(provider.calls) if call == "submit"
    )


def test_batches_respect_the_byte_limit_in_utf_8(tmp_path):
    provider = FakeProvider()
    text = "ß" * 150_000  # 300,000 bytes; three such lines leave 99,9xx of the megabyte
    requests = {f"k{n}": Request(f"q{n}", "", (Message("user", text),)) for n in range(7)}
    assert answered(provider, requests, tmp_path, megabytes=1) == full(requests)
    assert [len(batch["keys"]) for batch in provider.batches] == [3, 3, 1]
    assert all(900_000 < batch["bytes"] <= 1_000_000 for batch in provider.batches[:2])


def test_a_request_too_large_for_a_batch_is_an_error_before_any_submission(tmp_path):
    provider = FakeProvider()
    large = {"k": Request("q-large", "", (Message("user", "x" * 1_000_000),))}
    keys, error = gained(provider, {**ABC, **large}, tmp_path, megabytes=1)
    assert (keys, provider.calls) == ([], [])
    assert "query q-large" in str(error)
    assert "1000000" in str(error)


def test_batch_names_depend_only_on_the_keys(tmp_path):
    names = []
    for folder, requests in [("1", ABC), ("2", dict(reversed(ABC.items()))), ("3", asked("a", "b"))]:
        provider = FakeProvider()
        answered(provider, requests, tmp_path / folder)
        names += provider.names
    assert names[0] == names[1] != names[2]


def test_requests_of_a_done_batch_get_a_new_batch_name(tmp_path):
    """With the old name, the provider would find the old batch."""
    provider = FakeProvider()
    for _ in range(3):
        assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(set(provider.names)) == 3


# The journal


def test_a_batch_is_journaled_before_submission_and_again_with_its_id(tmp_path):
    seen = []

    class Witness(FakeProvider):
        async def submit_batch(self, file, name):
            seen.append(json.loads((tmp_path / f"{name}.json").read_text()))
            return await super().submit_batch(file, name)

        async def poll_batch(self, batch_id):
            seen.append(entry(tmp_path))
            return await super().poll_batch(batch_id)

    answered(Witness(), ABC, tmp_path)
    assert [(row["state"], row["batch_id"]) for row in seen] == [("intended", ""), *[("submitted", "id-0")] * 2]
    assert all(row["keys"] == list(ABC) and row["round"] == 1 for row in seen)


def test_a_batch_is_open_until_its_last_answer_is_taken(tmp_path):
    answers = run_batches(FakeProvider(), spec(), ABC, tmp_path)
    for _ in ABC:
        next(answers)
        assert entry(tmp_path)["state"] == "submitted"
    assert next(answers, None) is None
    assert clean(tmp_path)


def test_a_done_entry_has_the_counts_of_its_batch(tmp_path):
    provider = FakeProvider(lambda number, keys, asks: ("done", [answer_line("key-a"), answer_line("key-b")] * 2))
    answered(provider, asked("a", "b"), tmp_path)
    (path,) = (tmp_path / "done").iterdir()
    assert json.loads(path.read_text()) == {
        "name": provider.names[0],
        "batch_id": "id-0",
        "round": 1,
        "requests": 2,
        "state": "done",
        "answered": 2,
        "errors": 0,
        "duplicates": 2,
        "malformed": 0,
        "foreign": 0,
        "unasked": 0,
    }


# Resuming


def test_an_open_batch_of_a_stopped_consumer_is_resumed(tmp_path):
    provider = FakeProvider()
    answers = run_batches(provider, spec(lines=2), ABC, tmp_path)
    first, _, _ = next(answers)
    answers.close()
    assert provider.closed
    rest = {key: request for key, request in ABC.items() if key != first}
    assert answered(provider, rest, tmp_path, lines=2) == full(rest)
    assert len(provider.batches) == 2
    assert provider.calls.count("find") == 0


def test_an_intended_batch_found_at_the_provider_is_not_submitted_again(tmp_path):
    provider = FakeProvider(submit=[("late", ZeroDivisionError())])
    with pytest.raises(ZeroDivisionError):
        answered(provider, ABC, tmp_path)
    assert entry(tmp_path)["state"] == "intended"
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(provider.batches) == 1
    assert provider.calls.count("find") == 1


def test_an_intended_batch_missing_at_the_provider_is_submitted(tmp_path):
    provider = FakeProvider(submit=[ProviderError("unknown model")])
    keys, error = gained(provider, ABC, tmp_path)
    assert keys == []
    assert "gpt-test: 3 requests were not submitted: unknown model; run again" in str(error)
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert provider.calls[:3] == ["submit", "find", "submit"]
    assert clean(tmp_path)


def test_an_intended_batch_submits_only_current_requests(tmp_path):
    provider = FakeProvider(submit=[ProviderError("unknown model")])
    gained(provider, ABC, tmp_path)
    requests = asked("b", "d")
    assert answered(provider, requests, tmp_path) == full(requests)
    assert provider.asks == {"key-b": 1, "key-d": 1}
    assert clean(tmp_path)


def test_an_intended_batch_is_not_submitted_if_the_search_for_it_fails(tmp_path):
    provider = FakeProvider(submit=[ProviderError("unknown model")], find=[RATE] * 4)
    gained(provider, ABC, tmp_path)
    keys, error = gained(provider, {**ABC, **asked("d")}, tmp_path)
    assert keys == ["key-d"]
    assert "whether batch" in str(error)
    assert provider.asks == {"key-d": 1}
    assert answered(provider, ABC, tmp_path) == full(ABC)


def test_new_requests_next_to_an_open_batch_form_a_new_batch(tmp_path):
    provider = FakeProvider()
    next(run_batches(provider, spec(), ABC, tmp_path))
    requests = asked("b", "c", "d", "e")
    assert answered(provider, requests, tmp_path) == full(requests)
    assert [batch["keys"] for batch in provider.batches] == [list(ABC), ["key-d", "key-e"]]


def test_open_batches_without_current_requests_stay_open_and_are_logged(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    provider = FakeProvider()
    next(run_batches(provider, spec(), ABC, tmp_path))
    before = entry(tmp_path)
    polls = provider.batches[0]["polls"]
    assert answered(provider, asked("d"), tmp_path) == full(asked("d"))
    assert (
        "1 open batches contain no request of this job; they stay open until a job sends one of theirs: id-0"
        in caplog.text
    )
    assert entry(tmp_path) == before
    assert provider.batches[0]["polls"] == polls


def test_paid_answers_to_other_requests_are_kept_for_later(tmp_path):
    provider = FakeProvider(lambda number, keys, asks: ("done", [answer_line(key) for key in keys] * 2))
    next(run_batches(provider, spec(), ABC, tmp_path))
    assert answered(provider, asked("b"), tmp_path) == full(asked("b"))
    assert clean(tmp_path)
    (kept,) = (tmp_path / "unasked").iterdir()
    assert [row["key"] for row in json.loads(kept.read_text())] == ["key-a", "key-c"]
    requests = asked("c", "d")
    assert answered(provider, requests, tmp_path) == full(requests)
    assert provider.asks == {"key-a": 1, "key-b": 1, "key-c": 1, "key-d": 1}


def test_a_done_batch_with_a_leftover_entry_stays_closed(tmp_path):
    """A kill between the two steps of closing leaves the entry."""
    provider = FakeProvider()
    answers = run_batches(provider, spec(), ABC, tmp_path)
    next(answers)
    (path,) = journals(tmp_path)
    left = path.read_bytes()
    list(answers)
    path.write_bytes(left)
    requests = asked("a", "d")
    assert answered(provider, requests, tmp_path) == full(requests)
    assert provider.asks == {"key-a": 2, "key-b": 1, "key-c": 1, "key-d": 1}
    assert clean(tmp_path)


def test_an_unreadable_entry_is_an_error_with_a_remedy(tmp_path):
    next(run_batches(FakeProvider(), spec(), ABC, tmp_path))
    (path,) = journals(tmp_path)
    path.write_text(path.read_text()[:40])
    provider = FakeProvider()
    _, error = gained(provider, ABC, tmp_path)
    assert isinstance(error, StoreError)
    assert str(path) in str(error)
    assert "remove it" in str(error)
    assert provider.calls == []


def test_a_full_disk_is_an_error_before_any_submission(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    provider = FakeProvider()
    keys, error = gained(provider, ABC, tmp_path)
    assert (keys, provider.calls) == ([], [])
    assert "No space left on device" in str(error)
    monkeypatch.undo()
    assert answered(provider, ABC, tmp_path) == full(ABC)


# Transient errors


@pytest.mark.parametrize("call", ["submit", "poll", "download"])
def test_a_transient_error_of_a_call_is_retried(call, tmp_path):
    provider = FakeProvider(**{call: [RATE, RATE, None, RATE]})
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(provider.batches) == 1
    assert provider.calls.count(call) > 2


def test_a_failed_submission_that_arrived_is_not_repeated(tmp_path):
    provider = FakeProvider(submit=[RATE, LOST])
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert provider.calls[:5] == ["submit", "find", "submit", "find", "poll"]
    assert len(provider.batches) == 1


def test_a_failed_search_is_repeated_before_a_submission(tmp_path):
    provider = FakeProvider(submit=[LOST], find=[RATE, RATE])
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(provider.batches) == 1


@pytest.mark.parametrize("call", ["submit", "poll", "download"])
def test_repeated_failures_of_a_call_end_the_run_without_losing_answers(call, tmp_path):
    requests = asked(*"abcd")
    provider = FakeProvider(polls=1, **{call: [RATE] * 20})
    kept = provider.faults[call]
    _, error = gained(provider, requests, tmp_path, lines=2)
    assert "too many requests" in str(error)
    assert "run again" in str(error)
    assert provider.calls.count(call) == 8, "4 attempts for each of the 2 batches"
    kept.clear()
    assert answered(provider, requests, tmp_path, lines=2) == full(requests)
    assert set(provider.asks.values()) == {1}


def test_a_batch_missing_at_the_provider_does_not_stop_others(tmp_path):
    class Forgetful(FakeProvider):
        async def poll_batch(self, batch_id):
            if batch_id == "id-0":
                raise ProviderError("no such batch")
            return await super().poll_batch(batch_id)

    provider = Forgetful()
    keys, error = gained(provider, ABC, tmp_path, lines=2)
    assert keys == ["key-c"]
    (path,) = journals(tmp_path)
    assert f"batch id-0: no such batch; run again to resume it, or remove {path}" in str(error)
    path.unlink()
    Forgetful.poll_batch = FakeProvider.poll_batch
    rest = asked("a", "b")
    assert answered(provider, rest, tmp_path) == full(rest)


def test_a_wait_beyond_the_limit_is_an_error(tmp_path):
    provider = FakeProvider(poll=[TransientError("too many requests", "rate", 3600.0)])
    _, error = gained(provider, ABC, tmp_path)
    assert "batch id-0: too many requests; run again to resume it" in str(error)
    assert provider.calls == ["submit", "poll"]
    assert answered(provider, ABC, tmp_path) == full(ABC)


def test_a_full_disk_during_a_download_is_an_error(tmp_path):
    provider = FakeProvider(download=[OSError(28, "No space left on device")])
    _, error = gained(provider, ABC, tmp_path)
    assert isinstance(error, StoreError)
    assert "No space left on device" in str(error)
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert set(provider.asks.values()) == {1}


# Results


def test_results_may_be_in_any_order_and_the_first_duplicate_counts(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lines = [answer_line("key-c"), answer_line("key-a"), answer_line("key-a", "second"), answer_line("key-b")]
    provider = FakeProvider(lambda number, keys, asks: ("done", lines))
    assert list(answered(provider, ABC, tmp_path)) == ["key-c", "key-a", "key-b"]
    assert "batch id-0: done, 3 answered, 0 errors, 1 duplicates, 0 malformed" in caplog.text


def test_an_answer_counts_despite_an_error_for_the_same_request(tmp_path):
    lines = [error_line("key-a", "permanent"), answer_line("key-a"), error_line("key-a", "transient")]
    provider = FakeProvider(lambda number, keys, asks: ("done", lines))
    assert answered(provider, asked("a"), tmp_path) == full(asked("a"))
    (archived,) = (tmp_path / "done").iterdir()
    assert json.loads(archived.read_text())["errors"] == 0


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [answer_line("key-b")[:20]],
        ["[]"],
        ["17"],
        ["{}"],
        ['{"key": ["x"], "answer": "x"}'],
        [error_line("key-b", "transient")],
        ["", "  "],
        [answer_line("foreign-key")],
    ],
    ids=["missing", "cut", "list", "number", "empty", "key-is-a-list", "transient", "blank", "foreign"],
)
def test_only_unanswered_requests_are_submitted_again(bad, tmp_path):
    def outcome(number, keys, asks):
        return "done", [line for key in keys for line in (bad if key == "key-b" and number < 2 else [answer_line(key)])]

    provider = FakeProvider(outcome)
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert [batch["keys"] for batch in provider.batches] == [list(ABC), ["key-b"], ["key-b"]]
    assert len(set(provider.names)) == 3
    assert clean(tmp_path)


def test_a_truncated_download_is_repeated_before_any_resubmission(tmp_path):
    class Cut(FakeProvider):
        async def download_batch(self, batch_id, folder):
            paths = await super().download_batch(batch_id, folder)
            if self.calls.count("download") == 1:
                os.truncate(paths[0], paths[0].stat().st_size - 30)
            return paths

    provider = Cut()
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert provider.calls.count("download") == 2
    assert set(provider.asks.values()) == {1}


def test_unanswered_requests_are_an_error_after_all_attempts(tmp_path):
    provider = FakeProvider(
        lambda number, keys, asks: ("done", [answer_line(key) for key in keys if key not in ("key-b", "key-c")])
    )
    keys, error = gained(provider, ABC, tmp_path)
    assert keys == ["key-a"]
    assert provider.asks == {"key-a": 1, "key-b": 4, "key-c": 4}
    assert "2 requests have no answer; the first is query b after 4 rounds: its line is missing; run again" in str(
        error
    )
    assert clean(tmp_path)


def test_refused_requests_are_reported_once_at_the_end(tmp_path):
    def outcome(number, keys, asks):
        bad = {"key-b": "permanent", "key-d": "permanent", "key-c": "transient" if asks["key-c"] < 3 else "answer"}
        return "done", [error_line(key, bad[key]) if key in bad else answer_line(key) for key in keys]

    provider = FakeProvider(outcome)
    keys, error = gained(provider, asked(*"abcde"), tmp_path)
    assert sorted(keys) == ["key-a", "key-c", "key-e"]
    assert str(error) == "gpt-test: 2 requests were refused; the first is query b: permanent trouble with key-b"
    assert provider.asks == {"key-a": 1, "key-b": 1, "key-c": 3, "key-d": 1, "key-e": 1}


# Failed, expired and cancelled batches


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_failed_batch_keeps_its_answers_and_resubmits_the_rest(state, tmp_path):
    def outcome(number, keys, asks):
        return (state, [answer_line("key-a")]) if number == 0 else ("done", [answer_line(key) for key in keys])

    provider = FakeProvider(outcome)
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert [batch["keys"] for batch in provider.batches] == [list(ABC), ["key-b", "key-c"]]


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_batch_without_result_files_is_submitted_again(state, tmp_path):
    provider = FakeProvider(
        lambda number, keys, asks: ("done", [answer_line(key) for key in keys]) if number else (state, []),
        download=[ProviderError("no output file")],
    )
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(provider.batches) == 2


def test_a_done_batch_without_files_is_an_error(tmp_path):
    provider = FakeProvider(download=[ProviderError("no such file")])
    _, error = gained(provider, ABC, tmp_path)
    assert "batch id-0: no such file" in str(error)
    assert len(provider.batches) == 1


def test_a_repeatedly_failing_batch_is_an_error_with_the_providers_message(tmp_path):
    provider = FakeProvider(lambda number, keys, asks: ("failed", [], "line 1 is not valid"))
    keys, error = gained(provider, ABC, tmp_path)
    assert keys == []
    assert "3 requests have no answer; the first is query a after 4 rounds: line 1 is not valid" in str(error)
    assert provider.asks == {"key-a": 4, "key-b": 4, "key-c": 4}


def test_repeated_failures_of_all_batches_end_the_run(tmp_path):
    provider = FakeProvider(lambda number, keys, asks: ("failed", [], "line 1 is not valid"))
    keys, error = gained(provider, asked(*"abcdef"), tmp_path, lines=2)
    assert keys == []
    assert "6 requests have no answer" in str(error)
    assert max(provider.asks.values()) <= 5


def test_a_batch_refused_for_lack_of_room_waits_for_another_batch(tmp_path):
    """OpenAI refuses batches above the limit on enqueued tokens; here one batch fits at a time."""

    class Narrow(FakeProvider):
        async def submit_batch(self, file, name):
            self.full = any(batch["state"] == "done" and batch["polls"] < self.polls for batch in self.batches)
            return await super().submit_batch(file, name)

    def outcome(number, keys, asks):
        return ("failed", [], "token limit") if provider.full else ("done", [answer_line(key) for key in keys])

    requests = asked(*"abcdef")
    provider = Narrow(outcome, polls=12)
    assert answered(provider, requests, tmp_path, lines=1, attempts=2) == full(requests)


def test_a_late_refusal_for_lack_of_room_does_not_count_as_an_attempt(tmp_path):
    """The batch that took the room has ended when the engine sees the refusal."""

    class Late(FakeProvider):
        async def poll_batch(self, batch_id):
            self.polls = 30 if batch_id == "id-1" else 1
            return await super().poll_batch(batch_id)

    def outcome(number, keys, asks):
        return ("failed", [], "token limit") if number == 1 else ("done", [answer_line(key) for key in keys])

    requests = asked("a", "b")
    provider = Late(outcome)
    assert answered(provider, requests, tmp_path, lines=1, attempts=1) == full(requests)
    assert [batch["keys"] for batch in provider.batches] == [["key-a"], ["key-b"], ["key-b"]]


def test_a_cancelled_batch_is_an_error_after_its_answers(tmp_path):
    def outcome(number, keys, asks):
        return ("cancelled", [answer_line("key-a")]) if number == 0 else ("done", [answer_line(key) for key in keys])

    provider = FakeProvider(outcome)
    keys, error = gained(provider, ABC, tmp_path)
    assert keys == ["key-a"]
    assert "batch id-0 was cancelled at the provider with 2 requests unanswered; run again to submit" in str(error)
    assert len(provider.batches) == 1
    rest = asked("b", "c")
    assert answered(provider, rest, tmp_path) == full(rest)


# Money


def test_before_submit_is_called_before_each_submission(tmp_path):
    given, calls = [], []
    provider = FakeProvider(
        lambda number, keys, asks: ("done", [answer_line(key) for key in keys if key != "key-b" or number > 1])
    )

    def before_submit(requests):
        given.append(requests)
        calls.append((provider.calls.count("submit"), len(journals(tmp_path)) if tmp_path.exists() else 0))

    found = dict(
        (key, request) for key, request, _ in run_batches(provider, spec(lines=2), ABC, tmp_path, before_submit)
    )
    assert found == ABC
    assert given == [asked("a", "b"), asked("c"), asked("b")]
    assert calls[:2] == [(0, 0), (0, 1)], "called before the entry is written"


def test_a_spent_budget_stops_submissions_but_yields_paid_answers(tmp_path):
    provider = FakeProvider()
    told = []

    def before_submit(requests):
        told.append(list(requests))
        if len(told) == 2:
            raise SpendError("$1.00 of $1.00 is spent")

    keys, error = gained(provider, asked(*"abcdef"), tmp_path, before_submit, lines=2)
    assert isinstance(error, SpendError)
    assert keys == ["key-a", "key-b"]
    assert provider.asks == {"key-a": 1, "key-b": 1}
    assert len(told) == 2
    assert clean(tmp_path)


def test_a_budget_of_zero_submits_nothing(tmp_path):
    def before_submit(requests):
        raise SpendError("budget_usd is 0")

    provider = FakeProvider()
    keys, _ = gained(provider, ABC, tmp_path, before_submit)
    assert (keys, provider.calls) == ([], [])


def test_open_batches_are_resumed_with_a_spent_budget(tmp_path):
    provider = FakeProvider()
    next(run_batches(provider, spec(), ABC, tmp_path))

    def before_submit(requests):
        raise SpendError("spent")

    keys, _ = gained(provider, asked("b", "c", "d"), tmp_path, before_submit)
    assert keys == ["key-b", "key-c"]


def test_resumed_is_called_before_before_submit(tmp_path):
    provider, told = FakeProvider(), []
    next(run_batches(provider, spec(), ABC, tmp_path))
    answers = run_batches(
        provider,
        spec(),
        asked("b", "c", "d"),
        tmp_path,
        lambda requests: told.append(("new", sorted(requests))),
        lambda requests: told.append(("open", sorted(requests))),
    )
    assert sorted(key for key, _, _ in answers) == ["key-b", "key-c", "key-d"]
    assert told == [("open", ["key-b", "key-c"]), ("new", ["key-d"])]


# The event loop


def test_another_exception_than_a_provider_error_stops_the_engine(tmp_path):
    provider = FakeProvider(poll=[None, ZeroDivisionError()])
    with pytest.raises(ZeroDivisionError):
        answered(provider, ABC, tmp_path, lines=1)
    assert provider.closed
    assert answered(provider, ABC, tmp_path, lines=1) == full(ABC)
    assert len(provider.batches) == 3


def test_batch_answers_works_in_a_running_event_loop(tmp_path):
    async def consume():
        return [key async for key, _, _ in batch_answers(FakeProvider(), spec(), ABC, tmp_path)]

    assert asyncio.run(consume()) == list(ABC)


# Kills


def kill_outcome(number, keys, asks):
    """b is missing once, c fails twice, the batch with g expires once, and f has a duplicate."""
    lines = []
    for key in keys:
        if key == "key-c" and asks[key] < 3:
            lines.append(error_line(key, "transient"))
        elif not (key == "key-b" and asks[key] == 1) and not (key in ("key-g", "key-h") and asks["key-g"] == 1):
            lines += [answer_line(key)] * (1 + (key == "key-f"))
    return ("expired" if "key-g" in keys and asks["key-g"] == 1 else "done"), lines


KILL_ASKS = {**{f"key-{name}": 1 for name in "adefi"}, "key-b": 2, "key-c": 3, "key-g": 2, "key-h": 2}


def one_process(folder: Path, kill_at: int) -> bool:
    """Run the engine in a child process that SIGKILL ends at an event; return whether it ended by itself.

    Events are before and after each call of the provider, each rename or removal of a file, and each stored reply.
    """
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        assert status in (0, signal.SIGKILL), status
        return status == 0
    code = 1
    try:
        count = 0

        def event():
            nonlocal count
            count += 1
            if count == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def around(owner, name):
            original = getattr(owner, name)

            def with_events(*arguments, **options):
                event()
                result = original(*arguments, **options)
                event()
                return result

            setattr(owner, name, with_events)

        os.fsync = lambda _: None  # needed for power failures, not for kills
        around(files.os, "replace")
        around(Path, "unlink")
        store = folder / "store"
        stored = store.read_text().splitlines() if store.exists() else []
        requests = {key: request for key, request in asked(*"abcdefghi").items() if key not in stored}
        provider = FakeProvider(kill_outcome, file=folder / "provider", event=event)
        with store.open("a") as stream:
            for key, _, _ in run_batches(provider, spec(lines=3), requests, folder / "journal"):
                event()
                print(key, file=stream, flush=True)
                event()
        code = 0
    finally:
        os._exit(code)


def check_after_kills(folder):
    state = json.loads((folder / "provider").read_text())
    stored = (folder / "store").read_text().splitlines()
    assert sorted(stored) == sorted(asked(*"abcdefghi"))
    assert state["twice"] == []
    assert Counter(key for batch in state["batches"] for key in batch["keys"]) == KILL_ASKS
    # A batch stays open if its last answer was stored just before a kill.
    assert all(set(json.loads(path.read_text())["keys"]) <= set(stored) for path in journals(folder / "journal"))


def test_a_kill_at_any_moment_repeats_no_paid_request(tmp_path):
    finished, kill_at = False, 0
    while not finished:
        kill_at += 1
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        finished = one_process(folder, kill_at)
        assert one_process(folder, 0)
        check_after_kills(folder)
    assert kill_at > 100


@pytest.mark.parametrize("seed", range(20))
def test_repeated_kills_repeat_no_paid_request(seed, tmp_path):
    numbers = random.Random(seed)
    kills = 0
    while not one_process(tmp_path, numbers.randint(1, 60)):
        kills += 1
    check_after_kills(tmp_path)
    assert kills
