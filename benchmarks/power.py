"""Check planned power and repeated looks by simulation: ``python benchmarks/power.py``.

Writes docs/power.csv from 10,000 simulated studies per cell, in about three minutes on one core:

- power: simulates a difference of the planned size (``synthrank.stats.power.smallest``) with the planned numbers of
  queries and seeds and the planned variances. Compares the rate at which the two-way test finds it with the planned
  .8. In a family of eight independent hypotheses, maxT with 499 flips decides.
- looks: tests studies without a true difference after each seed from 2 to 10 and stops at the first rejection at .05,
  with p-values of the two-way test and with e-values.
- added: the rate at which e-values find a difference that ten seeds settle by p-values.
"""

import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

import numpy as np  # noqa: E402

from synthrank.data.files import atomic_text  # noqa: E402
from synthrank.stats.anytime import log_e  # noqa: E402
from synthrank.stats.power import Design, power, smallest  # noqa: E402
from synthrank.stats.two_way import two_way  # noqa: E402
from synthrank.stats.variance_components import Components  # noqa: E402
from synthrank.steps.tables.family import Hypothesis, adjust_family  # noqa: E402

TABLE = ROOT / "docs/power.csv"
COLUMNS = ("what", "test", "queries", "seeds", "spread", "difference", "studies", "planned", "simulated")
STUDIES, BLOCK = 10_000, 500
ROWS, FLIPS = 8, 499
QUERIES, SEEDS, SPREADS = (40, 300), (2, 3, 5, 10), (0, 1, 3)
FIRST, MOST = 2, 10
LEVEL = 0.05
OF_QUERIES, OF_SEEDS, OF_CELLS = 0.2, 0.05, 0.15
"""Standard deviations of differences over queries, over seeds (with 40 queries), and of what is left."""

Floats = np.ndarray
Row = tuple[str, str, int, int, int, float, int, float | None, float]


def parts_of(queries: int, spread: int) -> Components:
    """Return variances of which seeds that spread once add about as much to a mean over three seeds as queries do."""
    return Components(OF_QUERIES**2, (spread * OF_SEEDS) ** 2 * 40 / queries, OF_CELLS**2)


def drawn(generator: np.random.Generator, parts: Components, shape: tuple[int, int, int], difference: float) -> Floats:
    """Return simulated differences, shape (studies, seeds, queries)."""
    studies, seeds, queries = shape
    return (
        difference
        + generator.normal(0, np.sqrt(parts.query), (studies, 1, queries))
        + generator.normal(0, np.sqrt(parts.seed), (studies, seeds, 1))
        + np.sqrt(parts.residual) * generator.standard_normal(shape, dtype=np.float32)
    )


def fixed(queries: int, seeds: int, spread: int, studies: int = STUDIES) -> Row:
    """Return how often the two-way test finds a difference of the planned size."""
    parts = parts_of(queries, spread)
    design = Design(parts, (queries,), seeds, seeds > 1, LEVEL, 0)
    difference, found = smallest(design), 0
    generator = np.random.default_rng([1, queries, seeds, spread])
    for _ in range(0, studies, BLOCK):
        tested = two_way([drawn(generator, parts, (BLOCK, seeds, queries), difference)])
        found += np.count_nonzero((tested.p() < LEVEL) & (tested.mean > 0))
    return "power", "two-way", queries, seeds, spread, difference, studies, power(design, difference), found / studies


def of_family(queries: int, seeds: int, spread: int, studies: int = STUDIES) -> Row:
    """Return how often maxT finds a difference of the planned size among others that are 0."""
    parts = parts_of(queries, spread)
    design = Design(parts, (queries,), seeds, seeds > 1, LEVEL, ROWS)
    difference, found = smallest(design), 0
    generator = np.random.default_rng([2, queries, seeds, spread])
    for study in range(studies):
        values = drawn(generator, parts, (ROWS, seeds, queries), 0.0)
        values[0] += difference
        tested = two_way([values])
        family = [Hypothesis({"t": row}, 0.0, float(p)) for row, p in zip(values, tested.p(), strict=True)]
        found += adjust_family(family, FLIPS, study)[0] < LEVEL and tested.mean[0] > 0
    name = f"maxT of {ROWS}"
    return "power", name, queries, seeds, spread, difference, studies, power(design, difference), found / studies


