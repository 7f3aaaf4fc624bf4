"""Error rates and speed of the significance tests: ``python benchmarks/significance.py [--speed [--ranx]]``.

Writes docs/significance.csv: rejection rates at the level .05 of systems without a true difference, in simulated
experiments with 40 and 300 queries. Seeds add no variance, or once, twice or three times a unit; with one unit and
three seeds, seeds and queries add about the same variance to a mean difference. There are 200,000 experiments for the
two-way test and for a t test of the seeds' means, and 2,000 for the randomisation test with 499 flips. With five
seeds, 4,000 families of eight comparisons without a true difference test step-down maxT with 499 flips and Holm's
method on p-values of the two-way test. The comparisons of a family share .8 of the variance over queries; of the
variance over seeds they share nothing, which is the worst case, or .8. ``python benchmarks/readme.py`` shows the table
on docs/checks.md. Takes about ten minutes on one core.

With ``--speed``: twenty systems with one and with five seeds, each against the first, and all 190 pairs, with 100,000
flips, and a family of 60 hypotheses. Reports wall-clock time, processor time and peak memory, each in a separate
process. Also compares p-values of some pairs with scipy.stats.permutation_test (and, with ``--ranx``, with ranx's
Fisher test, which must be installed separately).
"""

import argparse
import csv
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

import numpy as np  # noqa: E402

from synthrank.data.files import atomic_text  # noqa: E402
from synthrank.stats.randomisation import randomise  # noqa: E402
from synthrank.stats.two_way import two_way  # noqa: E402
from synthrank.steps.tables.family import Hypothesis, adjust_family  # noqa: E402

TABLE = ROOT / "docs/significance.csv"
SYSTEMS = 20
PERMUTATIONS = 100_000
EXPERIMENTS, DRAWN, FAMILIES, FLIPS = 200_000, 2_000, 4_000, 499
BLOCK = 1_000
ROWS, SHARED, OF_FAMILY = 8, 0.8, 5
QUERIES, SEEDS, SPREADS = (40, 300), (1, 2, 3, 5, 10), (0, 1, 2, 3)
LEVEL = 0.05
OF_QUERIES, OF_SEEDS, OF_CELLS = 0.2, 0.05, 0.15
"""Standard deviations of differences over queries, over seeds (with 40 queries), and of what is left."""

Floats = np.ndarray


def differences(generator: np.random.Generator, shape: tuple[int, int, int], spread: float) -> Floats:
    """Return differences of systems that do not differ, shape (experiments, seeds, queries), 0 on average."""
    experiments, seeds, queries = shape
    of_seeds = spread * OF_SEEDS * np.sqrt(40 / queries)
    return (
        generator.normal(0, OF_QUERIES, (experiments, 1, queries))
        + of_seeds * generator.normal(0, 1, (experiments, seeds, 1))
        + generator.normal(0, OF_CELLS, shape)
    )


def errors(queries: int, seeds: int, spread: int) -> Iterator[tuple[str, int, float]]:
    """Yield (test, experiments, share of them with p below the level), one comparison each."""
    generator = np.random.default_rng([queries, seeds, spread])
    counts = dict.fromkeys(("two-way", "seeds averaged", "randomisation"), 0)
    for start in range(0, EXPERIMENTS, BLOCK):
        values = differences(generator, (BLOCK, seeds, queries), spread)
        counts["two-way"] += np.count_nonzero(two_way([values]).p() < LEVEL)
        counts["seeds averaged"] += np.count_nonzero(two_way([values.mean(axis=1, keepdims=True)]).p() < LEVEL)
        if start < DRAWN:
            counts["randomisation"] += sum(chance.two_sided < LEVEL for chance in randomise([values], FLIPS, start))
    for test, count in counts.items():
        runs = DRAWN if test == "randomisation" else EXPERIMENTS
        yield test, runs, count / runs


