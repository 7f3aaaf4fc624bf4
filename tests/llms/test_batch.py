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

from synthrank import files
from synthrank.errors import ProviderError, SpendError, StoreError, TransientError
from synthrank.llms.batch import batch_answers, run_batches
from synthrank.records import Message, Request

RATE = TransientError("too many requests", "rate", 0.0)
LOST = ("late", TransientError("connection reset", "connection"))
ABC = asked("a", "b", "c")


def answered(provider, requests, folder, **settings):
    """Return the text of every answer by key, checked: each once, with its own request."""
    texts = {}
    for key, request, answer in run_batches(provider, spec(**settings), requests, folder):
        assert key not in texts
        assert request == requests[key]
        texts[key] = answer.text
    return texts


def gained(provider, requests, folder, before_submit=None, **settings):
    """Return the keys that were answered, and the error that ended it."""
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
    """Whether nothing but what is done is left, half-written files included."""
    return {path.name for path in folder.iterdir()} <= {"done", "unasked"}


# What is submitted


def test_all_requests_go_in_one_batch_and_come_back(tmp_path):
    provider = FakeProvider()
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert [batch["keys"] for batch in provider.batches] == [list(ABC)]
    assert provider.calls == ["submit", "poll", "poll", "download"]
    assert clean(tmp_path)
    assert provider.closed


def test_nothing_is_asked_for_no_requests(tmp_path):
    provider = FakeProvider()
    assert answered(provider, {}, tmp_path) == {}
    assert provider.calls == []


def test_batches_keep_to_the_limit_on_lines_and_run_at_once(tmp_path):
    provider = FakeProvider(polls=9)
    requests = asked(*"abcdefg")
    assert answered(provider, requests, tmp_path, lines=3) == full(requests)
    assert [len(batch["keys"]) for batch in provider.batches] == [3, 3, 1]
    assert "".join(key[-1] for batch in provider.batches for key in batch["keys"]) == "abcdefg"
    assert provider.calls.index("download") > max(
        place for place, call in enumerate(provider.calls) if call == "submit"
    )


def test_batches_keep_to_the_limit_on_bytes_as_utf_8(tmp_path):
    provider = FakeProvider()
    text = "ß" * 150_000  # 300,000 bytes; the three lines of a batch leave 99,9xx of the megabyte
    requests = {f"k{n}": Request(f"q{n}", "", (Message("user", text),)) for n in range(7)}
    assert answered(provider, requests, tmp_path, megabytes=1) == full(requests)
    assert [len(batch["keys"]) for batch in provider.batches] == [3, 3, 1]
    assert all(900_000 < batch["bytes"] <= 1_000_000 for batch in provider.batches[:2])


def test_a_line_that_is_too_large_for_a_batch_is_named_before_anything_is_submitted(tmp_path):
    provider = FakeProvider()
    large = {"k": Request("q-large", "", (Message("user", "x" * 1_000_000),))}
    keys, error = gained(provider, {**ABC, **large}, tmp_path, megabytes=1)
    assert (keys, provider.calls) == ([], [])
    assert "query q-large" in str(error)
    assert "1000000" in str(error)


def test_the_name_of_a_batch_is_that_of_its_keys(tmp_path):
    names = []
    for folder, requests in [("1", ABC), ("2", dict(reversed(ABC.items()))), ("3", asked("a", "b"))]:
        provider = FakeProvider()
        answered(provider, requests, tmp_path / folder)
        names += provider.names
    assert names[0] == names[1] != names[2]


def test_the_same_requests_asked_again_after_all_have_a_new_name(tmp_path):
    """The provider would find the old batch under the old name."""
    provider = FakeProvider()
    for _ in range(3):
        assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(set(provider.names)) == 3


# What is written down, and when


def test_a_batch_is_written_down_before_it_is_submitted_and_named_right_after(tmp_path):
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


def test_a_batch_is_open_until_the_last_answer_was_taken(tmp_path):
    answers = run_batches(FakeProvider(), spec(), ABC, tmp_path)
    for _ in ABC:
        next(answers)
        assert entry(tmp_path)["state"] == "submitted"
    assert next(answers, None) is None
    assert clean(tmp_path)


