"""E-values of claims: evidence that stays valid however often it is looked at while training seeds are added.

An e-process of a hypothesis reaches 1 / alpha at any time at all with a chance of at most alpha if the hypothesis is
true (Ville's inequality), so whoever rejects the first time that it does errs no more often than that, whatever made
them add seeds or stop (Ramdas, Gruenwald, Vovk and Shafer 2023, Game-theoretic statistics and safe anytime-valid
inference). A p of a fixed number of seeds has no such property.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthrank.errors import DataError

Floats = npt.NDArray[np.float64]

OF_SEEDS = (0.0, 1.0, 10.0, 100.0)
"""Prior variances of an effect, in variances of a seed's mean; each weighs the same. The first is no effect: it bounds
what the seeds' part can cost where queries decide."""

OF_QUERIES = 10.0
"""Prior variance of an effect, in squared standard errors over queries."""

STEPS = 50
"""Of the search for the infimum, in each of its two passes."""


def e_value(testsets: Sequence[Floats], first: int, point: float = 0.0) -> float:
    """Return the e-value against a mean difference of a point, over queries and training seeds.

    The model is that of the two-way test, d_sq = mu + a_q + b_s + e_sq with normal parts; seeds s are added, queries q
    are the same for all of them. Let c be the mean of a_q over these queries. Whatever c is, the seeds' means have mean
    mu + c, so a t test's Bayes factor T_S(c) of S seeds, with the right Haar prior on the unknown variance, is an
    e-process for mu = point (Perez-Ortiz, Lardy, de Heide and Gruenwald 2024, E-statistics, group invariance and
    anytime-valid testing; Wang and Ramdas 2025). And c over its standard error, taken from the queries' means over the
    seeds of the first look, is at most as spread as t of the queries' degrees of freedom, so the Bayes factor B(c) of
    that t is an e-value, which no later seed moves. Seeds' parts do not depend on queries' parts, so T_S(c) B(c) is an
    e-process, and so is what is never above it:

        E_S = min over c of T_S(c) B(c),  S >= the seeds of the first look.

    Over several test sets c is the mean of theirs, its squared error sum_t A_t as in the two-way test, and B that of t
    with the degrees of freedom of the smallest test set: the squared error is less spread, in convex order, than one
    of so many degrees, and B is convex in it.

    Of the one-sided hypotheses that lie on the far side of the point from the effect it is an e-value too, since it
    only shrinks as the point moves towards the effect.

    Args:
        testsets: for each test set the differences, shape (seeds, queries), seeds in the order in which they came.
        first: how many seeds there were at the first look, 2 or more; that number is fixed beforehand.
        point: the hypothesis.

    Returns:
        The e-value; 1 where a test set has one query, whose spread is unknown.

    Raises:
        DataError: there are fewer seeds than at the first look.
    """
    by_seed = np.mean([values.mean(axis=1) for values in testsets], axis=0) - point
    if len(by_seed) < first:
        raise DataError(
            f"results/metrics: two systems share {len(by_seed)} training seeds, and claims.first_look is {first}; "
            "train both with as many seeds"
        )
    freedom = min(values.shape[1] for values in testsets) - 1
    if freedom == 0:
        return 1.0
    early = [values[:first].mean(axis=0) for values in testsets]
    of_queries = sum(array.var(ddof=1) / len(array) for array in early) / len(testsets) ** 2
    found = log_e(by_seed.mean(), by_seed.var(ddof=1) / len(by_seed), len(by_seed), of_queries, freedom)
    return float(np.exp(np.minimum(found, 700.0)))


def log_e(
    mean: npt.ArrayLike, of_seeds: npt.ArrayLike, seeds: int, of_queries: npt.ArrayLike, freedom: float
) -> Floats:
    """Return the logarithm of :func:`e_value` of many studies at once, all of the same shape.

    Args:
        mean: differences from the point.
        of_seeds: squared standard errors of the mean over seeds, of ``seeds`` - 1 degrees of freedom.
        seeds: how many.
        of_queries: squared standard errors over queries at the first look.
        freedom: their degrees of freedom.
    """
    mean, of_seeds, of_queries = (np.asarray(value, dtype=float)[..., None] for value in (mean, of_seeds, of_queries))

    def product(shares: Floats) -> Floats:
        """Return log T + log B at c, the shares of the mean; the minimum lies between 0 and all of it."""
        seeds_t, queries_t = _ratio(((1 - shares) * mean) ** 2, of_seeds), _ratio((shares * mean) ** 2, of_queries)
        parts = [log_bayes_factor(seeds_t, seeds - 1, seeds * variance) for variance in OF_SEEDS]
        mixed = np.logaddexp.reduce(parts, axis=0) - np.log(len(parts))
        return np.asarray(mixed + log_bayes_factor(queries_t, freedom, OF_QUERIES))

    coarse = np.linspace(0, 1, STEPS + 1)
    near = coarse[product(coarse).argmin(axis=-1)]
    fine = near[..., None] + np.linspace(-1, 1, 2 * STEPS + 1) / STEPS
    return np.asarray(product(np.clip(fine, 0, 1)).min(axis=-1))


def log_bayes_factor(squared_t: npt.ArrayLike, freedom: float, spread: float) -> Floats:
    """Return the logarithm of how much likelier t is if the effect is normal with a spread than if there is none.

    An effect over its standard deviation has, a priori, ``spread`` times the variance of the estimate's error; the
    right Haar prior on the unknown variance makes this the Bayes factor of the data (Gronau, Ly and Wagenmakers 2020,
    equation 4 with a normal prior about 0).
    """
    t, share = np.asarray(squared_t) / freedom, 1 / (1 + spread)
    # (1 + t) / (1 + share t), written so that no t is too large
    small, inverse = np.minimum(t, 1), 1 / np.maximum(t, 1)
    ratio = np.where(t > 1, (inverse + 1) / (inverse + share), (1 + small) / (1 + share * small))
    return np.asarray(0.5 * np.log(share) + (freedom + 1) / 2 * np.log(ratio))


def _ratio(squared: Floats, error: Floats) -> Floats:
    """Return squares over squared errors; infinite where nothing varies, 0 where nothing differs."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(squared > 0, squared / error, 0.0))
