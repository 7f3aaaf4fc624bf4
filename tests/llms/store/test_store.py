import errno
import json
import logging
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from hashlib import sha256
from pathlib import Path

import pytest

from synthrank.data.records import Message, Reply
from synthrank.errors import StoreError
from synthrank.llms.store import compact as store_merge
from synthrank.llms.store import segment_writer, segments
from synthrank.llms.store.compact import compact
from synthrank.llms.store.segments import encode
from synthrank.llms.store.store import ReplyStore, folder_of, open_store, spent_usd

SRC = str(Path(segments.__file__).parents[3])


def key(name):
    return sha256(str(name).encode()).hexdigest()


def reply(name="a", **changes):
    value = Reply(
        query_id=f"q-{name}",
        query="why do bees dance",
        sample=0,
        text=f"Bees dance {name}.",
        finish_reason="stop",
        tokens_in=10,
        tokens_out=20,
        model="gpt-4.1-mini",
        sampling={"temperature": 1.0, "seed": None},
        messages=(Message("system", "You write."), Message("user", "why do bees dance")),
        key=key(name),
        price_usd=0.25,
        time="2026-01-02T03:04:05+00:00",
        mode="live",
    )
    return replace(value, **changes)


def fill(folder, names):
    with ReplyStore(folder) as store:
        store.add_all([reply(name) for name in names])
    return only(folder)


def only(folder, pattern="*.jsonl"):
    (path,) = folder.glob(pattern)
    return path


def held(folder, names):
    with ReplyStore(folder) as store:
        return store.find(map(key, names))


def test_store_returns_every_field_of_a_reply(tmp_path):
    odd = Reply(
        query_id="q\u2028 1",
        query='a "quoted"\nquery',
        sample=3,
        text="zwei\nZeilen, naïve \u0000 \u2028 {} 🐝",
        finish_reason="blocked",
        tokens_in=11,
        tokens_out=0,
        model='models/odd "name"',
        sampling={"temperature": 0.5, "top_k": 3, "stop": "x", "seed": None},
        messages=(Message("user", ""), Message("assistant", "ß")),
        key=key("odd"),
        snapshot="gpt-4.1-mini-2025-04-14",
        tokens_cached=5,
        blocked="SAFETY",
        latency_s=1.25,
        attempts=4,
        price_usd=1.5e-07,
        time="2026-01-02T03:04:05+00:00",
        mode="batch",
        thought="Hm.",
        tokens_thought=3,
        tokens_estimated=True,
    )
    defaults = {item.name: item.default for item in fields(Reply)}
    assert all(getattr(odd, name) != default for name, default in defaults.items())
    with ReplyStore(tmp_path / "new" / "folder") as store:
        store.add(odd)
        assert store.find([odd.key, key("absent")]) == {odd.key: odd}
    with ReplyStore(tmp_path / "new" / "folder") as store:
        assert store.find([odd.key]) == {odd.key: odd}


def test_a_segment_has_json_lines_with_the_key_at_a_fixed_place(tmp_path):
    path = fill(tmp_path, "ab")
    first, *replies, last = path.read_bytes().splitlines()
    assert json.loads(first).items() >= {"format": "synthrank-replies", "version": 1}.items()
    assert [line[9:73].decode() for line in replies] == [key("a"), key("b")]
    assert [json.loads(line)["query_id"] for line in replies] == ["q-a", "q-b"]
    assert json.loads(last) == {"end": 2}


def test_reading_a_store_creates_no_file(tmp_path):
    with ReplyStore(tmp_path / "none") as store:
        assert store.find([key("a")]) == {}
        store.add_all([])
        assert (store.spent_usd(), store.summary().replies, list(store.replies())) == (0.0, 0, [])
    assert not (tmp_path / "none").exists()


