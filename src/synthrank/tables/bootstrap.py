"""Bootstrap intervals of mean differences, queries and training seeds both resampled."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from synthrank.specs.experiment import Intervals

Floats = npt.NDArray[np.float64]

BLOCK = 2_000_000
"""Weights that are held at once: bounds the memory."""


def interval_of_means(testsets: Sequence[Floats], intervals: Intervals) -> Floats:
    """Return the percentile intervals of mean differences, shape (comparisons, 2).

    Queries and seeds are resampled independently of each other, and a cell counts as often as its query and its seed
    together (the pigeonhole bootstrap, Owen 2007): it errs, if at all, on the wide side. Queries are resampled in each
    test set by itself, seeds once for all of them. Resamples are weights, so means are matrix products.

    Args:
        testsets: for each test set an array of shape (comparisons, seeds, queries); each weighs the same.
        intervals: how many resamples, which confidence, which seed.
    """
    comparisons, seeds, _ = testsets[0].shape
    generator = np.random.default_rng(intervals.seed)
    of_seeds = generator.multinomial(seeds, [1 / seeds] * seeds, size=intervals.resamples) / seeds
    means = np.zeros((intervals.resamples, comparisons))
    for values in testsets:
        queries = values.shape[2]
        columns = values.reshape(-1, queries).T / queries / len(testsets)
        start = 0
        for weights in _weights(queries, intervals.resamples, generator):
            block = slice(start, start + len(weights))
            by_seed = (weights @ columns).reshape(len(weights), comparisons, seeds)
            means[block] += np.einsum("rcs,rs->rc", by_seed, of_seeds[block])
            start = block.stop
    tail = (1 - intervals.confidence) / 2
    return np.asarray(np.quantile(means, [tail, 1 - tail], axis=0).T)


def _weights(queries: int, resamples: int, generator: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each query is drawn, in blocks of shape (resamples of the block, queries)."""
    rows = max(1, BLOCK // queries)
    for start in range(0, resamples, rows):
        block = min(rows, resamples - start)
        drawn = generator.integers(0, queries, size=(block, queries)) + queries * np.arange(block)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=block * queries)
        yield counts.reshape(block, queries).astype(np.float64)
