"""Every writer's files are read back exactly, and damaged files are read or refused with file and line."""

import math

import pytest
import readers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthrank.data.files import write_jsonl
from synthrank.data.records import Judgment, Passage, ScoredList
from synthrank.data.trec import write_qrels, write_run
from synthrank.errors import DataError

FEW = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize(("files", "check"), readers.ROUND_TRIPS)
@FEW
@given(data=st.data())
def test_a_written_file_is_read_back_exactly(tmp_path, files, check, data):
    check(tmp_path / "file", data.draw(files))


@pytest.mark.parametrize(("content", "read"), readers.RIGHT)
@FEW
@given(edits=readers.EDITS)
def test_a_damaged_file_is_read_or_refused_with_its_line(tmp_path, content, read, edits):
    readers.check_reader(read, tmp_path / "file", content)
    readers.check_reader(read, tmp_path / "file", readers.edited(content, edits))


@pytest.mark.parametrize("name", ["", " ", "a b", "a\tb", "a\n", "\u2028", "\ud83d"])
def test_writers_refuse_ids_that_would_be_read_differently(tmp_path, name):
    path = tmp_path / "file"
    with pytest.raises(DataError, match=r"file: "):
        write_run(path, {"q": [(name, 1.0)]}, "tag")
    with pytest.raises(DataError, match=r"file: "):
        write_run(path, {name: [("p", 1.0)]}, "tag")
    with pytest.raises(DataError, match=r"file: "):
        write_qrels(path, [Judgment("q", name, 1)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "record", [Passage("p", "\ud83d"), ScoredList("q", ("p",), (math.nan,)), ScoredList("q", ("p",), (math.inf,))]
)
def test_write_jsonl_refuses_values_that_cannot_be_read(tmp_path, record):
    with pytest.raises(DataError, match=r"file: "):
        write_jsonl(tmp_path / "file", [Passage("a", "right"), record])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("grade", [101, -11, 3_000_000_000])
def test_write_qrels_refuses_a_grade_out_of_range(tmp_path, grade):
    with pytest.raises(DataError, match=r"file: .*grade="):
        write_qrels(tmp_path / "file", [Judgment("q", "p", grade)])
    assert not list(tmp_path.iterdir())