def test_find_returns_the_earliest_duplicate_and_all_count_as_spent(tmp_path):
    with ReplyStore(tmp_path) as store, ReplyStore(tmp_path) as other:
        store.add(reply("x"))
        other.add(reply("a", text="paid first", time="2026-01-02T03:04:04+00:00"))
        store.add_all([reply("a", text="paid later"), reply("a", text="paid last")])
        store.add_all([reply("b", text="above"), reply("b", text="below")])
        found = store.find([key("a"), key("b")])
        summary = store.summary()
        texts = [item.text for item in store.replies()]
    assert {item.text for item in found.values()} == {"paid first", "above"}
    assert (summary.replies, summary.duplicates, summary.segments) == (3, 3, 2)
    assert sorted(texts) == ["Bees dance x.", "above", "paid first"]
    assert summary.models["gpt-4.1-mini"].usd == 6 * 0.25


def test_summary_counts_by_model(tmp_path):
    with ReplyStore(tmp_path) as store:
        store.add_all([reply("a", model="z"), reply("b", model="y", tokens_out=5, price_usd=0.5)])
    with ReplyStore(tmp_path) as store:
        store.add(reply("c", model="y"))
        summary = store.summary()
        assert store.spent_usd() == 1.0
    assert list(summary.models) == ["y", "z"]
    y = summary.models["y"]
    assert (y.replies, y.tokens_in, y.tokens_out, y.usd) == (2, 20, 25, 0.75)
    assert (summary.replies, summary.segments, summary.broken, summary.partial) == (3, 2, 0, 0)
    # The summary was read before the second segment had its end line.
    assert summary.bytes == sum(path.stat().st_size for path in tmp_path.glob("*.jsonl")) - len('{"end": 1}\n')


def test_find_returns_replies_of_a_running_writer(tmp_path):
    with ReplyStore(tmp_path) as reader, ReplyStore(tmp_path) as writer:
        assert not reader.find([key("a")])
        writer.add(reply("a"))
        assert reader.find([key("a")])
        writer.add(reply("b"))
        assert list(reader.find([key("b"), key("a")])) == [key("b"), key("a")]
        assert reader.spent_usd() == 0.5


@pytest.mark.parametrize("bad", ["", "abc", "A" * 64, key("a")[:-1] + "\n", " " * 64])
def test_a_reply_without_a_key_is_refused(tmp_path, bad):
    with ReplyStore(tmp_path) as store:
        with pytest.raises(StoreError, match="64 hexadecimal digits"):
            store.add_all([reply("a"), reply("b", key=bad)])
        with pytest.raises(StoreError, match="64 hexadecimal digits"):
            store.find([bad])
    assert not list(tmp_path.iterdir())


def test_add_refuses_invalid_numbers(tmp_path):
    with ReplyStore(tmp_path) as store:
        with pytest.raises(StoreError, match="query q-a: cannot be stored"):
            store.add(reply("a", price_usd=float("nan")))
        with pytest.raises(StoreError, match="query q-a: a token count is not a non-negative integer"):
            store.add(reply("a", tokens_out=-1))
        store.add(reply("b"))
    assert list(held(tmp_path, "ab")) == [key("b")]


