"""A class-data-sharing archive of the classes that Anserini loads.

The JVM reads and checks 5,000 classes for two seconds before an index or a search of the toy, which takes a tenth of a
second. With an archive, named by ``-XX:SharedArchiveFile``, this takes half the time. A JVM that does not find the
archive reads the classes.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthrank.config.retrievers import Bm25
from synthrank.data.records import Query
from synthrank.retrievers import anserini, bm25


def make_archive(archive: Path) -> None:
    """Write the archive of the classes that indexing and searching load."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        classes = Path(name, "classes")
        loaded = dict.fromkeys(_loaded(Path(name, "index"), classes))
        classes.write_text("".join(f"{item}\n" for item in loaded))
        java = [str(anserini._java()), "-cp", str(anserini._jar()), "-Xshare:dump"]
        options = [f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={archive}"]
        subprocess.run([*java, *options], capture_output=True, check=True)


def _loaded(index: Path, classes: Path) -> Iterator[str]:
    """Yield the classes of both programs; the JVM writes them with run-specific numbers when it ends."""
    options = f"{os.environ.get('JDK_JAVA_OPTIONS', '')} -XX:DumpLoadedClassList={classes}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", options)
        bm25.build_index([("a", "bread"), ("b", "water")], index, 1)
        yield from re.findall(r"^([^#\n]+?)(?: id: \d+)?$", classes.read_text(), re.MULTILINE)
        bm25.search(index, [Query("q", "bread")], Bm25(kind="bm25"), 1)
        yield from re.findall(r"^([^#\n]+?)(?: id: \d+)?$", classes.read_text(), re.MULTILINE)
