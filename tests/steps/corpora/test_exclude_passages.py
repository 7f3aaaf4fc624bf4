"""Step exclude_passages: list the answers of held-out queries once, sorted."""

import pytest
from held_out_case import exclude

from synthrank.data.held_out import read_excluded
from synthrank.data.records import Judgment
from synthrank.errors import DataError


def test_exclude_passages_lists_answers_of_all_splits_once_and_sorted(tmp_path):
    dev = [Judgment("d1", "p10", 1), Judgment("d1", "p0", 0), Judgment("d2", "p9", 3)]
    test = [Judgment("t1", "p9", 1), Judgment("t1", "ü", 2), Judgment("t2", "NA", 1), Judgment("t3", "p1", -1)]
    more = [Judgment("v1", f"x{number}", 1) for number in range(20)]
    path = exclude(tmp_path, dev, test, more)
    names = ["NA", "p10", "p9", *sorted(f"x{number}" for number in range(20)), "ü"]
    assert path.read_text(encoding="utf-8") == "".join(f"{name}\n" for name in names)
    assert read_excluded(path) == set(names)


@pytest.mark.parametrize("splits", [[], [[]], [[Judgment("t", "p1", 0)]]])
def test_exclude_passages_without_held_out_answers_writes_an_empty_file(tmp_path, splits):
    path = exclude(tmp_path, *splits)
    assert path.read_bytes() == b""
    assert read_excluded(path) == set()


def test_read_excluded_refuses_a_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"excluded\.txt: cannot be read"):
        read_excluded(tmp_path / "excluded.txt")
