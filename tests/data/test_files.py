"""Atomic files, and errors that name the line of an invalid record."""

import json
import os
import re
from dataclasses import dataclass

import pytest

from synthrank.data.files import (
    atomic_path,
    atomic_text,
    check_sha256,
    count_lines,
    json_lines,
    read_jsonl,
    sha256_of,
    text_lines,
    write_json,
    write_jsonl,
)
from synthrank.data.records import Candidate, Group, Message, Passage, Reply, Request
from synthrank.errors import ChecksumError, DataError

# sha256 of "abc", FIPS 180-2 appendix B.1
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_atomic_text_shows_the_file_only_at_the_end(tmp_path):
    path = tmp_path / "new/folder/a.txt"
    with atomic_text(path) as stream:
        stream.write("grüße\n")
        stream.flush()
        assert not path.exists()
    assert path.read_bytes() == "grüße\n".encode()
    assert [item.name for item in path.parent.iterdir()] == ["a.txt"]


def test_read_jsonl_ignores_a_byte_order_mark_in_the_first_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "p", "text": "\xef\xbb\xbfx"}\n{"id": "\xef\xbb\xbfq", "text": "y"}\n')
    # Elsewhere in a file, these bytes are the character U+FEFF.
    assert list(read_jsonl(path, Passage)) == [Passage("p", "\ufeffx"), Passage("\ufeffq", "y")]
    path.write_bytes(b'\xef\xbb\xbf\n{"id": "p", "text": "x"}\n')
    assert count_lines(path) == len(list(read_jsonl(path, Passage))) == 1


def write_half_a_file(path):
    with atomic_text(path) as stream:
        stream.write("half")
        raise KeyboardInterrupt


def write_half_a_folder(path):
    with atomic_path(path) as folder:
        folder.mkdir()
        (folder / "half").touch()
        raise KeyboardInterrupt


@pytest.mark.parametrize("before", [None, "old"])
def test_atomic_text_after_an_error_keeps_the_old_file(tmp_path, before):
    path = tmp_path / "a.txt"
    if before:
        path.write_text(before)
    with pytest.raises(KeyboardInterrupt):
        write_half_a_file(path)
    assert (path.read_text() if path.exists() else None) == before
    assert len(list(tmp_path.iterdir())) == (1 if before else 0)


def test_atomic_path_after_an_error_keeps_the_old_folder(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    with pytest.raises(KeyboardInterrupt):
        write_half_a_folder(tmp_path / "out")
    assert [item.relative_to(tmp_path).as_posix() for item in sorted(tmp_path.rglob("*"))] == ["out", "out/old"]


def test_atomic_path_replaces_an_existing_folder(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    with atomic_path(tmp_path / "out") as folder:
        folder.mkdir()
        (folder / "new").write_text("x")
        assert (tmp_path / "out/old").exists()
    assert [item.relative_to(tmp_path).as_posix() for item in sorted(tmp_path.rglob("*"))] == ["out", "out/new"]


def test_atomic_path_of_an_empty_block_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_write_jsonl_with_failing_records_writes_no_file(tmp_path):
    def records():
        yield Passage("a", "text")
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        write_jsonl(tmp_path / "p.jsonl", records())
    assert list(tmp_path.iterdir()) == []


def test_read_jsonl_returns_the_written_records(tmp_path):
    groups = [
        Group("q1", "what\u2028is", (Candidate("007", 'a "b"\n', 1.0, "human"), Candidate("NA", "", 0.5))),
        Group("q2", "ü", ()),
    ]
    assert write_jsonl(tmp_path / "g.jsonl", groups) == 2
    assert list(read_jsonl(tmp_path / "g.jsonl", Group)) == groups
    lines = (tmp_path / "g.jsonl").read_bytes().split(b"\n")
    assert len(lines) == 3, "a line separator in a text does not end the line"
    assert json.loads(lines[1]) == {"query_id": "q2", "query": "ü", "candidates": [], "relevant": []}
    reply = Reply("q", "x", 0, "t", "stop", 1, 2, "m", {"seed": 1, "top_p": None}, (Message("user", "x"),))
    write_jsonl(tmp_path / "r.jsonl", [reply])
    assert list(read_jsonl(tmp_path / "r.jsonl", Reply)) == [reply]


def test_read_jsonl_accepts_missing_defaults_and_blank_lines(tmp_path):
    (tmp_path / "p.jsonl").write_text('\n{"id": "a", "text": "t"}\n  \n{"id": "b", "text": "u", "title": "T"}')
    assert list(read_jsonl(tmp_path / "p.jsonl", Passage)) == [Passage("a", "t", ""), Passage("b", "u", "T")]


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff\n{}\n", "\ufeff{}\n\n  \n{}", "{}\n\n"])
def test_count_lines_counts_the_lines_that_json_lines_yields(tmp_path, text):
    (tmp_path / "p.jsonl").write_text(text)
    assert count_lines(tmp_path / "p.jsonl") == len(list(json_lines(tmp_path / "p.jsonl")))


@dataclass(frozen=True)
class Sample:
    name: str
    count: int = 0
    share: float = 0.0
    flag: bool = False
    note: str | None = None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"name": "a", "cuont": 1}', "not a Sample (unknown key 'cuont', keys are name, count, share, flag, note)"),
        ('{"count": 1}', "not a Sample (Sample.__init__() missing 1 required positional argument: 'name')"),
        ('{"name": 7}', "not a Sample (expected str, got 7)"),
        ('{"name": null}', "not a Sample (expected str, got None)"),
        ('{"name": "a", "count": "1"}', "not a Sample (expected int, got '1')"),
        ('{"name": "a", "count": 1.5}', "not a Sample (expected int, got 1.5)"),
        ('{"name": "a", "count": true}', "not a Sample (expected int, got True)"),
        ('{"name": "a", "share": false}', "not a Sample (expected float, got False)"),
        ('{"name": "a", "flag": 1}', "not a Sample (expected bool, got 1)"),
        ('{"name": "a", "note": 1}', "not a Sample (expected str | None, got 1)"),
        ('{"name": "a"', "not JSON (Expecting ',' delimiter); expected one object per line"),
        ("[1]", "a JSON list; expected an object"),
        ('"a"', "a JSON str; expected an object"),
    ],
)
def test_read_jsonl_names_an_invalid_line(tmp_path, line, message):
    path = tmp_path / "s.jsonl"
    path.write_text(f'{{"name": "ok", "count": 3, "share": 1, "flag": true, "note": null}}\n{line}\n')
    rows = read_jsonl(path, Sample)
    assert next(rows) == Sample("ok", 3, 1, True, None)
    with pytest.raises(DataError) as error:
        next(rows)
    assert str(error.value) == f"{path}:2: {message}"


