"""How large a difference must be for a planned study to find it, before any of it has run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, inf, log

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from synthrank.anytime import log_e
from synthrank.components import Components

Floats = npt.NDArray[np.float64]

POWER = 0.8
"""The chance with which a study should find what is there."""

MOST_QUERIES, MOST_SEEDS = 1_000_000, 100
"""What takes more is said to be out of reach."""

RATIOS = np.geomspace(1e-3, 1e3, 19)
"""Seeds' over queries' part of a squared error, between which shares of draws are interpolated."""


LIMITS = np.geomspace(0.5, 1e4, 140)
"""Values of t between which shares of draws are interpolated."""

MANY = 500.0
"""Degrees of freedom of queries from which on their variance counts as known."""


@dataclass(frozen=True, slots=True)
class Design:
    """A planned comparison and the test that decides on it.

    Attributes:
        parts: variances of its differences.
        queries: of each test set.
        seeds: of training.
        over_seeds: whether it speaks of other seeds; else seeds are averaged first.
        alpha: of the family.
        hypotheses: how many the family has; 0 for a test by itself, with no family.
        one_sided: whether only differences above the point count.
        first_look: seeds at the first look if seeds may be added, and e-values decide; None if p do.
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
    """Return the chance that a difference this far from the tested point is found, on its own side.

    With variance components q of queries, s of seeds and r of the residual, of S seeds and Q_t queries in each of T
    test sets, the two-way test's parts of the squared error and the variance of the mean are

        A ~ (q + r / S) sum_t 1 / (Q_t T^2),  B ~ (s + r sum_t 1 / (Q_t T^2)) / S,  V = A + B - r sum_t 1 / (Q_t T^2 S)

    in expectation; A and B are about chi^2 of Satterthwaite's and of S - 1 degrees of freedom, independent of each
    other and of the mean, which is normal. Given A and B the test rejects beyond a known distance, so its power is the
    mean of a normal tail over both chi^2, taken by quadrature: the power of a noncentral t, but that V is not what
    A + B estimates and that Satterthwaite's degrees of freedom are themselves estimated.

    The distance is the larger of two: what p of the two-way test itself takes, and what step-down maxT takes of a
    family whose hypotheses do not hang together, its hardest case (Sidak 1967). Hypotheses that do, as rows on the same
    queries, are found more often than is said here. Of e-values it is what Holm's first step takes, 1 / e at most alpha
    over the number of hypotheses.
    """
    rejection = _rejection(design)
    return 0.0 if rejection is None else rejection.power(distance)


def smallest(design: Design, chance: float = POWER) -> float:
    """Return the least distance from the tested point that is found with a chance.

    It is infinite if no distance is found: if a test set has one query, or e-values of so few seeds are bounded.

    Args:
        design: the comparison.
        chance: the power.
    """
    rejection = _rejection(design)
    if rejection is None:
        return inf
    furthest = float(rejection.distances.max() + 10 * rejection.spread)
    if furthest in (0.0, inf):  # nothing varies, or nothing is enough
        return furthest
    return float(optimize.brentq(lambda distance: rejection.power(distance) - chance, 0.0, furthest))


def queries_needed(design: Design, distance: float, chance: float = POWER) -> int | None:
    """Return with how many queries, shared over the test sets as they are, a distance is found; None if it never is."""
    total = sum(design.queries)

    def is_found(count: int) -> bool:
        shares = tuple(max(2, ceil(queries * count / total)) for queries in design.queries)
        return smallest(replace(design, queries=shares), chance) <= distance

    return _least(is_found, 2 * len(design.queries), MOST_QUERIES)


def seeds_needed(design: Design, distance: float, chance: float = POWER) -> int | None:
    """Return with how many seeds a distance is found; None if it never is."""
    least = (design.first_look or 2) if design.over_seeds else 1
    return _least(lambda seeds: smallest(replace(design, seeds=seeds), chance) <= distance, least, MOST_SEEDS)


def _least(holds: Callable[[int], bool], low: int, high: int) -> int | None:
    """Return the least number from ``low`` to ``high`` for which something holds that holds for all larger ones."""
    if holds(low):
        return low
    step = low
    while not holds(min(high, 2 * step)):
        if 2 * step >= high:
            return None
        step *= 2
    low, high = step, min(high, 2 * step)
    while high - low > max(1, low // 100):  # a per cent is near enough
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class _Rejection:
    """Beyond which distances a test rejects, how likely each is, and how far means spread about their expectation."""

    distances: Floats
    weights: Floats
    spread: float

    def power(self, distance: float) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(self.weights @ special.ndtr(np.nan_to_num((distance - self.distances) / self.spread)))


@lru_cache(maxsize=4096)
def _rejection(design: Design) -> _Rejection | None:
    """Return when a design's test rejects; None if nobody knows how queries spread."""
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
    """Return from which distance on an e-value is large enough, by halving."""

    def is_enough(distances: Floats) -> npt.NDArray[np.bool_]:
        found = log_e(distances, of_seeds, design.seeds, of_queries, min(design.queries) - 1)
        return np.asarray(found >= log(max(1, design.hypotheses) / design.alpha))

    scale = np.sqrt(of_queries + of_seeds)
    if not is_enough(1e6 * scale).all():  # the evidence of so few seeds is bounded
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
    """Return how large t must be for an adjusted p of step-down maxT below alpha.

    Chance alone must get that far in some hypothesis with a share of alpha. The hypothesis itself has one of the
    ratios; the others, on queries and seeds of their own, have any of them, as likely as they are.

    Args:
        ratios: seeds' over queries' part of the squared error as it may be seen.
        likely: how likely each ratio is.
        of_seeds: degrees of freedom of the seeds' part; any if there is none.
        of_queries: of the queries' part.
        design: the level, the number of hypotheses, and how many sides they have.
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
    """Return the logarithm of the share of draws of maxT with t above a limit, shape (limits, ratios).

    In :func:`synthrank.tables.family.adjusted` the mean is drawn with variance A + B', B' = B (S - 1) / chi^2, over a
    squared error of a flipped A, as spread as chi^2 of the queries' degrees of freedom, and B' chi^2 / (S - 1).
    """
    chi, weights = _chi_square(float(of_seeds), 18)
    flipped, of_flips = _chi_square(of_queries, 6) if of_queries < MANY else (np.ones(1), np.ones(1))
    drawn = RATIOS[:, None, None, None] / chi[:, None, None]  # B' over A
    narrower = np.sqrt((flipped + drawn * chi[:, None]) / (1 + drawn))
    each = np.einsum("i,j,k->ijk", weights, weights, of_flips)
    shares = [np.tensordot(special.ndtr(-limit * narrower), each, axes=3) for limit in LIMITS]
    return np.log(np.array(shares) + 1e-300)


@lru_cache(maxsize=1024)
def _chi_square(freedom: float, count: int) -> tuple[Floats, Floats]:
    """Return points and weights of a mean over chi^2 / freedom: Gauss and Legendre's, crowded towards both ends."""
    points, weights = np.polynomial.legendre.leggauss(count)
    at = (points + 1) / 2
    quantiles = at**3 * (10 - 15 * at + 6 * at**2)
    slopes = 30 * at**2 * (1 - at) ** 2
    return stats.chi2.ppf(quantiles, freedom) / freedom, weights / 2 * slopes
