"""An archive of the classes that Anserini loads, as the JVM holds them in memory.

An index or a search of the toy takes a tenth of a second, after the JVM has read and checked 5,000 classes for two.
With an archive of them (class data sharing), which ``-XX:SharedArchiveFile`` names, it takes half of that; a JVM that
does not find it reads the classes itself.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthrank.records import Query
from synthrank.retrievers import anserini, bm25
from synthrank.specs.retrievers import Bm25


def make_archive(archive: Path) -> None:
    """Write the archive of the classes that an index and a search load."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        classes = Path(name, "classes")
        loaded = dict.fromkeys(_loaded(Path(name, "index"), classes))
        classes.write_text("".join(f"{item}\n" for item in loaded))
        java = [str(anserini._java()), "-cp", str(anserini._jar()), "-Xshare:dump"]
        options = [f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={archive}"]
        subprocess.run([*java, *options], capture_output=True, check=True)


def _loaded(index: Path, classes: Path) -> Iterator[str]:
    """Yield the classes of either program; the JVM writes their list as it ends, each with a number of that run."""
    options = f"{os.environ.get('JDK_JAVA_OPTIONS', '')} -XX:DumpLoadedClassList={classes}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JDK_JAVA_OPTIONS", options)
        bm25.build_index([("a", "bread"), ("b", "water")], index, 1)
        yield from re.findall(r"^([^#\n]+?)(?: id: \d+)?$", classes.read_text(), re.MULTILINE)
        bm25.search(index, [Query("q", "bread")], Bm25(kind="bm25"), 1)
        yield from re.findall(r"^([^#\n]+?)(?: id: \d+)?$", classes.read_text(), re.MULTILINE)
