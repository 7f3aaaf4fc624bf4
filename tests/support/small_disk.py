"""Disks for tests: one of a few kilobytes, and one that becomes read-only."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path]:
    """Mount a disk of ``kib`` kilobytes at the new folder ``folder``; skip the test if mounting fails."""
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("a small disk is mounted by root, on Linux")
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read-only, for root too, except files that are open; skip the test if mounting fails."""
    for options in (("--bind", str(folder)), ("-o", "remount,bind,ro")):
        mounted = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"a folder cannot be mounted read-only: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
