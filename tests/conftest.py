"""What several tests share: the committed configuration, and torch on one thread."""

import os
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from synthrank.specs.base import read_yaml
from synthrank.study import Study

ROOT = Path(__file__).resolve().parents[1]
# A toy's index is searched in less time than Java takes to compile the search well; rankings are the same.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


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
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a toy experiment that ran."""
    from toy_experiment import TABLES, make_toy, snakemake

    folder = make_toy(tmp_path_factory.mktemp("toy") / "one")
    snakemake(folder, "--cores", "2", "--", *TABLES)
    return folder


@pytest.fixture
def edited(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of the finished experiment that a test may change; times are kept."""
    return Path(shutil.copytree(finished, tmp_path / "copy", symlinks=True))
