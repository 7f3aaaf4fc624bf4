import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Message, Reply
from synthrank.errors import DataError, StoreError
from synthrank.llms.store import manage
from synthrank.llms.store.manage import cache_info, compact_store, export_replies, import_replies
from synthrank.llms.store.store import ReplyStore, folder_of

ROOT = Path(__file__).resolve().parents[3]


def reply(name, model="gpt-4.1-mini"):
    message = Message("user", "why do bees dance")
    value = Reply(name, "why", 0, f"Because {name}.", "stop", 1000, 20, model, {"seed": 0}, (message,))
    return replace(value, key=sha256(f"{model} {name}".encode()).hexdigest(), price_usd=0.5)


@pytest.fixture
def store(tmp_path):
    for model, names in (("gpt-4.1-mini", "abc"), ("org/other", "ab")):
        with ReplyStore(folder_of(tmp_path / "store", model)) as replies:
            replies.add_all([reply(name, model) for name in names])
    return tmp_path / "store"


def test_info_shows_each_model_and_the_total(store, capsys):
    cache_info(store=store)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["model", "replies", "tokens", "in", "tokens", "out", "dollars"],
        ["gpt-4.1-mini", "3", "3,000", "60", "1.5000"],
        ["org/other", "2", "2,000", "40", "1.0000"],
        ["total", "5", "5,000", "100", "2.5000"],
    ]
    assert len({len(line) for line in lines[:4]}) == 1
    size = sum(path.stat().st_size for path in store.glob("*/*.jsonl"))
    assert lines[5] == f"{store}: {size:,} bytes in 2 segments"
    assert lines[6:] == ["duplicate replies to the same request: 0", "broken lines: 0, incomplete last lines: 0"]


def test_info_without_a_store_shows_zeros(tmp_path, capsys):
    cache_info(store=tmp_path / "absent")
    assert capsys.readouterr().out.splitlines()[1].split() == ["total", "0", "0", "0", "0.0000"]


def test_import_writes_replies_into_the_folders_of_their_models(store, tmp_path, capsys):
    file, other = tmp_path / "all.jsonl", tmp_path / "other"
    export_replies(store=store, file=file)
    assert len({json.loads(line)["key"] for line in file.read_text().splitlines()}) == 5
    import_replies(store=other, file=file)
    import_replies(store=other, file=file)
    assert capsys.readouterr().out.splitlines() == [
        f"exported 5 replies of 2 models to {file}",
        f"imported 5 replies into {other}; 0 were already there",
        f"imported 0 replies into {other}; 5 were already there",
    ]
    assert {path.name for path in other.iterdir()} == {"gpt-4.1-mini", "org--other"}
    export_replies(store=other, file=tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == file.read_bytes()


def test_export_and_import_keep_each_reply_once_and_unchanged(tmp_path, capsys):
    one, two, file, again = (tmp_path / name for name in ("one", "two", "all.jsonl", "again.jsonl"))
    with ReplyStore(one) as replies:
        replies.add_all([reply("a"), reply("b"), replace(reply("a"), text="later")])
    with ReplyStore(one) as replies:
        replies.add(replace(reply("c"), text="\ud800"))
        before = list(replies.replies())
    assert [item.text for item in before] == ["Because a.", "Because b.", "\ufffd"]
    export_replies(store=one, file=file)
    assert list(read_jsonl(file, Reply)) == before
    import_replies(store=two, file=file)
    import_replies(store=two, file=file)
    with ReplyStore(folder_of(two, "gpt-4.1-mini")) as replies:
        assert list(replies.replies()) == before
        assert replies.spent_usd() == 1.5
    export_replies(store=two, file=again)
    assert again.read_bytes() == file.read_bytes()
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"exported 3 replies of 1 models to {file}",
        f"imported 3 replies into {two}; 0 were already there",
        f"imported 0 replies into {two}; 3 were already there",
    ]


def test_import_adds_only_the_first_reply_per_missing_key(tmp_path, capsys):
    store = tmp_path / "store"
    with ReplyStore(folder_of(store, "gpt-4.1-mini")) as replies:
        replies.add(reply("a"))
    lines = [replace(reply("b"), text="one"), replace(reply("b"), text="two"), replace(reply("a"), text="three")]
    write_jsonl(tmp_path / "some.jsonl", lines)
    import_replies(store=store, file=tmp_path / "some.jsonl")
    assert capsys.readouterr().out == f"imported 1 replies into {store}; 2 were already there\n"
    with ReplyStore(folder_of(store, "gpt-4.1-mini")) as replies:
        assert {item.text for item in replies.replies()} == {"Because a.", "one"}


def test_import_of_another_file_names_the_line(tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"id": "p1"}\n')
    with pytest.raises(DataError, match=r"bad\.jsonl:1: not a Reply"):
        import_replies(store=tmp_path / "store", file=tmp_path / "bad.jsonl")


def test_a_failed_export_keeps_the_old_file(store, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "all.jsonl").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        export_replies(store=store, file=tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").read_text() == "old"


def test_export_without_a_store_names_the_remedy(tmp_path):
    with pytest.raises(StoreError, match="no such folder; give --store FOLDER or set SYNTHRANK_STORE"):
        export_replies(store=tmp_path / "absent", file=tmp_path / "all.jsonl")
    assert not (tmp_path / "all.jsonl").exists()


def test_compact_merges_within_each_model(store, capsys):
    with ReplyStore(store / "org--other") as replies:
        replies.add(reply("c", "org/other"))
    compact_store(store=store)
    assert capsys.readouterr().out.splitlines() == [
        f"{store / 'gpt-4.1-mini'}: merged 0 segments",
        f"{store / 'org--other'}: merged 2 segments",
    ]
    assert len(list(store.glob("*/*.jsonl"))) == 2


def test_info_reads_the_store_from_the_environment(store, monkeypatch, capsys):
    monkeypatch.setenv("SYNTHRANK_STORE", str(store))
    manage.main(["info"])
    assert f"{store}: " in capsys.readouterr().out


def test_a_closed_pipe_is_not_an_error(store):
    command = [sys.executable, str(ROOT / "scripts/replies.py"), "info", "--store", str(store)]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False,
                          env={"PYTHONPATH": str(ROOT / "src")})  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_runs_commands_and_prints_errors_in_one_line(store, tmp_path):
    def run(*arguments):
        command = [sys.executable, str(ROOT / "scripts/replies.py"), *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip

    assert "org/other" in run("info", "--store", store).stdout
    assert run("export", "--store", store, "--file", "all.jsonl").returncode == 0
    segment = next(store.glob("gpt*/*.jsonl"))
    segment.write_text(segment.read_text().replace('"version": 1', '"version": 9'))
    failed = run("info", "--store", store)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"error: {segment}: written by a newer synthrank")
    assert failed.stderr.count("\n") == 1
