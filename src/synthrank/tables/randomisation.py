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

    With one seed what is compared is the mean, with several t of the two-way test over queries and seeds
    (:func:`synthrank.tables.two_way.two_way`), so that a difference that only some seeds have counts for less.

    Flips of queries do not move what a seed adds to all of them, so with few seeds t has too heavy a tail, and this p
    is too small where seeds differ: docs/checks.md says how far. It stands in tables beside that of the two-way test,
    which assumes about normal means in its place. With one seed nothing is known of others, and both speak of other
    queries alone.

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
    blocks = _every(queries, rows) if exact else drawn(queries, permutations, rows, seed)
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


def drawn(queries: int, permutations: int, rows: int, seed: int) -> Iterator[Floats]:
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
        # The least that a variance is taken for: where nothing varies, t is huge and finite, and 0 if the mean is.
        squares = sum((values**2).mean(axis=(1, 2)) for values in testsets)
        self.least = 1e-12 * squares / len(testsets) ** 2 + np.finfo(np.float64).tiny
        self.scale = np.sqrt(
            sum(squares / size for squares, size in zip(self.of_queries, sizes, strict=True))
        ) / len(testsets)  # fmt: skip

    def of(self, signs: Floats) -> Floats:
        """Return t, or with one seed the mean in its standard errors under flips: shape (signs' rows, comparisons)."""
        seeds, testsets = self.shape[1], len(self.columns)
        by_seed = np.zeros((len(signs), *self.shape))
        by_query = np.zeros((len(signs), self.shape[0]))
        for place, columns in enumerate(self.columns):
            products = signs[:, self.bounds[place] : self.bounds[place + 1]] @ columns
            means = products.astype(np.float64).reshape(len(signs), *self.shape)
            by_seed += means / testsets
            spread = np.maximum(self.of_queries[place] - means.mean(axis=2) ** 2, 0)
            by_query += spread / max(1, len(columns) - 1) / testsets**2
        mean = by_seed.mean(axis=2)
        if seeds == 1:
            return np.asarray(mean / np.maximum(self.scale, np.finfo(np.float64).tiny))
        squared = by_query + by_seed.var(axis=2, ddof=1) / seeds
        return np.asarray(mean / np.sqrt(np.maximum(squared, self.least)))
