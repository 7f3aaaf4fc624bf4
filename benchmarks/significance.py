"""Randomisation tests and bootstraps: ``python benchmarks/significance.py [--queries 100 1000 7000] [--ranx]``.

Twenty systems, with one seed and with three: each against the first, and all 190 pairs, by 100,000 permutations, and
bootstrap intervals of all pairs by 10,000 resamples; wall and processor seconds, and the peak of memory, each in a
process of its own. Then p of a few pairs beside those of scipy.stats.permutation_test with as many draws of its own
(and, with ``--ranx``, of ranx's Fisher test, which must be installed by hand), and how long that takes. At the end how
often systems that do not differ are told apart at the level .05, by 4,000 simulated experiments of 40 queries: with
seeds in the test, with seeds averaged first, for several spreads of seeds and numbers of them.
"""

import argparse
import resource
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

import numpy as np  # noqa: E402
from synthrank.tables.bootstrap import interval_of_means  # noqa: E402

from synthrank.specs.experiment import Intervals  # noqa: E402
from synthrank.tables.randomisation import randomise  # noqa: E402

SYSTEMS = 20
PERMUTATIONS = 100_000
EXPERIMENTS = 4_000


def made_up(queries: int, seeds: int) -> np.ndarray:
    """Return scores, shape (systems, seeds, queries): hard and easy queries, systems that differ a little."""
    random = np.random.default_rng(queries)
    hard = random.beta(2, 3, queries)
    better = random.normal(0, 0.01, (SYSTEMS, 1, 1))
    return np.clip(hard + better + random.normal(0, 0.15, (SYSTEMS, seeds, queries)), 0, 1)


def speed(queries: int, seeds: int) -> None:
    """Print how long the tests take."""
    scores = made_up(queries, seeds)
    pairs = np.array(list(combinations(range(SYSTEMS), 2)))
    work = {
        "19 against a reference": lambda: randomise([scores[1:] - scores[:1]], PERMUTATIONS, 1),
        "190 pairs": lambda: randomise([scores[pairs[:, 0]] - scores[pairs[:, 1]]], PERMUTATIONS, 1),
        "190 intervals": lambda: interval_of_means([scores[pairs[:, 0]] - scores[pairs[:, 1]]], Intervals()),
    }
    for what, do in work.items():
        start, used = time.perf_counter(), time.process_time()
        do()
        wall, processor = time.perf_counter() - start, time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{queries:,} queries, {seeds} seed(s), {what}: {wall:.1f} s ({processor:.1f} s of processor), peak "
            f"memory so far {peak:.0f} MB",
            flush=True,
        )


def agreement(queries: int, ranx: bool) -> None:
    """Print how far p are from scipy's, and how long scipy takes for as many draws."""
    from scipy.stats import permutation_test

    scores = made_up(queries, 1)[:, 0]
    differences = scores[1:6] - scores[:1]
    ours = [chance.two_sided for chance in randomise([differences[:, None]], PERMUTATIONS, 1)]
    start, theirs = time.process_time(), []
    for values in differences:
        found = permutation_test(
            (values,),
            np.mean,
            permutation_type="samples",
            n_resamples=PERMUTATIONS,
            batch=max(1, 2_000_000 // queries),
            vectorized=True,
            rng=np.random.default_rng(2),
        )
        theirs.append(float(found.pvalue))
    far = max(abs(one - other) for one, other in zip(ours, theirs, strict=True))
    print(
        f"{queries:,} queries, p {', '.join(f'{p:.4f}' for p in ours)}: by scipy within {far:.4f}, which took "
        f"{(time.process_time() - start) / len(theirs):.1f} s of processor for each"
    )
    if ranx:
        from ranx.statistical_tests.fisher_randomization_test import fisher_randomization_test

        found = [
            fisher_randomization_test(scores[place], scores[0], n_permutations=PERMUTATIONS, max_p=0.05, random_seed=3)
            for place in range(1, 6)
        ]
        print(f"  by ranx: {found}")


def errors() -> None:
    """Print how often equal systems are told apart."""
    print(f"rejections at .05 of {EXPERIMENTS:,} experiments without a difference, 40 queries, 999 permutations;")
    print(
        "spread of queries .2, of cells .15; a spread of seeds of .05 is about the queries' standard error at 3 seeds"
    )
    for seeds in (1, 2, 3, 5, 10):
        for spread in (0.0, 0.02, 0.05, 0.1):
            random = np.random.default_rng(5)
            values = (
                random.normal(0, 0.2, (EXPERIMENTS, 1, 40))
                + random.normal(0, 0.15, (EXPERIMENTS, seeds, 40))
                + random.normal(0, spread, (EXPERIMENTS, seeds, 1))
            )
            shares = [
                np.mean([chance.two_sided < 0.05 for chance in randomise([data], 999, 3)])
                for data in (values, values.mean(axis=1, keepdims=True))
            ]
            print(f"  {seeds} seed(s), spread {spread:.2f}: {shares[0]:.3f}, seeds averaged first {shares[1]:.3f}")


def main() -> None:
    """Run each part in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, nargs="+", default=[100, 1_000, 7_000])
    parser.add_argument("--ranx", action="store_true")
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        what, *numbers = options.part
        {"speed": speed, "agreement": lambda queries: agreement(queries, options.ranx), "errors": errors}[what](
            *map(int, numbers)
        )
        return
    parts = [["speed", str(queries), str(seeds)] for queries in options.queries for seeds in (1, 3)]
    parts += [["agreement", str(queries)] for queries in options.queries if queries <= 1_000]
    for part in [*parts, ["errors"]]:
        more = ["--ranx"] if options.ranx else []
        subprocess.run([sys.executable, __file__, *more, "--part", *part], check=True)


if __name__ == "__main__":
    main()
