"""A large collection on one machine: made, normalised, shared out, laid end to end, indexed.

    python benchmarks/corpora.py --passages 2000000

The collection is in the BEIR layout, 72 words a passage, spread as those of a language are (rank to the power of -1).
Every job is a process of its own; its peak is that of its largest process, Anserini's Java among them.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
from itertools import accumulate
from pathlib import Path
from random import Random

from child import Child, timed

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))

from synthrank.files import json_lines, write_jsonl  # noqa: E402
from synthrank.records import Passage  # noqa: E402
from synthrank.shards import Shard, check_shards  # noqa: E402

WORDS, VOCABULARY, QUERIES = 72, 50_000, 1000


def make(folder: Path, passages: int) -> None:
    """Write the collection."""
    random = Random(13)
    vocabulary = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=3 + place % 8)) for place in range(VOCABULARY)]
    weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def text(words: int) -> str:
        return " ".join(random.choices(vocabulary, cum_weights=weights, k=words))

    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w") as stream:
        for number in range(passages):
            stream.write(json.dumps({"_id": f"p{number}", "title": text(4), "text": text(WORDS)}) + "\n")
    with (folder / "queries.jsonl").open("w") as stream:
        stream.writelines(json.dumps({"_id": f"q{number}", "text": text(5)}) + "\n" for number in range(QUERIES))
    judged = (f"q{number}\tp{random.randrange(passages)}\t1\n" for number in range(QUERIES))
    (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged))


def share(passages: Path, shard: Shard, total: int, part: Path) -> None:
    """Write one share of the passages."""
    rows = (Passage(**row) for _, row in json_lines(passages))
    write_jsonl(part, shard.take(rows, total))


def lay(parts: list[Path], total: int, whole: Path) -> None:
    """Lay shares end to end, and count them."""
    check_shards([(part, sum(1 for _ in json_lines(part))) for part in parts], total)
    write_jsonl(whole, (Passage(**row) for part in parts for _, row in json_lines(part)))


def report(what: str, child: Child, passages: int, made: Path | None = None) -> None:
    """Print one job's figures."""
    size = ""
    if made is not None:
        files = [path for path in made.rglob("*") if path.is_file()] if made.is_dir() else [made]
        size = f"{sum(path.stat().st_size for path in files) / 1e6:.0f}"
    rate = passages / child.seconds
    sys.stdout.write(
        f"{what},{child.seconds:.1f},{child.processor_seconds:.1f},{rate:.0f},{child.peak_mb:.0f},{size}\n"
    )
    sys.stdout.flush()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def measure(folder: Path, count: int, shards: int) -> None:
    """Run every job and print its figures."""
    me = [sys.executable, str(Path(__file__).resolve())]
    settings = {"PYTHONPATH": str(PROJECT / "src"), "SYNTHRANK_DATA": str(folder)}
    spec, passages, index = folder / "corpus.yaml", folder / "passages.jsonl", folder / "index"
    spec.write_text(
        "source: beir\nfolder: raw\ntitle: prepend\nsplits: {test: qrels/test.tsv}\n"
        f"counts: {{passages: {count}, splits: {{test: {{queries: {QUERIES}, judgments: {QUERIES}}}}}}}\n"
    )

    def step(name: str, *options: str) -> Child:
        return timed([sys.executable, str(PROJECT / f"scripts/{name}.py"), *options], folder, settings)

    sys.stdout.write(f"{count:,} passages, {os.cpu_count()} cores\n")
    sys.stdout.write("job,seconds,processor_seconds,passages_a_second,peak_mb,size_mb\n")
    raw = folder / "raw"
    report("the collection is made", timed([*me, "--make", str(raw), "--passages", str(count)], folder), count, raw)
    build = ("--spec", str(spec), "--passages", str(passages), "--stats", str(folder / "passages.json"))
    report("build_passages", step("build_passages", *build), count, passages)
    split = ("--queries", str(folder / "queries.jsonl"), "--qrels", str(folder / "qrels.txt"), "--split", "test")
    report("build_queries", step("build_queries", "--spec", str(spec), "--passages", str(passages), *split), count)
    parts = [str(folder / f"shards/{Shard(number, shards)}.jsonl") for number in range(1, shards + 1)]
    for number in (1, shards):
        sharing = ["--share", str(Shard(number, shards)), "--of", str(passages), "--to", parts[number - 1]]
        child = timed([*me, *sharing, "--passages", str(count)], folder)
        report(f"share {number} of {shards}", child, count, Path(parts[number - 1]))
    for number in range(2, shards):
        share(passages, Shard(number, shards), count, Path(parts[number - 1]))
    whole = folder / "whole.jsonl"
    laid = timed([*me, "--lay", *parts, "--to", str(whole), "--passages", str(count)], folder)
    report("laid end to end", laid, count, whole)
    if digest(whole) != digest(passages):
        raise RuntimeError("shares laid end to end are not the whole")
    indexing = step("index_bm25", "--passages", str(passages), "--index", str(index), "--threads", "2")
    report("index_bm25 on two threads", indexing, count, index)


def main() -> None:
    """Run the benchmark, or one of its own jobs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=50_000)
    parser.add_argument("--shards", type=int, default=4)
    for job, number in (("--make", None), ("--share", None), ("--of", None), ("--to", None), ("--lay", "+")):
        parser.add_argument(job, nargs=number, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(Path(options.make), options.passages)
    elif options.share:
        share(Path(options.of), Shard.parse(options.share), options.passages, Path(options.to))
    elif options.lay:
        lay([Path(part) for part in options.lay], options.passages, Path(options.to))
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), options.passages, options.shards)


if __name__ == "__main__":
    main()