def test_add_to_a_closed_store_is_refused(tmp_path):
    store = ReplyStore(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.add(reply())


def test_a_file_instead_of_a_store_folder_is_refused(tmp_path):
    path = tmp_path / "store"
    path.write_text("")
    with pytest.raises(StoreError, match="not a folder"):
        ReplyStore(path)


def test_a_store_folder_that_cannot_be_listed_is_an_error(tmp_path, monkeypatch):
    fill(tmp_path, "a")
    monkeypatch.setattr(os, "listdir", raiser(PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(StoreError, match=r"cannot be read .Permission denied.; check permissions"):
        held(tmp_path, "a")


def raiser(error):
    def fail(*_args, **_named):
        raise error

    return fail


# Several writers


def write_some(folder, name):
    with ReplyStore(folder) as store:
        for place in range(20):
            store.add(reply(f"{name}-{place}"))


def test_several_processes_write_concurrently(tmp_path):
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=write_some, args=(tmp_path, name)) for name in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    assert [job.exitcode for job in jobs] == [0] * 4
    with ReplyStore(tmp_path) as store:
        summary = store.summary()
        assert len(store.find(key(f"{name}-{place}") for name in range(4) for place in range(20))) == 80
    assert (summary.replies, summary.duplicates, summary.broken, summary.segments) == (80, 0, 0, 4)


def test_a_forked_process_writes_a_separate_segment(tmp_path):
    with ReplyStore(tmp_path) as store:
        store.add(reply("parent"))
        job = multiprocessing.get_context("fork").Process(target=store.add, args=(reply("child"),))
        job.start()
        job.join()
        store.add(reply("parent again"))
        assert len(store.find(map(key, ["parent", "child", "parent again"]))) == 3
        assert store.summary().segments == 2


WRITER = """
import sys
sys.path[:0] = [{src!r}, {tests!r}]
from pathlib import Path
from test_store import ReplyStore, reply
store = ReplyStore(Path({folder!r}))
for place in range(10**6):
    names = [f"{run}-{{place}}-{{part}}" for part in range(1 + place % 3)]
    store.add_all([reply(name, text="word " * (place % 700)) for name in names])
    sys.stdout.write("".join(name + "\\n" for name in names))
    sys.stdout.flush()
"""


def test_a_kill_loses_no_acknowledged_reply(tmp_path):
    moments, acknowledged = random.Random(5), []
    tests = os.path.dirname(__file__)
    for run in range(10):
        code = WRITER.format(src=SRC, tests=tests, folder=str(tmp_path), run=run)
        job = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        first = job.stdout.readline()
        time.sleep(moments.uniform(0, 0.15))
        job.send_signal(signal.SIGKILL)
        lines = (first + job.communicate()[0]).splitlines(keepends=True)
        acknowledged += [line.strip() for line in lines if line.endswith("\n")]
        assert first
    with ReplyStore(tmp_path) as store:
        found = store.find(map(key, acknowledged))
        summary = store.summary()
    assert found.keys() == {key(name) for name in acknowledged}
    assert (summary.broken, summary.segments, summary.duplicates) == (0, 10, 0)
    assert summary.replies >= len(acknowledged)


def test_a_reply_is_on_the_disk_before_add_returns(tmp_path, monkeypatch):
    calls, write, fsync = [], os.write, os.fsync
    monkeypatch.setattr(os, "write", lambda fd, data: calls.append("write") or write(fd, data))
    monkeypatch.setattr(os, "fsync", lambda fd: calls.append("fsync") or fsync(fd))
    with ReplyStore(tmp_path / "a" / "b") as store:
        store.add(reply("a"))
        # parents of the two new folders, the header, the folder with the new name, the reply
        assert calls == ["fsync", "fsync", "write", "fsync", "fsync", "write", "fsync"]
        calls.clear()
        store.add_all([reply(place) for place in range(50)])
        assert calls == ["write", "fsync"]


# Damage


def test_an_incomplete_last_line_is_ignored_and_counted(tmp_path):
    path = fill(tmp_path, "abc")
    whole = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == 10]
    for cut in sorted(
        {*range(0, len(whole), 37), *ends, *(place - 1 for place in ends), *(place + 1 for place in ends)}
    ):
        path.write_bytes(whole[:cut])
        with ReplyStore(tmp_path) as store:
            found, summary = store.find(map(key, "abc")), store.summary()
        complete = max(0, sum(place <= cut for place in ends[:4]) - 1)
        assert list(found) == [key(name) for name in "abc"[:complete]]
        assert (summary.replies, summary.broken) == (complete, 0)
        assert summary.partial == (cut not in (0, *ends) and cut < len(whole))


BROKEN = {
    "not JSON": b"garbage",
    "cut": b'{"key": "' + key("b").encode() + b'", "query_id": "q',
    "not a reply": b'{"key": "' + key("b").encode() + b'"}',
    "no count": json.dumps({**json.loads(encode(reply("b"))), "tokens_in": "ten"}).encode(),
    "not an object": b"[1]",
    "empty": b"",
    "not UTF-8": b"\xff\xfe",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_ignored_with_a_warning_and_counted(tmp_path, caplog, line):
    path = fill(tmp_path, "abc")
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:2], line, *lines[3:], b""]))
    with ReplyStore(tmp_path) as store:
        found, summary = store.find(map(key, "abc")), store.summary()
    assert list(found) == [key("a"), key("c")]
    assert (summary.replies, summary.broken, summary.partial) == (2, 1, 0)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith(f"{path}: ignored the line at byte {len(lines[0]) + len(lines[1]) + 2}: ")
    assert "\n" not in warning


