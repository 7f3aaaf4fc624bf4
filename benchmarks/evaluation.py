"""Evaluation of many runs: ``python benchmarks/evaluation.py [--runs 20] [--queries 7000] [--depth 100]``.

Runs are made up, of passages out of 500,000, with one to five judged relevant a query. Then the step score_suite
measures each of them, in one process as the workflow runs it, by nDCG@10, MRR@10 and Recall@100: reading, measuring,
writing. Then both that step and trectools evaluate one run, reading included, by these three, and by the thirty that
trec_eval prints by default and trectools has too; every value of every query is compared. All in processor time.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

import numpy as np  # noqa: E402

MEASURES = ["nDCG@10", "MRR@10", "Recall@100"]
CUTS = (5, 10, 15, 20, 30, 100, 200, 500, 1000)
DEFAULT = ["AP", "Rprec", "MRR", *(f"{kind}@{cut}" for kind in ("P", "Recall", "nDCG") for cut in CUTS)]
"""What trec_eval prints by default, but for counts and bpref."""
PASSAGES = 500_000


def relevant(query: int) -> tuple[list[int], list[int]]:
    """Return the judged passages of a query, and their grades."""
    chance = np.random.default_rng([query, 1])
    names = chance.choice(PASSAGES, int(chance.integers(1, 6)), replace=False)
    return names.tolist(), chance.integers(1, 4, len(names)).tolist()


def make(folder: Path, runs: int, queries: int, depth: int) -> None:
    """Write judgments, a test set and the runs; a run finds each relevant passage with probability .6, anywhere."""
    from synthrank.trec import write_run

    judged = [relevant(query) for query in range(queries)]
    (folder / "qrels.txt").write_text(
        "".join(
            f"q{query} 0 d{name} {grade}\n"
            for query, (names, grades) in enumerate(judged)
            for name, grade in zip(names, grades, strict=True)
        )
    )
    (folder / "made-up.yaml").write_text("corpus: made-up\nsplit: test\n")
    for number in range(runs):
        chance = np.random.default_rng([number, 2])
        run = {}
        for query, (names, _) in enumerate(judged):
            found = [name for name in names if chance.random() < 0.6]
            drawn = dict.fromkeys([*found, *chance.integers(0, PASSAGES, depth + 9).tolist()])
            listed = chance.permutation(list(drawn)[:depth]).tolist()
            scores = np.sort(chance.random(len(listed)) * 30)[::-1].tolist()
            run[f"q{query}"] = [(f"d{name}", score) for name, score in zip(listed, scores, strict=True)]
        (folder / f"run-{number}").mkdir()
        write_run(folder / f"run-{number}/made-up.trec", run, "benchmark")


def score(folder: Path, number: int, measures: Sequence[str]) -> None:
    """Measure one run by the workflow's step."""
    from synthrank.metrics.score_suite import score_suite

    score_suite(
        runs=folder / f"run-{number}",
        testsets=[folder / "made-up.yaml"],
        qrels=[folder / "qrels.txt"],
        depths=["whole"],
        fused_depths=["whole"],
        measures=list(measures),
        ranker="ranker",
        recipe="recipe",
        llm="none",
        seed=number,
        metrics=folder / f"{number}.csv",
    )


def ours(folder: Path, runs: int) -> None:
    """Measure every run by the workflow's step and print seconds of wall and processor, and the peak of memory."""
    start, used, first = time.perf_counter(), time.process_time(), 0.0
    for number in range(runs):
        score(folder, number, MEASURES)
        first = first or time.process_time() - used
    wall, processor = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"score_suite: {runs} runs in {wall:.1f} s ({processor:.1f} s of processor), the first in {first:.1f} s of "
        f"processor, peak memory {peak:.0f} MB",
        flush=True,
    )


def trectools(folder: Path, measures: Sequence[str]) -> None:
    """Evaluate the first run by trectools and by the step, compare every value, and print how long both took."""
    from trectools import TrecEval, TrecQrel, TrecRun

    from synthrank.measures import measure_run
    from synthrank.scores import read_scores
    from synthrank.trec import read_qrels, read_run

    warnings.simplefilter("ignore")  # pandas', about trectools
    score(folder, 0, measures[:1])  # what is imported on the first call is not measured
    used = time.process_time()
    score(folder, 0, measures)
    mine = time.process_time() - used
    run, judged = read_run(folder / "run-0/made-up.trec"), read_qrels(folder / "qrels.txt")
    used = time.process_time()
    measure_run(run, judged, measures, 1)
    alone = time.process_time() - used
    used = time.process_time()
    evaluation = TrecEval(TrecRun(str(folder / "run-0/made-up.trec")), TrecQrel(str(folder / "qrels.txt")))
    read = time.process_time() - used
    values = {name: asked(evaluation, name).iloc[:, 0].fillna(0).to_dict() for name in measures}
    theirs = time.process_time() - used
    rows = read_scores(folder / "0.csv")
    found = [(item.measure, item.query_id, item.value) for item in rows if item.value is not None]
    far = max(abs(values[measure].get(query, 0.0) - value) for measure, query, value in found)
    print(
        f"{len(measures)} measures of one run: {theirs:.1f} s by trectools, {mine:.2f} s by score_suite, "
        f"{theirs / mine:.1f} times as fast; measuring alone {theirs - read:.1f} s and {alone:.2f} s, "
        f"{(theirs - read) / alone:.1f} times as fast; {len(rows):,} values differ by at most {far:.1e}",
        flush=True,
    )


def asked(evaluation: Any, name: str) -> Any:
    """Return one measure per query by trectools; a query without a hit is absent, or not a number, and 0 is meant."""
    kind, _, depth = name.partition("@")
    ways = {
        "nDCG": evaluation.get_ndcg,
        "MRR": evaluation.get_reciprocal_rank,
        "Recall": evaluation.get_recall,
        "P": evaluation.get_precision,
        "AP": evaluation.get_map,
        "Rprec": evaluation.get_rprec,
    }
    return ways[kind](per_query=True, trec_eval=True, depth=int(depth or 1000))


def main() -> None:
    """Make the runs and measure each tool in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("runs", 20), ("queries", 7_000), ("depth", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, folder = options.measure[0], Path(options.measure[1])
        if what == "ours":
            ours(folder, options.runs)
        else:
            trectools(folder, MEASURES)
            trectools(folder, DEFAULT)
        return
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), options.runs, options.queries, options.depth)
        print(f"{options.runs} runs of {options.queries:,} queries, {options.depth} passages each", flush=True)
        for what in ("ours", "trectools"):
            subprocess.run([sys.executable, __file__, "--runs", str(options.runs), "--measure", what, name], check=True)


if __name__ == "__main__":
    main()
