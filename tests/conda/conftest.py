"""A `conda` for the tests and its environments, which have gigabytes and are removed at the end."""

import importlib.util
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conda.channel import build_channel

STAND_IN = Path(__file__).with_name("stand_in.py")
ACTIVATE = """\
# Sourced as `source activate PREFIX`. Variables that it does not set come from the environment of the tests.
export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"
unset PYTHONHOME VIRTUAL_ENV
"""


@pytest.fixture(scope="session")
def conda() -> Iterator[Path]:
    """Put a `conda` on the PATH and return the folder of environments; SYNTHRANK_CONDA_TESTS names a folder to keep."""
    if not importlib.util.find_spec("rattler"):
        pytest.skip("py-rattler not installed: `make conda-test` installs it")
    if (sys.platform, sys.version_info[:2]) != ("linux", (3, 11)):
        pytest.skip("the channel is made of the interpreter that runs the tests: Python 3.11 on Linux is needed")
    kept = os.environ.get("SYNTHRANK_CONDA_TESTS")
    folder = Path(kept).resolve() if kept else Path(tempfile.mkdtemp(prefix="conda-"))
    try:
        if not (folder / "channels").is_dir():
            build_channel(folder / "channels")
        binaries = folder / "base" / "bin"
        binaries.mkdir(parents=True, exist_ok=True)
        command = binaries / "conda"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{STAND_IN}" "$@"\n')
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        (binaries / "activate").write_text(ACTIVATE)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(binaries), prepend=os.pathsep)
            patch.setenv("CONDA_STAND_IN", str(folder / "base"))
            patch.setenv("CONDA_CHANNELS", str(folder / "channels"))
            patch.setenv("CONDA_PKGS_DIRS", str(folder / "packages"))
            patch.setenv("PIP_NO_COMPILE", "1")  # most installed modules are never imported
            patch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            yield folder / "environments"
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)
