"""Step fetch_archives, and corpora from the documentation in source distributions."""

import io
import tarfile
from functools import cache
from pathlib import Path

import pytest

from synthrank.data.files import read_jsonl, sha256_of
from synthrank.data.records import Passage, Query
from synthrank.data.sources import documentation
from synthrank.data.trec import read_qrels
from synthrank.errors import ChecksumError, ConfigError, DataError
from synthrank.steps.corpora.build_passages import build_passages
from synthrank.steps.corpora.build_queries import build_queries
from synthrank.steps.corpora.fetch_archives import fetch_archives

CONFIG = Path(__file__).parents[3] / "config/corpora"
SPEC = """\
source: faq
archives:
  - {{package: demo, version: "1.0", sha256: {sha256}, docs: [docs/*.rst], faq: ["{faq}"]}}
splits: {{test: 1.0}}
"""


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with tarfile.open(tmp_path / "demo-1.0.tar.gz", "w:gz") as tar:
        for name in ("demo-1.0/docs/faq.rst", "demo-1.0/docs/guide.rst", "demo-1.0/setup.py"):
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    return tmp_path


def spec(demo: Path, faq: str = "docs/faq.rst", sha256: str = "") -> Path:
    path = demo / "demo.yaml"
    path.write_text(SPEC.format(faq=faq, sha256=sha256 or sha256_of(demo / "demo-1.0.tar.gz")))
    return path


def test_fetch_archives_unpacks_only_documentation_into_package_folders(demo: Path) -> None:
    fetch_archives(spec=spec(demo), archives=demo / "out")
    files = sorted(path.relative_to(demo / "out").as_posix() for path in (demo / "out").rglob("*") if path.is_file())
    assert files == ["demo/docs/faq.rst", "demo/docs/guide.rst"]


def test_fetch_archives_leaves_no_files_if_an_archive_is_wrong(demo: Path) -> None:
    with pytest.raises(DataError, match=r"demo-1\.0\.tar\.gz: no member matches '\*/doc/faq\.rst'; the archive"):
        fetch_archives(spec=spec(demo, faq="doc/faq.rst"), archives=demo / "out")
    with pytest.raises(ChecksumError, match=r"^demo==1\.0: none of its 1 files has the pinned sha256 a{64}"):
        fetch_archives(spec=spec(demo, sha256="a" * 64), archives=demo / "out")
    assert not (demo / "out").exists()


def test_fetch_archives_refuses_a_corpus_without_archives(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_text("source: beir\nfolder: toy\nsplits: {test: qrels/test.tsv}\n")
    with pytest.raises(
        ConfigError, match=r"toy\.yaml: source: 'beir' has no archives to fetch; expected 'faq' or 'headings'$"
    ):
        fetch_archives(spec=path, archives=tmp_path / "out")


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the pages of an archive only once per test, because docutils takes seconds."""
    pages = cache(documentation.read_pages)
    monkeypatch.setattr(documentation, "read_pages", lambda folder, names: pages(folder, tuple(names)))


@pytest.mark.network
@pytest.mark.usefixtures("read_once")
@pytest.mark.parametrize(
    ("name", "splits", "first", "last"),
    [
        (
            "python-faq",
            {"train": 52, "test": 36},
            "django/faq/admin#i-can-t-log-in-when-i-enter-a-valid-username-and-password-it-just-brings-up-the",
            "pyinstaller/usage#cygwin-based-frozen-applications-and-cygwin1-dll-2",
        ),
        (
            "sqlalchemy",
            {"test": 20},
            "sqlalchemy/faq/connections#how-do-i-pool-database-connections-are-my-connections-pooled",
            "sqlalchemy/tutorial/metadata#declaring-mapped-classes",
        ),
        (
            "celery",
            {"test": 20},
            "celery/faq#what-kinds-of-things-should-i-use-celery-for",
            "celery/userguide/workers#autoscaling",
        ),
        ("lxml", {"test": 20}, "lxml/faq#is-there-a-tutorial", "lxml/xpathxslt#errors-and-messages"),
        (
            "cython",
            {"test": 20},
            "cython/userguide/faq#can-cython-generate-c-code-for-classes",
            "cython/userguide/wrapping-cplusplus#auto-keyword",
        ),
    ],
    ids=["python-faq", "sqlalchemy", "celery", "lxml", "cython"],
)
def test_pinned_documentation_gives_known_corpora(
    name: str, splits: dict[str, int], first: str, last: str, tmp_path: Path
) -> None:
    entity, archives, passages = CONFIG / f"{name}.yaml", tmp_path / "archives", tmp_path / "passages.jsonl"
    fetch_archives(spec=entity, archives=archives)
    build_passages(spec=entity, passages=passages, stats=tmp_path / "stats.json", archives=archives)
    rows = list(read_jsonl(passages, Passage))
    assert (rows[0].id, rows[-1].id) == (first, last)
    assert len({row.text for row in rows}) == len(rows)
    assert all(25 <= len(row.text.split()) <= 250 for row in rows)
    answered: list[set[str]] = []
    for split, count in splits.items():
        queries, qrels = tmp_path / f"{split}.jsonl", tmp_path / f"{split}.txt"
        build_queries(spec=entity, split=split, passages=passages, queries=queries, qrels=qrels, archives=archives)
        texts = {row.id: row.text for row in rows}
        for query in read_jsonl(queries, Query):
            (answer,) = read_qrels(qrels)[query.id]
            assert query.text not in texts[answer]
        answered.append({answer for grades in read_qrels(qrels).values() for answer in grades})
        assert len(read_qrels(qrels)) == count
    assert len(set().union(*answered)) == sum(map(len, answered))
