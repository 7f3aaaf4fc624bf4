"""Hashes of files and folders depend on names and contents only."""

import os
import shutil
from pathlib import Path

import pytest

from synthrank.runtime import content_hash
from synthrank.runtime.content_hash import ContentHashes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "sub").mkdir(parents=True)
    (made / "a.bin").write_bytes(b"weights")
    (made / "sub/b.json").write_text("{}")
    return made


@pytest.mark.parametrize("kept_bytes", [0, 1_000_000])
def test_hash_of_a_folder_is_the_hash_of_its_copy_until_a_byte_or_a_name_changes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_bytes: int
) -> None:
    monkeypatch.setattr(content_hash, "KEPT_BYTES", kept_bytes)
    hashes = ContentHashes(tmp_path / "kept.json")
    first, times = hashes.of(folder), (folder / "a.bin").stat()
    copy = Path(shutil.copytree(folder, tmp_path / "elsewhere", copy_function=shutil.copyfile))
    (copy / ".snakemake_timestamp").touch()
    (copy / "broken").symlink_to("nowhere")
    assert hashes.of(copy) == first
    (folder / "a.bin").write_bytes(b"Weights")
    os.utime(folder / "a.bin", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert hashes.of(folder) != first, "a change with the old size and the old time"
    (copy / "a.bin").rename(copy / "c.bin")
    assert hashes.of(copy) != first


def test_hashes_of_large_files_are_kept_for_other_processes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_hash, "KEPT_BYTES", 0)
    first = ContentHashes(tmp_path / "kept.json").of(folder)
    monkeypatch.delattr(content_hash.hashlib, "file_digest")
    assert ContentHashes(tmp_path / "kept.json").of(folder) == first


@pytest.mark.parametrize("damage", ["", "[1]", "{", "\x00"])
def test_damaged_file_of_hashes_costs_only_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(content_hash, "KEPT_BYTES", 0)
    (tmp_path / "kept.json").write_text(damage)
    assert ContentHashes(tmp_path / "kept.json").of(folder) == ContentHashes(tmp_path / "other.json").of(folder)
