"""Paired randomisation tests over queries, many comparisons at once, with training seeds as part of the test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Differences = npt.NDArray[np.float64]
"""Shape (comparisons, seeds, queries): differences between two systems on one test set.

The same seed of both is a pair.
"""

Floats = npt.NDArray[np.floating]

BLOCK = 8_000_000
"""Signs that are held at once: bounds the memory, changes no result."""

SIGNS = (1 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)).astype(np.float32)
"""Shape (256, 8): for every byte its eight bits as signs, 0 as 1 and 1 as -1."""


@dataclass(frozen=True, slots=True)
class Chance:
    """How often chance alone makes a mean at least as far from 0, as far above it, or as far below it."""

    two_sided: float
    above: float
    below: float


def randomise(testsets: Sequence[Differences], permutations: int, seed: int) -> list[Chance]:
    """Test whether mean differences are 0, each comparison by itself, by flipping the signs of whole queries.

    If two systems were the same, either could have made either of a query's values, so every flip of the signs of
    some queries' differences is as likely as what was seen (Smucker, Allan and Carterette 2007); all seeds of a query
    flip together, as clusters do in the wild cluster bootstrap (MacKinnon, Nielsen and Webb 2021). All flips are
    counted where there are at most ``permutations``, and p is their exact share; else so many are drawn, and p is
    (count + 1) / (permutations + 1), never 0.

    With one seed what is compared is the mean. With several it is t, the mean over its standard error with clusters
    both ways (Cameron, Gelbach and Miller 2011, section 2.2): the variance is V_query + V_seed - V_cell, never below
    V_query, each with its correction n / (n - 1). Queries of all test sets are clusters of their own; a seed is one
    cluster over all of them. So a difference that only some seeds have counts for less.

    How far p can be trusted: of 4,000 simulated experiments of 40 queries in which systems are equal, .047 to .054 had
    p below .05 where seeds do not differ, whatever their number (benchmarks/significance.py). Flips of queries do not
    move what a seed adds to all of them, so with few seeds t has too heavy a tail: where seeds add to the mean's
    variance about as much as queries do at 3 seeds, .107 had with 2 seeds, .086 with 3, .072 with 5, .057 with 10
    (seeds averaged first: .147, .130, .099, .076); with seeds that spread twice as far .191, .134, .082 and .058
    (.365, .298, .226, .151). With one seed nothing is known of others, and p speaks of other queries alone. So with
    fewer than about five seeds p is approximate, and too small where seeds differ.

    Ties: a flip counts if its value is at least the observed one less 1e-5 standard errors where it was drawn (32-bit
    sums), 1e-9 where all are counted (64-bit sums): far above what rounding does to a sum, far below what moves p.

    Args:
        testsets: for each test set the differences; of a macro average each test set weighs the same.
        permutations: how many flips are drawn where there are more.
        seed: of the draw; a comparison's p does not depend on what else is compared in the same call.

    Returns:
        For each comparison its p, not corrected for the others.
    """
    queries = sum(values.shape[2] for values in testsets)
    exact = queries < 63 and 2**queries <= permutations
    observed = _Statistic(testsets, np.float64).of(np.ones((1, queries)))[0]
    slack = (1e-9 if exact else 1e-5) * np.maximum(1, np.abs(observed))
    statistic = _Statistic(testsets, np.float64 if exact else np.float32)
    rows = max(1, BLOCK // (queries + 8 * testsets[0].shape[0] * testsets[0].shape[1]))
    blocks = _every(queries, rows) if exact else _drawn(queries, permutations, rows, seed)
    counts = np.zeros((3, len(observed)))
    for signs in blocks:
        found = statistic.of(signs)
        counts[0] += np.count_nonzero(np.abs(found) >= np.abs(observed) - slack, axis=0)
        counts[1] += np.count_nonzero(found >= observed - slack, axis=0)
        counts[2] += np.count_nonzero(found <= observed + slack, axis=0)
    shares = counts / 2**queries if exact else (counts + 1) / (permutations + 1)
    return [Chance(*map(float, of_one)) for of_one in shares.T]


def _every(queries: int, rows: int) -> Iterator[Floats]:
    """Yield all vectors of signs, in blocks of shape (rows, queries)."""
    for start in range(0, 2**queries, rows):
        numbers = np.arange(start, min(start + rows, 2**queries))
        yield 1.0 - 2.0 * (numbers[:, None] >> np.arange(queries) & 1)


def _drawn(queries: int, permutations: int, rows: int, seed: int) -> Iterator[Floats]:
    """Yield vectors of signs out of random bits, in blocks of shape (rows, queries); the blocks' size changes none.

    All blocks are the same memory, filled anew: memory that is asked for again each time takes ten times as long.
    """
    generator = np.random.default_rng(seed)
    words = -(-queries // 64)
    signs = np.empty((min(rows, permutations), words * 8, 8), dtype=np.float32)
    for start in range(0, permutations, rows):
        shape = min(rows, permutations - start), words
        drawn = generator.integers(0, np.iinfo(np.uint64).max, size=shape, dtype=np.uint64, endpoint=True)
        block = np.take(SIGNS, drawn.view(np.uint8), axis=0, out=signs[: shape[0]], mode="clip")
        yield block.reshape(shape[0], -1)[:, :queries]


class _Statistic:
    """What is compared, for many vectors of signs at once: one matrix product a test set."""

    def __init__(self, testsets: Sequence[Differences], kind: type[np.floating]) -> None:
        """Prepare what no flip changes: the columns of the product, and sums of squares.

        Args:
            testsets: for each test set an array of shape (comparisons, seeds, queries).
            kind: of the products; sums over seeds and test sets are 64-bit.
        """
        self.shape = testsets[0].shape[:2]
        sizes = [values.shape[2] for values in testsets]
        self.bounds = np.cumsum([0, *sizes])
        self.columns = [
            (values.reshape(-1, size).T / size).astype(kind) for values, size in zip(testsets, sizes, strict=True)
        ]
        self.of_queries = [(values.mean(axis=1) ** 2).mean(axis=1) for values in testsets]
        self.of_cells = [(values**2).mean(axis=(1, 2)) for values in testsets]
        # The least that a variance is taken for: where nothing varies, t is huge and finite, and 0 if the mean is.
        self.least = 1e-12 * sum(self.of_cells) / len(testsets) ** 2 + np.finfo(np.float64).tiny
        self.scale = np.sqrt(
            sum(squares / size for squares, size in zip(self.of_queries, sizes, strict=True))
        ) / len(testsets)  # fmt: skip

    def of(self, signs: Floats) -> Floats:
        """Return t, or with one seed the mean in its standard errors under flips: shape (signs' rows, comparisons)."""
        seeds, testsets = self.shape[1], len(self.columns)
        by_seed = np.zeros((len(signs), *self.shape))
        by_query, by_cell = np.zeros((2, len(signs), self.shape[0]))
        for place, columns in enumerate(self.columns):
            size = len(columns)
            products = signs[:, self.bounds[place] : self.bounds[place + 1]] @ columns
            means = products.astype(np.float64).reshape(len(signs), *self.shape)
            squared = means.mean(axis=2) ** 2
            by_seed += means / testsets
            by_query += (self.of_queries[place] - squared) / max(1, size - 1) / testsets**2
            by_cell += (self.of_cells[place] - squared) / max(1, seeds * size - 1) / testsets**2
        mean = by_seed.mean(axis=2)
        if seeds == 1:
            return np.asarray(mean / np.maximum(self.scale, np.finfo(np.float64).tiny))
        both_ways = by_query + by_seed.var(axis=2, ddof=1) / seeds - by_cell
        return np.asarray(mean / np.sqrt(np.maximum(np.maximum(both_ways, by_query), self.least)))