def test_a_broken_header_loses_no_reply(tmp_path, caplog):
    path = fill(tmp_path, "ab")
    path.write_bytes(b"X" + path.read_bytes()[1:])
    assert len(held(tmp_path, "ab")) == 2
    assert "the header is invalid" in caplog.text


def test_zero_bytes_are_incomplete_at_first_and_damage_later(tmp_path):
    path = fill(tmp_path, "abc")
    whole = path.read_bytes()
    holes = whole.replace(whole.splitlines()[2][5:500], b"\0" * 495)
    path.write_bytes(holes)
    with ReplyStore(tmp_path) as store:
        assert list(store.find(map(key, "abc"))) == [key("a")]
        assert store.summary().broken == 0
        path.write_bytes(whole)
        assert len(store.find(map(key, "abc"))) == 3
    path.write_bytes(holes)
    os.utime(path, (time.time() - 3600,) * 2)
    with ReplyStore(tmp_path) as store:
        assert list(store.find(map(key, "abc"))) == [key("a"), key("c")]
        assert store.summary().broken == 1


def test_a_newer_version_is_refused(tmp_path):
    path = fill(tmp_path, "a")
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(StoreError, match=r"replies-.*newer synthrank .format 2, this one reads 1.; upgrade") as caught:
        held(tmp_path, "a")
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match="upgrade synthrank"):
        compact(tmp_path)


# A full disk