def test_what_is_done_is_told_in_the_archive(tmp_path):
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


# Going on after an end


def test_a_consumer_that_stops_leaves_a_batch_that_is_taken_later(tmp_path):
    provider = FakeProvider()
    answers = run_batches(provider, spec(lines=2), ABC, tmp_path)
    first, _, _ = next(answers)
    answers.close()
    assert provider.closed
    rest = {key: request for key, request in ABC.items() if key != first}
    assert answered(provider, rest, tmp_path, lines=2) == full(rest)
    assert len(provider.batches) == 2
    assert provider.calls.count("find") == 0


def test_an_intended_batch_that_the_provider_knows_is_not_submitted_again(tmp_path):
    provider = FakeProvider(submit=[("late", ZeroDivisionError())])
    with pytest.raises(ZeroDivisionError):
        answered(provider, ABC, tmp_path)
    assert entry(tmp_path)["state"] == "intended"
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(provider.batches) == 1
    assert provider.calls.count("find") == 1


def test_an_intended_batch_that_the_provider_does_not_know_is_submitted(tmp_path):
    provider = FakeProvider(submit=[ProviderError("unknown model")])
    keys, error = gained(provider, ABC, tmp_path)
    assert keys == []
    assert "gpt-test: 3 requests were not submitted: unknown model; run again" in str(error)
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert provider.calls[:3] == ["submit", "find", "submit"]
    assert clean(tmp_path)


def test_requests_of_an_intended_batch_that_are_asked_no_more_are_not_submitted(tmp_path):
    provider = FakeProvider(submit=[ProviderError("unknown model")])
    gained(provider, ABC, tmp_path)
    requests = asked("b", "d")
    assert answered(provider, requests, tmp_path) == full(requests)
    assert provider.asks == {"key-b": 1, "key-d": 1}
    assert clean(tmp_path)


def test_while_it_is_unknown_whether_a_batch_was_submitted_it_is_not(tmp_path):
    provider = FakeProvider(submit=[ProviderError("unknown model")], find=[RATE] * 4)
    gained(provider, ABC, tmp_path)
    keys, error = gained(provider, {**ABC, **asked("d")}, tmp_path)
    assert keys == ["key-d"]
    assert "whether batch" in str(error)
    assert provider.asks == {"key-d": 1}
    assert answered(provider, ABC, tmp_path) == full(ABC)


def test_new_requests_beside_an_open_batch_form_their_own(tmp_path):
    provider = FakeProvider()
    next(run_batches(provider, spec(), ABC, tmp_path))
    requests = asked("b", "c", "d", "e")
    assert answered(provider, requests, tmp_path) == full(requests)
    assert [batch["keys"] for batch in provider.batches] == [list(ABC), ["key-d", "key-e"]]


