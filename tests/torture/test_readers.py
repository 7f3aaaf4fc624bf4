"""Many inputs for the properties that ``tests/data/test_round_trips.py`` checks with a few."""

import time
from itertools import count

import hypothesis
import pytest
import readers

pytestmark = pytest.mark.torture

MANY = hypothesis.settings(max_examples=500, deadline=None, database=None)


def check_many(strategy, check, seed, seconds, tried):
    """Check the examples of a strategy, with one seed of hypothesis per 500 examples, until the time is over."""
    end = time.monotonic() + seconds

    def check_one(value):
        tried.add()
        check(value)

    for number in count(seed):
        hypothesis.seed(number)(MANY(hypothesis.given(strategy)(check_one)))()
        if time.monotonic() > end:
            break


@pytest.mark.parametrize(("files", "check"), readers.ROUND_TRIPS)
def test_a_written_file_is_read_back_exactly(tmp_path, files, check, seed, seconds, tried):
    """Random runs, qrels, JSON lines and score files are written and read."""
    check_many(files, lambda written: check(tmp_path / "file", written), seed, seconds, tried)


@pytest.mark.parametrize(("content", "read"), readers.RIGHT)
def test_a_damaged_file_is_read_or_refused_with_its_line(tmp_path, content, read, seed, seconds, tried):
    """Bytes of runs, qrels, JSON lines, score files, YAML, prompts and archives are replaced."""
    check_many(
        readers.EDITS,
        lambda edits: readers.check_reader(read, tmp_path / "file", readers.edited(content, edits)),
        *(seed, seconds, tried),
    )
