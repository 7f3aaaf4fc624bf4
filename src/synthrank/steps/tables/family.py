"""Correction for multiple tests: the joint distribution of a family's statistics under the null hypotheses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthrank.errors import DataError
from synthrank.stats.bootstrap import Values
from synthrank.stats.randomisation import BLOCK, Floats, draw_signs


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The null hypothesis that the mean difference is ``point``.

    ``values`` has the differences per test set, shape (seeds, queries); the p-value is not adjusted.
    """

    values: Mapping[str, Values]
    point: float
    p: float


def adjust_family(
    hypotheses: Sequence[Hypothesis], permutations: int, seed: int, *, one_sided: bool = False
) -> list[float]:
    """Return the adjusted p of each hypothesis: if all are true, some p is below alpha with probability alpha.

    The method is step-down maxT (Westfall and Young 1993, algorithm 2.8; for systems on the same queries Boytsov,
    Belova and Westfall 2013). The adjusted p is the probability, under the null hypotheses, that the largest statistic
    of a hypothesis and of all less significant hypotheses is at least as large as observed. The statistic is t of the
    two-way test. Under the null hypothesis, the sign of each query's difference from the point is random, the same for
    all its seeds. Hypotheses share the flips of the queries that they share, so correlated hypotheses are not counted
    as independent tests; Holm's method cannot take correlation into account.

    Flips of queries do not change the effect of a seed on all queries, so this part of t is drawn for each flip. With
    S seeds, B estimates the seeds' part of the squared error with S - 1 degrees of freedom. It is replaced by
    B' = B (S - 1) / chi^2 (the fiducial solution of Behrens and Fisher). z sqrt(B') is added to the flipped mean and
    B' chi^2 / (S - 1) to its squared error, with z normal and both chi^2 with S - 1 degrees of freedom. Hypotheses have
    independent draws, the worst case of correlation between their seeds (Sidak 1967). Family-wise error rates at
    alpha .05 in simulated families of eight true hypotheses and five seeds, with seeds contributing four times as much
    to the variance of a mean as queries: .09 for Holm's method on p of the two-way test, which are too small in the
    tail, .29 for flips of queries only, .049 for this method. docs/checks.md has smaller spreads, at most .034.

    Args:
        hypotheses: the family; all hypotheses on a test set have the same queries.
        permutations: the number of flips.
        seed: the random seed of the flips.
        one_sided: test only against means above the point; two-sided by default.

    Returns:
        The adjusted p of each hypothesis, at least its unadjusted p.

    Raises:
        DataError: hypotheses have different queries on the same test set.
    """
    sides = (lambda t: t) if one_sided else np.abs
    chance = _Chance(hypotheses)
    observed = sides(chance.t(np.ones((1, chance.queries), dtype=np.float32), None)[0])
    order = np.argsort(observed, kind="stable")
    least = observed[order] - 1e-5 * np.maximum(1, np.abs(observed[order]))  # tolerance of 32-bit sums
    counts = np.zeros(len(hypotheses))
    rows = max(1, BLOCK // (chance.queries + 16 * len(hypotheses)))
    generator = np.random.default_rng([seed, 1])
    for signs in draw_signs(chance.queries, permutations, rows, seed):
        largest = np.maximum.accumulate(sides(chance.t(signs, generator))[:, order], axis=1)
        counts += np.count_nonzero(largest >= least, axis=0)
    shares = np.maximum.accumulate(((counts + 1) / (permutations + 1))[::-1])[::-1]
    p = np.empty(len(hypotheses))
    p[order] = shares
    return [max(float(share), item.p) for share, item in zip(p, hypotheses, strict=True)]


class _Chance:
    """The statistics t of all hypotheses under the null hypothesis, for many flips; one matrix product per test set."""

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
        """Return t per vector of signs, shape (signs, hypotheses); without generator the seeds' part is not drawn."""
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
    """Return the seeds' part of the squared error of a mean; 0 with one seed, which gives no estimate."""
    by_seed = np.mean([array.mean(axis=1) for array in item.values.values()], axis=0)
    return float(by_seed.var(ddof=1)) / len(by_seed) if len(by_seed) > 1 else 0.0