@pytest.mark.parametrize(
    ("kind", "line", "message"),
    [
        (Group, '{"query_id": "q", "query": "x", "candidates": {}}', "expected a list, got {}"),
        (Group, '{"query_id": "q", "query": "x", "candidates": [1]}', "expected Candidate, got 1"),
        (
            Group,
            '{"query_id": "q", "query": "x", "candidates": [{"id": "a", "text": "t", "lable": 1}]}',
            "unknown key 'lable', keys are id, text, label, source",
        ),
        (Request, '{"query_id": "q", "query": "x", "messages": [], "exemplars": [1]}', "expected str, got 1"),
    ],
)
def test_read_jsonl_checks_nested_records(tmp_path, kind, line, message):
    (tmp_path / "s.jsonl").write_text(line)
    with pytest.raises(DataError, match=re.escape(message)):
        list(read_jsonl(tmp_path / "s.jsonl", kind))


def test_read_jsonl_names_a_byte_that_is_not_utf8(tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_bytes(b'{"name": "a"}\n{"name": "gr\xfc"}\n')
    with pytest.raises(DataError) as error:
        list(read_jsonl(path, Sample))
    assert str(error.value) == f"{path}:2: byte 13 of the line is not UTF-8; convert the file"


def test_json_lines_names_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read \(No such file or directory\)"):
        list(json_lines(tmp_path / "none.jsonl"))


def test_text_lines_counts_from_one_and_strips_line_ends(tmp_path):
    (tmp_path / "a").write_bytes("x\r\ny\u0085z\n\nlast".encode())
    assert list(text_lines(tmp_path / "a")) == [(1, "x"), (2, "y\u0085z"), (3, ""), (4, "last")]


def test_write_json_keeps_the_order_of_keys(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": ["ü"]})
    assert (tmp_path / "a.json").read_text() == '{\n  "b": 1,\n  "a": [\n    "ü"\n  ]\n}\n'


def test_check_sha256_names_both_checksums(tmp_path):
    (tmp_path / "a").write_text("abc")
    assert sha256_of(tmp_path / "a") == ABC
    check_sha256(tmp_path / "a", ABC, "x.yaml")
    with pytest.raises(ChecksumError) as error:
        check_sha256(tmp_path / "a", "0" * 64, "x.yaml")
    assert str(error.value) == (
        f"{tmp_path / 'a'}: sha256 is {ABC}, but x.yaml states {'0' * 64}; restore the pinned file"
    )


def test_new_files_have_the_permissions_of_the_umask(tmp_path):
    mask = os.umask(0o022)
    try:
        write_json(tmp_path / "a.json", 1)
    finally:
        os.umask(mask)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644
