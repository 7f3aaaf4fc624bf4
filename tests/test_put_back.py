"""The time of a file that came to its place later than its time says."""

import os
import shutil
import time

import pytest

from synthrank.put_back import renew_times


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config/prompts").mkdir(parents=True)
    (tmp_path / "config/prompts/one.md").write_text("a")
    return tmp_path / "config"


def age(path):
    return time.time() - path.stat().st_mtime


def test_a_file_that_was_put_back_is_renewed(folder):
    path = folder / "prompts/one.md"
    os.utime(path, (1, 1))
    kept = folder.parent / "kept.md"
    shutil.move(path, kept)
    shutil.move(kept, path)
    assert path.stat().st_mtime == 1
    renew_times(folder)
    assert age(path) < 60


def test_a_file_that_was_just_written_keeps_its_time(folder):
    path = folder / "prompts/one.md"
    before = path.stat().st_mtime_ns
    renew_times(folder)
    assert path.stat().st_mtime_ns == before


def test_a_renewed_file_is_renewed_once(folder):
    path = folder / "prompts/one.md"
    os.utime(path, (1, 1))
    renew_times(folder)
    renewed = path.stat().st_mtime_ns
    renew_times(folder)
    assert path.stat().st_mtime_ns == renewed


def test_a_link_counts_as_the_file_that_it_leads_to(folder):
    path = folder.parent / "elsewhere.md"
    path.write_text("a")
    before = path.stat().st_mtime_ns
    (folder / "linked.md").symlink_to(path)
    os.utime(folder / "linked.md", (1, 1), follow_symlinks=False)
    renew_times(folder)
    assert path.stat().st_mtime_ns == before, "or it would be renewed at every look"
    os.utime(path, (1, 1))
    renew_times(folder)
    assert age(path) < 60


def test_what_is_no_file_or_may_not_be_changed_is_no_error(folder, monkeypatch):
    (folder / "lost.yaml").symlink_to(folder / "nowhere.yaml")
    os.utime(folder / "prompts/one.md", (1, 1))

    def refuse(path, *args):
        raise PermissionError

    monkeypatch.setattr("synthrank.put_back.os.utime", refuse)
    renew_times(folder)
    assert (folder / "prompts/one.md").stat().st_mtime == 1
    renew_times(folder.parent / "absent")