def test_open_batches_that_nobody_asks_for_are_left_alone_and_told(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    provider = FakeProvider()
    next(run_batches(provider, spec(), ABC, tmp_path))
    before = entry(tmp_path)
    polls = provider.batches[0]["polls"]
    assert answered(provider, asked("d"), tmp_path) == full(asked("d"))
    assert "1 open batches hold none of these requests; left alone until one is asked again: id-0" in caplog.text
    assert entry(tmp_path) == before
    assert provider.batches[0]["polls"] == polls


def test_paid_answers_that_were_not_asked_for_are_kept_until_they_are(tmp_path):
    provider = FakeProvider(lambda number, keys, asks: ("done", [answer_line(key) for key in keys] * 2))
    next(run_batches(provider, spec(), ABC, tmp_path))
    assert answered(provider, asked("b"), tmp_path) == full(asked("b"))
    assert clean(tmp_path)
    (kept,) = (tmp_path / "unasked").iterdir()
    assert [row["key"] for row in json.loads(kept.read_text())] == ["key-a", "key-c"]
    requests = asked("c", "d")
    assert answered(provider, requests, tmp_path) == full(requests)
    assert provider.asks == {"key-a": 1, "key-b": 1, "key-c": 1, "key-d": 1}


def test_a_batch_that_is_done_is_not_opened_again_where_its_entry_was_left(tmp_path):
    """As by a kill between the two steps of closing it."""
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


def test_an_entry_that_cannot_be_read_is_an_error_with_its_remedy(tmp_path):
    next(run_batches(FakeProvider(), spec(), ABC, tmp_path))
    (path,) = journals(tmp_path)
    path.write_text(path.read_text()[:40])
    provider = FakeProvider()
    _, error = gained(provider, ABC, tmp_path)
    assert isinstance(error, StoreError)
    assert str(path) in str(error)
    assert "remove it" in str(error)
    assert provider.calls == []


def test_a_disk_that_is_full_is_one_line_and_nothing_is_submitted(tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    provider = FakeProvider()
    keys, error = gained(provider, ABC, tmp_path)
    assert (keys, provider.calls) == ([], [])
    assert "No space left on device" in str(error)
    monkeypatch.undo()
    assert answered(provider, ABC, tmp_path) == full(ABC)


# Troubles that pass


@pytest.mark.parametrize("call", ["submit", "poll", "download"])
def test_a_call_that_fails_for_now_is_repeated(call, tmp_path):
    provider = FakeProvider(**{call: [RATE, RATE, None, RATE]})
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(provider.batches) == 1
    assert provider.calls.count(call) > 2


def test_a_submission_that_arrived_although_it_failed_is_not_repeated(tmp_path):
    provider = FakeProvider(submit=[RATE, LOST])
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert provider.calls[:5] == ["submit", "find", "submit", "find", "poll"]
    assert len(provider.batches) == 1


def test_a_search_that_fails_is_repeated_before_a_submission(tmp_path):
    provider = FakeProvider(submit=[LOST], find=[RATE, RATE])
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert len(provider.batches) == 1


@pytest.mark.parametrize("call", ["submit", "poll", "download"])
def test_a_call_that_keeps_failing_ends_its_batch_only_and_loses_nothing(call, tmp_path):
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


def test_a_batch_that_the_provider_lost_does_not_stop_the_others(tmp_path):
    class Forgetful(FakeProvider):
        async def poll_batch(self, batch_id):
            if batch_id == "id-0":
                raise ProviderError("no such batch")
            return await super().poll_batch(batch_id)

    provider = Forgetful()
    keys, error = gained(provider, ABC, tmp_path, lines=2)
    assert keys == ["key-c"]
    (path,) = journals(tmp_path)
    assert f"batch id-0: no such batch; run again to go on with it, or remove {path}" in str(error)
    path.unlink()
    Forgetful.poll_batch = FakeProvider.poll_batch
    rest = asked("a", "b")
    assert answered(provider, rest, tmp_path) == full(rest)


def test_a_wait_beyond_the_limit_is_not_done(tmp_path):
    provider = FakeProvider(poll=[TransientError("too many requests", "rate", 3600.0)])
    _, error = gained(provider, ABC, tmp_path)
    assert "batch id-0: too many requests; run again to go on with it" in str(error)
    assert provider.calls == ["submit", "poll"]
    assert answered(provider, ABC, tmp_path) == full(ABC)


def test_a_disk_that_fills_up_during_a_download_is_one_line(tmp_path):
    provider = FakeProvider(download=[OSError(28, "No space left on device")])
    _, error = gained(provider, ABC, tmp_path)
    assert isinstance(error, StoreError)
    assert "No space left on device" in str(error)
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert set(provider.asks.values()) == {1}


# What results hold


def test_results_in_another_order_with_duplicates_the_first_of_which_counts(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lines = [answer_line("key-c"), answer_line("key-a"), answer_line("key-a", "second"), answer_line("key-b")]
    provider = FakeProvider(lambda number, keys, asks: ("done", lines))
    assert list(answered(provider, ABC, tmp_path)) == ["key-c", "key-a", "key-b"]
    assert "batch id-0: done, 3 answered, 0 errors, 1 duplicates, 0 malformed" in caplog.text


def test_an_answer_beside_an_error_to_the_same_request_is_taken(tmp_path):
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
        [answer_line("key-of-somebody-else")],
    ],
    ids=["missing", "cut", "list", "number", "empty", "key-is-a-list", "transient", "blank", "foreign"],
)
def test_what_is_missing_is_submitted_again_alone(bad, tmp_path):
    def outcome(number, keys, asks):
        return "done", [line for key in keys for line in (bad if key == "key-b" and number < 2 else [answer_line(key)])]

    provider = FakeProvider(outcome)
    assert answered(provider, ABC, tmp_path) == full(ABC)
    assert [batch["keys"] for batch in provider.batches] == [list(ABC), ["key-b"], ["key-b"]]
    assert len(set(provider.names)) == 3
    assert clean(tmp_path)


def test_a_download_that_was_cut_is_repeated_before_anything_is_paid_again(tmp_path):
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


def test_what_stays_missing_is_given_up_after_the_attempts(tmp_path):
    provider = FakeProvider(
        lambda number, keys, asks: ("done", [answer_line(key) for key in keys if key not in ("key-b", "key-c")])
    )
    keys, error = gained(provider, ABC, tmp_path)
    assert keys == ["key-a"]
    assert provider.asks == {"key-a": 1, "key-b": 4, "key-c": 4}
    assert "2 requests unanswered, the first query b after 4 rounds: its line is missing; run again" in str(error)
    assert clean(tmp_path)


def test_what_is_refused_for_good_is_told_once_at_the_end(tmp_path):
    def outcome(number, keys, asks):
        bad = {"key-b": "permanent", "key-d": "permanent", "key-c": "transient" if asks["key-c"] < 3 else "answer"}
        return "done", [error_line(key, bad[key]) if key in bad else answer_line(key) for key in keys]

    provider = FakeProvider(outcome)
    keys, error = gained(provider, asked(*"abcde"), tmp_path)
    assert sorted(keys) == ["key-a", "key-c", "key-e"]
    assert str(error) == "gpt-test: 2 requests refused for good, the first query b: permanent trouble with key-b"
    assert provider.asks == {"key-a": 1, "key-b": 1, "key-c": 3, "key-d": 1, "key-e": 1}


# Batches that do not end well


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_what_an_unlucky_batch_has_is_taken_and_the_rest_submitted_again(state, tmp_path):
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


def test_a_done_batch_whose_files_are_gone_is_an_error(tmp_path):
    provider = FakeProvider(download=[ProviderError("no such file")])
    _, error = gained(provider, ABC, tmp_path)
    assert "batch id-0: no such file" in str(error)
    assert len(provider.batches) == 1


def test_a_batch_that_keeps_failing_ends_with_the_providers_words(tmp_path):
    provider = FakeProvider(lambda number, keys, asks: ("failed", [], "line 1 is not valid"))
    keys, error = gained(provider, ABC, tmp_path)
    assert keys == []
    assert "3 requests unanswered, the first query a after 4 rounds: line 1 is not valid" in str(error)
    assert provider.asks == {"key-a": 4, "key-b": 4, "key-c": 4}


def test_batches_that_all_keep_failing_end(tmp_path):
    provider = FakeProvider(lambda number, keys, asks: ("failed", [], "line 1 is not valid"))
    keys, error = gained(provider, asked(*"abcdef"), tmp_path, lines=2)
    assert keys == []
    assert "6 requests unanswered" in str(error)
    assert max(provider.asks.values()) <= 5


def test_a_batch_refused_because_others_run_waits_for_one_of_them(tmp_path):
    """As OpenAI does over the limit on enqueued tokens: here one batch fits at a time."""

    class Narrow(FakeProvider):
        async def submit_batch(self, file, name):
            self.full = any(batch["state"] == "done" and batch["polls"] < self.polls for batch in self.batches)
            return await super().submit_batch(file, name)

    def outcome(number, keys, asks):
        return ("failed", [], "token limit") if provider.full else ("done", [answer_line(key) for key in keys])

    requests = asked(*"abcdef")
    provider = Narrow(outcome, polls=12)
    assert answered(provider, requests, tmp_path, lines=1, attempts=2) == full(requests)


def test_a_batch_whose_refusal_comes_late_is_not_counted_as_tried(tmp_path):
    """The batch that left it no room has ended by the time that the refusal is seen."""

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


def test_a_cancelled_batch_is_an_error_after_what_it_has(tmp_path):
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


def test_the_budget_is_asked_before_each_submission(tmp_path):
    told, calls = [], []
    provider = FakeProvider(
        lambda number, keys, asks: ("done", [answer_line(key) for key in keys if key != "key-b" or number > 1])
    )

    def before_submit(requests):
        told.append(requests)
        calls.append((provider.calls.count("submit"), len(journals(tmp_path)) if tmp_path.exists() else 0))

    found = dict(
        (key, request) for key, request, _ in run_batches(provider, spec(lines=2), ABC, tmp_path, before_submit)
    )
    assert found == ABC
    assert told == [asked("a", "b"), asked("c"), asked("b")]
    assert calls[:2] == [(0, 0), (0, 1)], "before it is written down, too"


def test_a_budget_that_is_spent_stops_submissions_and_takes_what_is_paid(tmp_path):
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


def test_open_batches_are_taken_whatever_the_budget(tmp_path):
    provider = FakeProvider()
    next(run_batches(provider, spec(), ABC, tmp_path))

    def before_submit(requests):
        raise SpendError("spent")

    keys, _ = gained(provider, asked("b", "c", "d"), tmp_path, before_submit)
    assert keys == ["key-b", "key-c"]


def test_what_open_batches_hold_is_told_before_anything_is_submitted(tmp_path):
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


# The loop


def test_an_error_that_is_no_providers_ends_everything_at_once(tmp_path):
    provider = FakeProvider(poll=[None, ZeroDivisionError()])
    with pytest.raises(ZeroDivisionError):
        answered(provider, ABC, tmp_path, lines=1)
    assert provider.closed
    assert answered(provider, ABC, tmp_path, lines=1) == full(ABC)
    assert len(provider.batches) == 3


def test_the_answers_can_be_had_on_a_loop_that_runs(tmp_path):
    async def consume():
        return [key async for key, _, _ in batch_answers(FakeProvider(), spec(), ABC, tmp_path)]

    assert asyncio.run(consume()) == list(ABC)


# Kills


def kill_outcome(number, keys, asks):
    """First b is missing and c fails for now, twice; the batch that holds g expires the first time; f is doubled."""
    lines = []
    for key in keys:
        if key == "key-c" and asks[key] < 3:
            lines.append(error_line(key, "transient"))
        elif not (key == "key-b" and asks[key] == 1) and not (key in ("key-g", "key-h") and asks["key-g"] == 1):
            lines += [answer_line(key)] * (1 + (key == "key-f"))
    return ("expired" if "key-g" in keys and asks["key-g"] == 1 else "done"), lines


KILL_ASKS = {**{f"key-{name}": 1 for name in "adefi"}, "key-b": 2, "key-c": 3, "key-g": 2, "key-h": 2}


def one_process(folder: Path, kill_at: int) -> bool:
    """Run the engine in a process of its own that SIGKILL ends at an event; return whether it came to its end.

    Events are before and after each of: a call of the provider's, a file getting or losing its name, a reply stored.
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

        os.fsync = lambda _: None  # A kill does not need it; a power failure does.
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
    # A batch may be left open whose last answer was stored just before a kill: nothing asks for it any more.
    assert all(set(json.loads(path.read_text())["keys"]) <= set(stored) for path in journals(folder / "journal"))


def test_a_kill_at_any_moment_costs_nothing(tmp_path):
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
def test_kill_after_kill_costs_nothing(seed, tmp_path):
    numbers = random.Random(seed)
    kills = 0
    while not one_process(tmp_path, numbers.randint(1, 60)):
        kills += 1
    check_after_kills(tmp_path)
    assert kills
