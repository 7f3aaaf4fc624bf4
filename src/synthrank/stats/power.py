"""Power of planned comparisons: the smallest detectable difference, and the queries and seeds that it needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, inf, log

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from synthrank.stats.anytime import log_e
from synthrank.stats.variance_components import Components

Floats = npt.NDArray[np.float64]

POWER = 0.8
"""The default power."""

MOST_QUERIES, MOST_SEEDS = 1_000_000, 100
"""Upper limits of the search for the needed number of queries and seeds."""

RATIOS = np.geomspace(1e-3, 1e3, 19)
"""Grid of the ratio of the seeds' to the queries' part of a squared error."""


LIMITS = np.geomspace(0.5, 1e4, 140)
"""Grid of t."""

MANY = 500.0
"""Degrees of freedom of queries above which their variance is treated as known."""


@dataclass(frozen=True, slots=True)
class Design:
    """A planned comparison and its test.

    Attributes:
        parts: variance components of the differences.
        queries: number of queries per test set.
        seeds: number of training seeds.
        over_seeds: whether the test generalises over seeds; otherwise, values are averaged over seeds.
        alpha: level of the family.
        hypotheses: number of hypotheses of the family; 0 for a single test without correction.
        one_sided: whether the test is one-sided, for differences above the point.
        first_look: number of seeds at the first look if e-values decide; ``None`` if p-values decide.
    """

    parts: Components
    queries: tuple[int, ...]
    seeds: int
    over_seeds: bool
    alpha: float
    hypotheses: int
    one_sided: bool = False
    first_look: int | None = None


def power(design: Design, distance: float) -> float:
    """Return the probability that the test finds a difference at a distance from the tested point.

    With variance components q of queries, s of seeds and r of the residual, S seeds, and Q_t queries in each of T test
    sets, the expectations of the two-way test's parts of the squared error, and the variance of the mean, are

        A ~ (q + r / S) sum_t 1 / (Q_t T^2),  B ~ (s + r sum_t 1 / (Q_t T^2)) / S,  V = A + B - r sum_t 1 / (Q_t T^2 S)

    A and B are approximately chi^2 with Satterthwaite's and with S - 1 degrees of freedom, independent of each other
    and of the normal mean. Given A and B, the test rejects beyond a fixed distance, so the power is the mean of a
    normal tail over both chi^2, computed by quadrature. This is the power of a noncentral t, with two exceptions:
    A + B does not estimate V, and Satterthwaite's degrees of freedom are estimated.

    The rejection distance is the larger of two: the distance of the two-way test's p, and the distance of step-down
    maxT in a family of independent hypotheses, its hardest case (Sidak 1967). The power of dependent hypotheses, such
    as rows on the same queries, is higher. For e-values it is the distance of Holm's first step, where 1 / e is at most
    alpha over the number of hypotheses.
    """
    rejection = _rejection(design)
    return 0.0 if rejection is None else rejection.power(distance)


def smallest(design: Design, chance: float = POWER) -> float:
    """Return the smallest distance from the tested point that the test finds with the given power.

    It is infinite if a test set has only one query, or if the e-values of the seeds cannot reach the level.

    Args:
        design: the comparison.
        chance: the power.
    """
    rejection = _rejection(design)
    if rejection is None:
        return inf
    furthest = float(rejection.distances.max() + 10 * rejection.spread)
    if furthest in (0.0, inf):  # no variance, or no distance is large enough
        return furthest
    return float(optimize.brentq(lambda distance: rejection.power(distance) - chance, 0.0, furthest))


def queries_needed(design: Design, distance: float, chance: float = POWER) -> int | None:
    """Return the number of queries with which the test finds a distance; ``None`` if no number does.

    The proportions of the test sets stay the same.
    """
    total = sum(design.queries)

    def is_found(count: int) -> bool:
        shares = tuple(max(2, ceil(queries * count / total)) for queries in design.queries)
        return smallest(replace(design, queries=shares), chance) <= distance

    return _least(is_found, 2 * len(design.queries), MOST_QUERIES)


def seeds_needed(design: Design, distance: float, chance: float = POWER) -> int | None:
    """Return the number of seeds with which the test finds a distance; ``None`` if no number does."""
    least = (design.first_look or 2) if design.over_seeds else 1
    return _least(lambda seeds: smallest(replace(design, seeds=seeds), chance) <= distance, least, MOST_SEEDS)


def _least(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """Return the smallest number from ``low`` to ``high`` at which a monotone condition holds, within 1 %."""
    if holds(low):
        return low
    step = low
    while not holds(min(high, 2 * step)):
        if 2 * step >= high:
            return None
        step *= 2
    low, high = step, min(high, 2 * step)
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class _Rejection:
    """Rejection distances of a test, their weights, and the standard deviation of the mean."""

    distances: Floats
    weights: Floats
    spread: float

    def power(self, distance: float) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(self.weights @ special.ndtr(np.nan_to_num((distance - self.distances) / self.spread)))


@lru_cache(maxsize=4096)
def _rejection(design: Design) -> _Rejection | None:
    """Return the rejection distances of a design; ``None`` if a test set has only one query."""
    if min(design.queries) < 2:
        return None
    parts, seeds = design.parts, design.seeds
    weights = np.array([1 / (queries * len(design.queries) ** 2) for queries in design.queries])
    of_query = (parts.query + parts.residual / seeds) * weights
    freedom = of_query.sum() ** 2 / (of_query**2 / (np.array(design.queries) - 1)).sum() if of_query.any() else 1.0
    of_seeds = (parts.seed + parts.residual * weights.sum()) / seeds if design.over_seeds else 0.0
    spread = float(np.sqrt(of_query.sum() + of_seeds - (parts.residual * weights.sum() / seeds if of_seeds else 0.0)))
    sizes = (12, 24) if design.first_look else (16, 64)
    a, a_weights = _chi_square(float(freedom), sizes[0])
    b, b_weights = _chi_square(float(max(1, seeds - 1)), sizes[1]) if of_seeds else (np.ones(1), np.ones(1))
    first, second = (grid.ravel() for grid in np.meshgrid(of_query.sum() * a, of_seeds * b, indexing="ij"))
    likely = np.outer(a_weights, b_weights).ravel()
    if design.first_look:
        early = (parts.query + parts.residual / design.first_look) * weights.sum()
        return _Rejection(_by_e(design, first * (early / of_query.sum()), second), likely, spread)
    error = first + second
    degrees = error**2 / (first**2 / freedom + second**2 / max(1, seeds - 1))
    tail = design.alpha if design.one_sided else design.alpha / 2
    limits = stats.t.isf(tail, degrees)
    if design.hypotheses:
        limits = np.maximum(limits, critical(second / first, likely, seeds - 1, float(freedom), design))
    return _Rejection(limits * np.sqrt(error), likely, spread)


def _by_e(design: Design, of_queries: Floats, of_seeds: Floats) -> Floats:
    """Return the smallest distances at which the e-value is large enough, by bisection."""

    def is_enough(distances: Floats) -> npt.NDArray[np.bool_]:
        found = log_e(distances, of_seeds, design.seeds, of_queries, min(design.queries) - 1)
        return np.asarray(found >= log(max(1, design.hypotheses) / design.alpha))

    scale = np.sqrt(of_queries + of_seeds)
    if not is_enough(1e6 * scale).all():  # few seeds limit the e-value
        return np.full_like(scale, np.inf)
    low, high = np.zeros_like(scale), 4 * scale
    while not (enough := is_enough(high)).all():
        low, high = np.where(enough, low, high), np.where(enough, high, 2 * high)
    while np.any(high > 1.002 * low):
        middle = (low + high) / 2
        enough = is_enough(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def critical(ratios: Floats, likely: Floats, of_seeds: int, of_queries: float, design: Design) -> Floats:
    """Return the smallest t whose adjusted p of step-down maxT is below alpha, per ratio.

    This is the t that the maximum over all hypotheses exceeds with probability alpha under the null hypothesis. The
    tested hypothesis has the given ratio; the other hypotheses have independent queries and seeds and a random ratio.

    Args:
        ratios: possible ratios of the seeds' to the queries' part of the squared error.
        likely: the probability of each ratio.
        of_seeds: degrees of freedom of the seeds' part; ignored without such a part.
        of_queries: degrees of freedom of the queries' part.
        design: the level, the number of hypotheses and their sides.
    """
    sides = 1 if design.one_sided else 2
    if not ratios.any():
        share = 1 - (1 - design.alpha) ** (1 / design.hypotheses)
        return np.full(ratios.shape, stats.t.isf(share / sides, of_queries))
    tails = _tails(max(1, of_seeds), of_queries)
    at = np.interp(np.log(np.maximum(ratios, RATIOS[0])), np.log(RATIOS), np.arange(len(RATIOS)))
    low = np.minimum(at.astype(int), len(RATIOS) - 2)
    own = np.exp(tails[:, low] * (1 - (at - low)) + tails[:, low + 1] * (at - low))
    others = (1 - np.minimum(1, sides * own) @ likely) ** (design.hypotheses - 1)
    left = np.log(1 - (1 - np.minimum(1, sides * own)) * others[:, None] + 1e-300)
    goal = np.log(design.alpha)
    return np.exp([np.interp(-goal, -column, np.log(LIMITS)) for column in left.T])


@lru_cache(maxsize=1024)
def _tails(of_seeds: int, of_queries: float) -> Floats:
    """Return the logarithm of the share of maxT's draws with t above a limit, shape (limits, ratios).

    :func:`synthrank.steps.tables.family.adjust_family` draws the mean with variance A + B', where B' = B (S - 1) /
    chi^2. Its squared error is the sum of A under random flips, which has the spread of chi^2 with the queries' degrees
    of freedom, and B' chi^2 / (S - 1).
    """
    chi, weights = _chi_square(float(of_seeds), 18)
    flipped, of_flips = _chi_square(of_queries, 6) if of_queries < MANY else (np.ones(1), np.ones(1))
    drawn = RATIOS[:, None, None, None] / chi[:, None, None]  # B' / A
    narrower = np.sqrt((flipped + drawn * chi[:, None]) / (1 + drawn))
    each = np.einsum("i,j,k->ijk", weights, weights, of_flips)
    shares = [np.tensordot(special.ndtr(-limit * narrower), each, axes=3) for limit in LIMITS]
    return np.log(np.array(shares) + 1e-300)


@lru_cache(maxsize=1024)
def _chi_square(freedom: float, count: int) -> tuple[Floats, Floats]:
    """Return quadrature points and weights of chi^2 / freedom: Gauss-Legendre, denser towards both ends."""
    points, weights = np.polynomial.legendre.leggauss(count)
    at = (points + 1) / 2
    quantiles = at**3 * (10 - 15 * at + 6 * at**2)
    slopes = 30 * at**2 * (1 - at) ** 2
    return stats.chi2.ppf(quantiles, freedom) / freedom, weights / 2 * slopes
