"""Correction for how many hypotheses a family tests, by what chance alone does to all of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthrank.errors import DataError
from synthrank.tables.randomisation import BLOCK, Floats, drawn
from synthrank.tables.summary import Values


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """That a mean difference is a point: differences on each test set, shape (seeds, queries), and its own p."""

    values: Mapping[str, Values]
    point: float
    p: float


def adjusted(hypotheses: Sequence[Hypothesis], permutations: int, seed: int, *, one_sided: bool = False) -> list[float]:
    """Return p of each hypothesis, adjusted so that below alpha none is with a chance of alpha where all are true.

    Step-down maxT (Westfall and Young 1993, algorithm 2.8; of systems on the same queries Boytsov, Belova and Westfall
    2013): how often the largest statistic of a hypothesis and all less clear ones is, by chance alone, as large as
    what was seen. The statistic is t of the two-way test. By chance alone each query's difference from the point could
    as well have had the other sign, with all its seeds; hypotheses share the flips of the queries that they share, so
    that what hangs together counts once, which Holm's method cannot know.

    Flips of queries do not move what a seed adds to all queries, so that part of t is drawn for each flip. Of S seeds
    the seeds' part of the squared error was seen as B, an estimate of S - 1 degrees of freedom: it is taken for
    B' = B (S - 1) / chi^2, as whoever knows B alone must (the fiducial solution of Behrens and Fisher); z sqrt(B') is
    added to the flipped mean, and B' chi^2 / (S - 1) to its squared error, with z normal and both chi^2 of S - 1
    degrees of freedom. Each hypothesis has draws of its own, the worst case of how seeds of several hang together
    (Sidak 1967). How often simulated families of eight true hypotheses and five seeds have some p below .05, where
    seeds add four times as much to the variance of a mean as queries do: .09 by Holm's method on p of the two-way
    test, which are too small far out in the tail, .29 by flips of queries alone, .049 by this; docs/checks.md has
    smaller spreads, at most .034.

    Args:
        hypotheses: of one family; all of a test set are on the same queries.
        permutations: how many flips are drawn.
        seed: of the flips.
        one_sided: against means above the point alone; else two-sided.

    Returns:
        For each its adjusted p, never below its own.

    Raises:
        DataError: hypotheses are on other queries of a test set than each other.
    """
    sides = (lambda t: t) if one_sided else np.abs
    chance = _Chance(hypotheses)
    seen = sides(chance.t(np.ones((1, chance.queries), dtype=np.float32), None)[0])
    order = np.argsort(seen, kind="stable")
    least = seen[order] - 1e-5 * np.maximum(1, np.abs(seen[order]))  # sums are 32-bit
    counts = np.zeros(len(hypotheses))
    rows = max(1, BLOCK // (chance.queries + 16 * len(hypotheses)))
    generator = np.random.default_rng([seed, 1])
    for signs in drawn(chance.queries, permutations, rows, seed):
        largest = np.maximum.accumulate(sides(chance.t(signs, generator))[:, order], axis=1)
        counts += np.count_nonzero(largest >= least, axis=0)
    shares = np.maximum.accumulate(((counts + 1) / (permutations + 1))[::-1])[::-1]
    p = np.empty(len(hypotheses))
    p[order] = shares
    return [max(float(share), item.p) for share, item in zip(p, hypotheses, strict=True)]


class _Chance:
    """What chance alone makes of t of every hypothesis, for many flips at once: one matrix product a test set."""

    def __init__(self, hypotheses: Sequence[Hypothesis]) -> None:
        self.count = len(hypotheses)
        self.parts = []
        self.queries = 0
        for name in dict.fromkeys(name for item in hypotheses for name in item.values):
            places = [place for place, item in enumerate(hypotheses) if name in item.values]
            arrays = [hypotheses[place].values[name].mean(axis=0) - hypotheses[place].point for place in places]
            if len({len(array) for array in arrays}) > 1:
                raise DataError(
                    f"results/metrics: rankers were scored on different queries of {name}; remove results/metrics"
                )
            bounds = slice(self.queries, self.queries + len(arrays[0]))
            self.queries = bounds.stop
            self.parts.append((np.array(places), bounds, np.stack(arrays, axis=1)))
        self.testsets = np.array([len(item.values) for item in hypotheses])
        self.of_seeds = np.array([_of_seeds(item) for item in hypotheses])
        self.freedom = np.array([max(1, len(next(iter(item.values.values()))) - 1) for item in hypotheses])

    def t(self, signs: Floats, generator: np.random.Generator | None) -> Values:
        """Return t for each vector of signs, shape (signs, hypotheses); with the seeds' part drawn, or as seen."""
        mean, squared = np.zeros((2, len(signs), self.count))
        for places, bounds, values in self.parts:
            queries, testsets = len(values), self.testsets[places]
            of_testset = (signs[:, bounds] @ (values / queries).astype(np.float32)).astype(np.float64)
            mean[:, places] += of_testset / testsets
            spread = np.maximum((values**2).mean(axis=0) - of_testset**2, 0)
            squared[:, places] += spread / max(1, queries - 1) / testsets**2
        if generator is None:
            squared += self.of_seeds
        elif self.of_seeds.any():
            of_seeds = self.of_seeds * self.freedom / generator.chisquare(self.freedom, mean.shape)
            mean += generator.standard_normal(mean.shape) * np.sqrt(of_seeds)
            squared += generator.chisquare(self.freedom, mean.shape) / self.freedom * of_seeds
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.nan_to_num(mean / np.sqrt(squared), posinf=np.inf, neginf=-np.inf))


def _of_seeds(item: Hypothesis) -> float:
    """Return the seeds' part of the squared error of a mean; nothing is known of it with one seed."""
    by_seed = np.mean([array.mean(axis=1) for array in item.values.values()], axis=0)
    return float(by_seed.var(ddof=1)) / len(by_seed) if len(by_seed) > 1 else 0.0
