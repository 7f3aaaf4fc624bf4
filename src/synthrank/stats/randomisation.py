"""Paired randomisation tests over queries with several training seeds, for many comparisons together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Differences = npt.NDArray[np.float64]
"""Differences between two systems on one test set, paired by seed, shape (comparisons, seeds, queries)."""

Floats = npt.NDArray[np.floating]

BLOCK = 8_000_000
"""Signs per block, which limits memory and does not change the result."""

SIGNS = (1 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)).astype(np.float32)
"""The bits of each byte as signs (0 as 1, 1 as -1), shape (256, 8)."""


@dataclass(frozen=True, slots=True)
class Chance:
    """p-values: the share of flips whose mean is at least as far from, above or below 0 as the observed mean."""

    two_sided: float
    above: float
    below: float


def randomise(testsets: Sequence[Differences], permutations: int, seed: int) -> list[Chance]:
    """Test whether each mean difference is 0, by flipping the signs of whole queries.

    If two systems are equivalent, their values of a query are exchangeable, so every flip of the signs of some queries'
    differences has the same probability as the observation (Smucker, Allan and Carterette 2007). All seeds of a query
    are flipped together, like clusters in the wild cluster bootstrap (MacKinnon, Nielsen and Webb 2021). If there are
    at most ``permutations`` flips, all are counted and p is exact. Otherwise, ``permutations`` flips are drawn, and p
    is (count + 1) / (permutations + 1), which is never 0.

    With one seed the statistic is the mean. With several seeds it is t of the two-way test over queries and seeds
    (:func:`synthrank.stats.two_way.two_way`), so a difference of only some seeds has less weight.

    Flips of queries do not change an effect of a seed on all queries. With few seeds, t therefore has too heavy a tail,
    and this p is too small if seeds differ; docs/checks.md contains the measured error rates. Tables show it next to p
    of the two-way test, which assumes approximately normal means. With one seed, both tests generalise only over
    queries.

    Ties: a flip counts if its value is at least the observed value minus 1e-5 standard errors for drawn flips (32-bit
    sums), or minus 1e-9 if all flips are counted (64-bit sums). This is much more than rounding errors and too little
    to affect p.

    Args:
        testsets: the differences of each test set; in a macro average all test sets have the same weight.
        permutations: maximum number of flips.
        seed: seed of the flips; p does not depend on the other comparisons of the call.

    Returns:
        The p-values of each comparison, not corrected for the other comparisons.
    """
    queries = sum(values.shape[2] for values in testsets)
    exact = queries < 63 and 2**queries <= permutations
    observed = _Statistic(testsets, np.float64).of(np.ones((1, queries)))[0]
    slack = (1e-9 if exact else 1e-5) * np.maximum(1, np.abs(observed))
    statistic = _Statistic(testsets, np.float64 if exact else np.float32)
    rows = max(1, BLOCK // (queries + 8 * testsets[0].shape[0] * testsets[0].shape[1]))
    blocks = _every(queries, rows) if exact else draw_signs(queries, permutations, rows, seed)
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


def draw_signs(queries: int, permutations: int, rows: int, seed: int) -> Iterator[Floats]:
    """Yield vectors of random signs in blocks of shape (rows, queries); the block size does not change the vectors.

    All blocks share the same memory, because allocating each block takes ten times as long.
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
    """The test statistic for many vectors of signs, with one matrix product per test set."""

    def __init__(self, testsets: Sequence[Differences], kind: type[np.floating]) -> None:
        """Compute the columns of the product and the sums of squares, which flips do not change.

        Args:
            testsets: an array of shape (comparisons, seeds, queries) per test set.
            kind: number type of the products; sums over seeds and test sets are 64-bit.
        """
        self.shape = testsets[0].shape[:2]
        sizes = [values.shape[2] for values in testsets]
        self.bounds = np.cumsum([0, *sizes])
        self.columns = [
            (values.reshape(-1, size).T / size).astype(kind) for values, size in zip(testsets, sizes, strict=True)
        ]
        self.of_queries = [(values.mean(axis=1) ** 2).mean(axis=1) for values in testsets]
        # Lower limit of the variance: without variance, t is large and finite, or 0 if the mean is 0.
        squares = sum((values**2).mean(axis=(1, 2)) for values in testsets)
        self.least = 1e-12 * squares / len(testsets) ** 2 + np.finfo(np.float64).tiny
        self.scale = np.sqrt(
            sum(squares / size for squares, size in zip(self.of_queries, sizes, strict=True))
        ) / len(testsets)  # fmt: skip

    def of(self, signs: Floats) -> Floats:
        """Return t, or with one seed the mean in standard errors under flips, shape (rows of signs, comparisons)."""
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