def after(calls, function, error):
    """Return ``function`` so that it works ``calls`` times, then takes half of its data once, then fails."""
    count = iter(range(10**6))

    def work(fd, *data):
        now = next(count)
        if now > calls:
            raise error
        return function(fd, *(part[: len(part) // 2] if now == calls else part for part in data))

    return work


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_an_error_and_loses_no_stored_reply(tmp_path, monkeypatch, code):
    with ReplyStore(tmp_path) as store:
        store.add(reply("a"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", after(0, os.write, OSError(code, os.strerror(code))))
            with pytest.raises(StoreError, match=r"disk mounted at /.* is full .*stored replies are safe") as caught:
                store.add_all([reply("b"), reply("c")])
            assert "\n" not in str(caught.value)
            with pytest.raises(StoreError, match="is full"):
                store.add(reply("b"))
        store.add(reply("d"))
        assert list(store.find(map(key, "abcd"))) == [key("a"), key("d")]
    with ReplyStore(tmp_path) as store:
        assert list(store.find(map(key, "abcd"))) == [key("a"), key("d")]
        assert (store.summary().broken, store.summary().partial) == (0, 0)


def test_an_incomplete_line_that_cannot_be_truncated_is_ignored(tmp_path, monkeypatch):
    with ReplyStore(tmp_path) as store:
        store.add(reply("a"))
        monkeypatch.setattr(os, "write", after(0, os.write, OSError(errno.ENOSPC, "No space left on device")))
        monkeypatch.setattr(os, "ftruncate", raiser(OSError(errno.EIO, "Input/output error")))
        with pytest.raises(StoreError, match="is full"):
            store.add(reply("b"))
        monkeypatch.undo()
        store.add(reply("c"))
        assert list(store.find(map(key, "abc"))) == [key("a"), key("c")]
        assert (store.summary().broken, store.summary().partial) == (0, 1)


def test_a_failed_fsync_starts_a_new_segment(tmp_path, monkeypatch):
    with ReplyStore(tmp_path) as store:
        store.add(reply("a"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", raiser(OSError(errno.EIO, "Input/output error")))
            with pytest.raises(StoreError, match=r"cannot be written .Input/output error.; stored replies are safe"):
                store.add(reply("b"))
        store.add(reply("c"))
        assert list(store.find(map(key, "abc"))) == [key("a"), key("c")]
        assert store.summary().segments == 2


def test_a_segment_removed_while_written_is_an_error(tmp_path):
    with ReplyStore(tmp_path) as store:
        store.add(reply("a"))
        only(tmp_path).unlink()
        with pytest.raises(StoreError, match="removed while a job was writing it"):
            store.add(reply("b"))
        store.add(reply("b"))
    assert list(held(tmp_path, "ab")) == [key("b")]


# Scans


def test_a_process_scans_each_line_once(tmp_path, monkeypatch):
    path, scanned, take = fill(tmp_path, range(300)), [], segments.Segment._take
    monkeypatch.setattr(segments.Segment, "_take", lambda self, line: scanned.append(line) or take(self, line))
    with ReplyStore(tmp_path) as reader:
        assert len(reader.find(map(key, range(300)))) == 300
        assert reader.spent_usd() == 75.0
        assert reader.summary().models["gpt-4.1-mini"].tokens_out == 6000
        assert scanned == path.read_bytes().splitlines(keepends=True)
        fill_more(tmp_path, ["x"])
        assert reader.find([key("x")])
        assert len(scanned) == 302 + 3
    assert sorted(tmp_path.glob("*.jsonl")) == sorted(tmp_path.iterdir()), "a reader writes nothing"


def test_segments_of_an_earlier_version_are_read(tmp_path):
    """Lines of earlier versions have the same fields; index files are ignored, and a merge removes them."""
    path = fill(tmp_path, "ab")
    first = b'{"key": "' + key("c").encode() + b'", "time": "2025-11-02T03:04:05+00:00", "model": "gpt-4.1-mini", '
    rest = (
        b'"finish_reason": "stop", "tokens_in": 10, "tokens_out": 20, "price_usd": 0.25, "query_id": "q-c", "query": '
        b'"why do bees dance", "sample": 0, "text": "Bees dance c.", "sampling": {"temperature": 1.0, "seed": null}, '
        b'"messages": [{"role": "user", "content": "why"}], "snapshot": "", "tokens_cached": 0, "blocked": "", '
        b'"latency_s": 0.0, "attempts": 1, "mode": "live"}\n'
    )
    old = tmp_path / "replies-20251102T030405000000-host-7-0123456789ab.jsonl"
    old.write_bytes(b'{"format": "synthrank-replies", "version": 1}\n' + first + rest + b'{"end": 1}\n')
    for segment in (path, old):
        segment.with_suffix(".index").write_bytes(b"\0\1\2\3")
    found = held(tmp_path, "abc")
    assert [item.query_id for item in found.values()] == ["q-a", "q-b", "q-c"]
    assert compact(tmp_path) == 2
    assert held(tmp_path, "abc") == found
    assert not list(tmp_path.glob("*.index"))


def test_a_line_damaged_after_the_scanned_fields_is_ignored(tmp_path, caplog):
    path = fill(tmp_path, range(300))
    path.write_bytes(path.read_bytes().replace(b'"query_id": "q-7"', b'"query_id": "q-7\x01'))
    with ReplyStore(tmp_path) as store:
        assert len(store.find(map(key, range(300)))) == 299
        assert (store.summary().replies, store.summary().broken, store.spent_usd()) == (299, 1, 75.0)
        assert len(list(store.replies())) == 299
    assert f"{path}: ignored the line at byte " in caplog.text


def test_a_duplicate_replaces_a_damaged_line(tmp_path):
    with ReplyStore(tmp_path) as store:
        store.add_all([reply("a", text="first"), reply("a", text="second")])
    path = only(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"text": "first"', b'"text": "fir\x01t"'))
    assert [item.text for item in held(tmp_path, "a").values()] == ["second"]


def test_a_segment_rewritten_while_read_returns_no_reply_to_another_request(tmp_path):
    path = fill(tmp_path, range(300))
    with ReplyStore(tmp_path) as store:
        assert store.spent_usd() == 75.0
        head, first, second, *rest = path.read_bytes().splitlines(keepends=True)
        assert len(first) == len(second)
        path.write_bytes(b"".join([head, second, first, *rest]))
        found = store.find(map(key, range(300)))
        assert all(found[key(place)].query_id == f"q-{place}" for place in range(300))
        assert store.find([key(0)]) == {}


def test_a_truncated_segment_is_read_again(tmp_path):
    """A writer truncates lines that did not fit on a full disk."""
    path = fill(tmp_path, range(300))
    with ReplyStore(tmp_path) as store:
        assert store.spent_usd() == 75.0
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:200]))
        assert (store.summary().replies, store.spent_usd()) == (199, 199 * 0.25)
        assert store.find(map(key, range(300))).keys() == {key(place) for place in range(199)}


def test_spent_usd_sums_all_models(tmp_path):
    assert spent_usd(tmp_path / "absent") == 0.0
    fill(tmp_path / "one", "ab")
    fill(tmp_path / "two", "c")
    (tmp_path / "file").touch()
    assert spent_usd(tmp_path) == 0.75
    fill_more(tmp_path / "two", "d")
    assert spent_usd(tmp_path) == 1.0


def test_open_store_returns_one_store_per_folder_and_closes_it_at_exit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_store(tmp_path / "a") is open_store(Path("a")) is not open_store(tmp_path / "b")
    code = f"""
import sys
sys.path[:0] = [{SRC!r}, {os.path.dirname(__file__)!r}]
from pathlib import Path
from test_store import open_store, reply
open_store(Path("c")).add(reply())
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert only(tmp_path / "c").read_bytes().endswith(b'\n{"end": 1}\n')


@pytest.mark.parametrize(
    ("model", "name"), [("gpt-4.1-mini", "gpt-4.1-mini"), ("org/a b", "org--a--b"), ("../x", "--x"), ("", "unnamed")]
)
def test_folder_of_stays_inside_the_store(tmp_path, model, name):
    assert folder_of(tmp_path, model) == tmp_path / name


# Merging


def test_compact_merges_small_segments_without_loss(tmp_path):
    for place in range(5):
        fill_more(tmp_path, [f"{place}-{part}" for part in range(60)])
    with ReplyStore(tmp_path) as store:
        store.add(reply("0-0", text="a duplicate"))
    names = [f"{place}-{part}" for place in range(5) for part in range(60)]
    with ReplyStore(tmp_path) as reader, ReplyStore(tmp_path) as live:
        live.add(reply("live"))
        before, summary = reader.find(map(key, names)), reader.summary()
        assert compact(tmp_path) == 6
        assert reader.find(map(key, names)) == before
        live.add(reply("live too"))
        after, found = reader.summary(), reader.find(map(key, ["live", "live too"]))
    assert len(found) == 2, "an open segment is not merged"
    assert (after.segments, after.duplicates, after.replies) == (2, 1, summary.replies + 1)
    assert after.models["gpt-4.1-mini"].usd == summary.models["gpt-4.1-mini"].usd + 0.25
    assert not (tmp_path / "merge.lock").exists()
    assert held(tmp_path, names) == before


def fill_more(folder, names):
    with ReplyStore(folder) as store:
        store.add_all([reply(name) for name in names])


def test_a_merge_killed_before_removal_counts_no_reply_twice(tmp_path, monkeypatch):
    for place in range(3):
        fill_more(tmp_path, [place])
    with monkeypatch.context() as patch:
        patch.setattr(store_merge, "_remove", lambda paths: None)
        assert compact(tmp_path) == 3
    assert len(list(tmp_path.glob("*.jsonl"))) == 4
    with ReplyStore(tmp_path) as store:
        assert (store.spent_usd(), store.summary().duplicates, store.summary().segments) == (0.75, 0, 1)
    assert compact(tmp_path) == 0
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
    assert len(held(tmp_path, range(3))) == 3


def test_compact_merges_the_old_segment_of_a_killed_job(tmp_path):
    path = fill(tmp_path, "ab")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + b'{"key": "')
    fill_more(tmp_path, "c")
    assert compact(tmp_path) == 0
    os.utime(path, (time.time() - 40 * 86400,) * 2)
    assert compact(tmp_path) == 2
    with ReplyStore(tmp_path) as store:
        assert (store.summary().replies, store.summary().broken, store.summary().partial) == (3, 0, 0)


def test_a_second_concurrent_merge_is_refused(tmp_path):
    fill(tmp_path, "a")
    (tmp_path / "merge.lock").touch()
    with pytest.raises(StoreError, match="another merge is running; if this is wrong, remove the file"):
        compact(tmp_path)
    assert compact(tmp_path / "absent") == 0


def test_segment_names_are_unique_and_start_with_the_time():
    names = {segment_writer.segment_name("20260102T030405") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("replies-20260102T030405-") and name.endswith(".jsonl") for name in names)