def looks(queries: int, spread: int, difference: float, studies: int = STUDIES) -> dict[str, float]:
    """Return the share of studies that reject at some look, by p of the two-way test and by e-values."""
    parts, rejected = parts_of(queries, spread), np.zeros(2)
    generator = np.random.default_rng([3, queries, spread, int(1e6 * difference)])
    for _ in range(0, studies, BLOCK):
        values = drawn(generator, parts, (BLOCK, MOST, queries), difference)
        of_queries = values[:, :FIRST].mean(axis=1).var(axis=1, ddof=1) / queries
        by_seed = values.mean(axis=2)
        by_p, by_e = np.zeros((2, BLOCK), dtype=bool)
        for seeds in range(FIRST, MOST + 1):
            by_p |= two_way([values[:, :seeds]]).p() < LEVEL
            means, spreads = by_seed[:, :seeds].mean(axis=1), by_seed[:, :seeds].var(axis=1, ddof=1) / seeds
            by_e |= log_e(means, spreads, seeds, of_queries, queries - 1) >= -np.log(LEVEL)
        rejected += by_p.sum(), by_e.sum()
    return dict(zip(("two-way p at every look", "e-value at every look"), rejected / studies, strict=True))


def rows() -> Iterator[Row]:
    """Yield the rows of the table."""
    for queries, seeds, spread in product(QUERIES, SEEDS, SPREADS):
        yield fixed(queries, seeds, spread)
    for spread in SPREADS:
        yield of_family(40, 5, spread)
    for queries, spread in product(QUERIES, SPREADS):
        for test, share in looks(queries, spread, 0.0).items():
            yield "looks", test, queries, MOST, spread, 0.0, STUDIES, None, share
    for queries, spread in product(QUERIES, SPREADS):
        at_once = Design(parts_of(queries, spread), (queries,), MOST, True, LEVEL, 0)
        for test, design in (
            ("by p at the end", at_once),
            ("by e-value at the end", replace(at_once, first_look=FIRST)),
        ):
            yield "added", test, queries, MOST, spread, smallest(design), STUDIES, 0.8, added(design, queries)


def added(design: Design, queries: int, studies: int = STUDIES) -> float:
    """Return how often a difference of the planned size is found at the last seed, by p or by e-values."""
    generator = np.random.default_rng([4, queries, design.first_look or 0])
    found = 0
    for _ in range(0, studies, BLOCK):
        values = drawn(generator, design.parts, (BLOCK, design.seeds, queries), smallest(design))
        if design.first_look is None:
            found += np.count_nonzero(two_way([values]).p() < LEVEL)
        else:
            by_seed = values.mean(axis=2)
            of_queries = values[:, : design.first_look].mean(axis=1).var(axis=1, ddof=1) / queries
            spreads = by_seed.var(axis=1, ddof=1) / design.seeds
            evidence = log_e(by_seed.mean(axis=1), spreads, design.seeds, of_queries, queries - 1)
            found += np.count_nonzero(evidence >= -np.log(LEVEL))
    return found / studies


def main() -> None:
    """Write the table, and print its rows as they come."""
    lines = []
    for what, test, queries, seeds, spread, difference, studies, planned, simulated in rows():
        expected = "" if planned is None else f"{planned:.4f}"
        lines.append([what, test, queries, seeds, spread, f"{difference:.4f}", studies, expected, f"{simulated:.4f}"])
        print(*lines[-1], flush=True)
    with atomic_text(TABLE) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(lines)


if __name__ == "__main__":
    main()
