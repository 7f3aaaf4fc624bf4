"""Pooling and the bookkeeping of runs: ``python benchmarks/pooling.py [--queries 2000 5000 20000]``.

Four runs of 100 passages a query are made, out of a collection of 500,000, with scores that are strict as in every run
that the workflow writes; any two sources share about a quarter of their passages. Then, for each size and strategy
in a fresh process, the whole step pool_candidates: reading the runs, pooling, writing. At the smallest size reading,
writing, ranking and fusing are measured against the plain code of ``tests/plain_runs.py``, in one process and in turn,
in processor time; the plain fusion grows with the square of the queries, so it gets 500 at most. At the end 2,000,000
lines are written.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

import numpy as np  # noqa: E402

from synthrank.files import write_jsonl  # noqa: E402
from synthrank.records import Query  # noqa: E402
from synthrank.trec import rank, read_run, write_run  # noqa: E402

STRATEGIES = ("per-query-source", "round-robin", "union", "rrf")
SOURCES = 4
DEPTH = 100
PASSAGES = 500_000
FUSED_PLAINLY = 500
LINES = 2_000_000


def lists(queries: int, source: int) -> dict[str, list[tuple[str, float]]]:
    """Return a run: half of each list is out of passages that the query's other sources draw from too."""
    chance = np.random.default_rng(source)
    run = {}
    for query in range(queries):
        near = np.random.default_rng(query).integers(0, PASSAGES, DEPTH)
        drawn = np.concatenate([chance.permutation(near)[: DEPTH // 2], chance.integers(0, PASSAGES, DEPTH)])
        names = list(dict.fromkeys(chance.permutation(drawn).tolist()))[:DEPTH]
        scores = np.sort(chance.random(len(names)) * 30)[::-1]
        run[f"query-{query}"] = [(f"doc{name}", score) for name, score in zip(names, scores.tolist(), strict=True)]
    return run


def make(folder: Path, queries: int) -> None:
    """Write queries, runs, judgments that exclude some passages, and a pool of each strategy."""
    write_jsonl(folder / "queries.jsonl", (Query(f"query-{place}", f"text {place}") for place in range(queries)))
    for source in range(SOURCES):
        write_run(folder / f"{source}.trec", lists(queries, source), "benchmark")
    (folder / "held-out.txt").write_text("".join(f"h 0 doc{name} 1\n" for name in range(1000)))
    for strategy in STRATEGIES:
        sources = ", ".join(f"source-{source}" for source in range(SOURCES))
        (folder / f"{strategy}.yaml").write_text(f"sources: [{sources}]\nstrategy: {strategy}\n")


def pool(folder: Path, strategy: str) -> None:
    """Run the step and print seconds of wall and processor, and the peak of memory."""
    start = time.perf_counter()
    from synthrank.rankings.pool_candidates import pool_candidates

    imported = time.perf_counter() - start
    start, used = time.perf_counter(), time.process_time()
    pool_candidates(
        spec=folder / f"{strategy}.yaml",
        queries=folder / "queries.jsonl",
        runs=[folder / f"{source}.trec" for source in range(SOURCES)],
        held_out=[folder / "held-out.txt"],
        candidates=folder / f"{strategy}.jsonl",
        stats=folder / f"{strategy}.json",
    )
    wall, processor = time.perf_counter() - start, time.process_time() - used
    stats = json.loads((folder / f"{strategy}.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{strategy}: {wall:.1f} s ({processor:.1f} s of processor, and {imported:.1f} s of imports), "
        f"peak memory {peak:.0f} MB; {stats['candidates']:,} candidates, {stats['short_pools']:,} short pools",
        flush=True,
    )


def compare(folder: Path) -> None:
    """Measure the package against the plain code, best of three each, in turn."""
    import plain_runs

    from synthrank.fusion import reciprocal_rank_fusion

    run = folder / "0.trec"
    read = read_run(run)
    chance = random.Random(1)
    tied = [chance.sample([(name, round(score, 1)) for name, score in ranked], len(ranked)) for ranked in read.values()]
    few = [dict(list(read_run(folder / f"{source}.trec").items())[:FUSED_PLAINLY]) for source in range(SOURCES)]
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "read a run": (lambda: plain_runs.read_run(run), lambda: read_run(run)),
        "write a run": (
            lambda: plain_runs.write_run(folder / "plain.trec", read, "x"),
            lambda: write_run(folder / "fast.trec", read, "x"),
        ),
        "rank lists with ties": (
            lambda: [plain_runs.rank(scored) for scored in tied],
            lambda: [rank(scored) for scored in tied],
        ),
        f"fuse four runs of {len(few[0])} queries": (
            lambda: plain_runs.fuse(few, 60),
            lambda: reciprocal_rank_fusion(few, 60),
        ),
    }
    for what, (plain, fast) in pairs.items():
        seconds = [min(times) for times in zip(*((taken(plain), taken(fast)) for _ in range(3)), strict=True)]
        assert plain() == fast()
        print(
            f"{what}: {seconds[0]:.2f} s plainly, {seconds[1]:.2f} s now: {seconds[0] / seconds[1]:.1f} times as fast"
        )
    assert (folder / "plain.trec").read_bytes() == (folder / "fast.trec").read_bytes()


def taken(work: Callable[[], object]) -> float:
    """Return the seconds of processor time that something takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def write(folder: Path) -> None:
    """Write a long run out of lists that are not ordered."""
    chance = np.random.default_rng(7)
    run = {
        f"query-{query}": list(zip((f"doc{place}" for place in range(1000)), chance.random(1000).tolist(), strict=True))
        for query in range(LINES // 1000)
    }
    start = time.perf_counter()
    write_run(folder / "long.trec", run, "benchmark")
    wall = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{LINES:,} lines ranked and written in {wall:.1f} s, peak memory {peak:.0f} MB, the lists included")


def main() -> None:
    """Make each size and measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, nargs="+", default=[2_000, 5_000, 20_000])
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, folder = options.measure[0], Path(options.measure[1])
        {"compare": compare, "write": write}.get(what, lambda folder: pool(folder, what))(folder)
        return
    for queries in sorted(options.queries):
        with tempfile.TemporaryDirectory() as name:
            make(Path(name), queries)
            print(f"{queries:,} queries, {queries * SOURCES * DEPTH:,} lines", flush=True)
            for what in (*STRATEGIES, *(["compare"] if queries == min(options.queries) else [])):
                subprocess.run([sys.executable, __file__, "--measure", what, name], check=True)
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.executable, __file__, "--measure", "write", name], check=True)


if __name__ == "__main__":
    main()