def family_errors(queries: int, seeds: int, spread: int, shared_seeds: float) -> Iterator[tuple[str, int, float]]:
    """Yield (test, families, share of them in which any adjusted p is below the level)."""
    generator = np.random.default_rng([queries, seeds, spread, int(10 * shared_seeds)])
    counts = np.zeros(2)
    for run in range(FAMILIES):
        values = _family(generator, seeds, queries, spread, shared_seeds)
        p = two_way([values]).p()
        hypotheses = [Hypothesis({"t": row}, 0.0, float(chance)) for row, chance in zip(values, p, strict=True)]
        counts += min(adjust_family(hypotheses, FLIPS, run)) < LEVEL, ROWS * p.min() < LEVEL  # Holm's first step
    name = "seeds alike" if shared_seeds else "seeds apart"
    for test, count in zip(("maxT", "Holm of two-way p"), counts, strict=True):
        yield f"family of {ROWS}, {name}: {test}", FAMILIES, float(count) / FAMILIES


def _family(generator: np.random.Generator, seeds: int, queries: int, spread: int, shared_seeds: float) -> Floats:
    """Return differences of a family's rows, which share a part of their variance, shape (rows, seeds, queries)."""

    def part(shape: tuple[int, int], deviation: float, shared: float) -> Floats:
        own = generator.normal(0, 1, (ROWS, *shape))
        return deviation * (np.sqrt(shared) * generator.normal(0, 1, (1, *shape)) + np.sqrt(1 - shared) * own)

    return (
        part((1, queries), OF_QUERIES, SHARED)
        + part((seeds, 1), spread * OF_SEEDS * np.sqrt(40 / queries), shared_seeds)
        + part((seeds, queries), OF_CELLS, SHARED)
    )


def write_errors() -> None:
    """Write the table of errors, and print its rows as they come."""
    rows: list[list[object]] = []
    for queries, seeds, spread in product(QUERIES, SEEDS, SPREADS):
        found = list(errors(queries, seeds, spread))
        if seeds == OF_FAMILY and spread < max(SPREADS):
            found += family_errors(queries, seeds, spread, 0.0)
            found += family_errors(queries, seeds, spread, SHARED)
        for test, runs, share in found:
            rows.append([test, queries, seeds, spread, runs, f"{share:.4f}"])
            print(f"{test}, {queries} queries, {seeds} seeds, spread {spread}: {share:.4f}", flush=True)
    with atomic_text(TABLE) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["test", "queries", "seeds", "spread", "experiments", "rejected"])
        writer.writerows(rows)


def made_up(queries: int, seeds: int) -> Floats:
    """Return scores, shape (systems, seeds, queries): hard and easy queries, systems that differ a little."""
    random = np.random.default_rng(queries)
    hard = random.beta(2, 3, queries)
    better = random.normal(0, 0.01, (SYSTEMS, 1, 1))
    return np.clip(hard + better + random.normal(0, 0.15, (SYSTEMS, seeds, queries)), 0, 1)


def speed(queries: int, seeds: int) -> None:
    """Print how long the tests take."""
    scores = made_up(queries, seeds)
    pairs = np.array(list(combinations(range(SYSTEMS), 2)))
    apart = scores[pairs[:, 0]] - scores[pairs[:, 1]]
    rows = [Hypothesis({"t": values}, 0.0, 1.0) for values in apart[:60]]
    work = {
        "19 against a reference": lambda: randomise([scores[1:] - scores[:1]], PERMUTATIONS, 1),
        "190 pairs": lambda: randomise([apart], PERMUTATIONS, 1),
        "190 pairs, two-way": lambda: two_way([apart]).p(),
        "a family of 60": lambda: adjust_family(rows, PERMUTATIONS, 1),
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


def main() -> None:
    """Write the table of errors, or print how long the tests take."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--queries", type=int, nargs="+", default=[100, 1000, 7000])
    parser.add_argument("--ranx", action="store_true")
    parser.add_argument("--alone", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        speed(*options.alone)
    elif not options.speed:
        write_errors()
    else:
        for queries in options.queries:
            for seeds in (1, 5):
                subprocess.run([sys.executable, __file__, "--alone", str(queries), str(seeds)], check=True)
        for queries in options.queries:
            agreement(queries, options.ranx)


if __name__ == "__main__":
    main()
