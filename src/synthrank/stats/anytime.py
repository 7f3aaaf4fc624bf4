"""E-values of claims: evidence that stays valid if it is computed repeatedly while training seeds are added.

If a hypothesis is true, the probability that its e-process ever reaches 1 / alpha is at most alpha (Ville's
inequality). A test that rejects when the e-process reaches 1 / alpha therefore has an error rate of at most alpha, for
any rule of adding seeds and stopping (Ramdas, Gruenwald, Vovk and Shafer 2023, Game-theoretic statistics and safe
anytime-valid inference). A p-value of a fixed number of seeds does not have this property.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synthrank.errors import DataError

Floats = npt.NDArray[np.float64]

OF_SEEDS = (0.0, 1.0, 10.0, 100.0)
"""Prior variances of an effect, in variances of a seed's mean, with equal weights. The first means no effect; it limits
the loss by the seeds' factor if queries decide."""

OF_QUERIES = 10.0
"""Prior variance of an effect, in squared standard errors over queries."""

STEPS = 50
"""Steps of the search for the infimum, in each of its two passes."""


def e_value(testsets: Sequence[Floats], first: int, point: float = 0.0) -> float:
    """Return the e-value against the hypothesis that the mean difference is ``point``, over queries and seeds.

    The model is the one of the two-way test, d_sq = mu + a_q + b_s + e_sq with normal parts. Seeds s are added; the
    queries q are the same for all seeds. Let c be the mean of a_q over these queries. For any c, the means of the seeds
    have the mean mu + c. The Bayes factor T_S(c) of a t test of S seeds, with the right Haar prior on the unknown
    variance, is therefore an e-process for mu = point (Perez-Ortiz, Lardy, de Heide and Gruenwald 2024, E-statistics,
    group invariance and anytime-valid testing; Wang and Ramdas 2025). The ratio of c to its standard error, computed
    from the queries' means over the seeds of the first look, has at most the spread of t with the queries' degrees of
    freedom. The Bayes factor B(c) of this t is therefore an e-value, and later seeds do not change it. The parts of
    seeds and queries are independent, so T_S(c) B(c) is an e-process, and so is its minimum:

        E_S = min over c of T_S(c) B(c),  S >= the seeds of the first look.

    Over several test sets, c is the mean of their c, its squared error is sum_t A_t as in the two-way test, and B is
    the Bayes factor of t with the degrees of freedom of the smallest test set. The squared error has less spread, in
    convex order, than a squared error with these degrees of freedom, and B is convex in it.

    E_S is also an e-value of the one-sided hypotheses on the other side of the point, because it decreases as the point
    moves towards the effect.

    Args:
        testsets: the differences of each test set, shape (seeds, queries), with seeds in the order of their addition.
        first: number of seeds at the first look, at least 2 and fixed in advance.
        point: the hypothesis.

    Returns:
        The e-value, or 1 if the spread over queries is unknown because a test set has only one query.

    Raises:
        DataError: there are fewer seeds than at the first look.
    """
    by_seed = np.mean([values.mean(axis=1) for values in testsets], axis=0) - point
    if len(by_seed) < first:
        raise DataError(
            f"results/metrics: two systems share {len(by_seed)} training seeds, but claims.first_look is {first}; "
            f"train both with at least {first} common seeds"
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
    """Return the logarithm of :func:`e_value` of many studies of the same shape.

    Args:
        mean: differences from the point.
        of_seeds: squared standard errors of the mean over seeds, with ``seeds`` - 1 degrees of freedom.
        seeds: number of seeds.
        of_queries: squared standard errors over queries at the first look.
        freedom: degrees of freedom of ``of_queries``.
    """
    mean, of_seeds, of_queries = (np.asarray(value, dtype=float)[..., None] for value in (mean, of_seeds, of_queries))

    def product(shares: Floats) -> Floats:
        """Return log T + log B, with c as shares of the mean; the minimum is between 0 and 1."""
        seeds_t, queries_t = _ratio(((1 - shares) * mean) ** 2, of_seeds), _ratio((shares * mean) ** 2, of_queries)
        parts = [log_bayes_factor(seeds_t, seeds - 1, seeds * variance) for variance in OF_SEEDS]
        mixed = np.logaddexp.reduce(parts, axis=0) - np.log(len(parts))
        return np.asarray(mixed + log_bayes_factor(queries_t, freedom, OF_QUERIES))

    coarse = np.linspace(0, 1, STEPS + 1)
    near = coarse[product(coarse).argmin(axis=-1)]
    fine = near[..., None] + np.linspace(-1, 1, 2 * STEPS + 1) / STEPS
    return np.asarray(product(np.clip(fine, 0, 1)).min(axis=-1))


def log_bayes_factor(squared_t: npt.ArrayLike, freedom: float, spread: float) -> Floats:
    """Return the logarithm of the Bayes factor of t: a normal effect with a spread against no effect.

    A priori, the effect has ``spread`` times the variance of the estimate's error. With the right Haar prior on the
    unknown variance this is the Bayes factor of the data (Gronau, Ly and Wagenmakers 2020, equation 4 with a normal
    prior about 0).
    """
    t, share = np.asarray(squared_t) / freedom, 1 / (1 + spread)
    # (1 + t) / (1 + share t), without overflow for large t
    small, inverse = np.minimum(t, 1), 1 / np.maximum(t, 1)
    ratio = np.where(t > 1, (inverse + 1) / (inverse + share), (1 + small) / (1 + share * small))
    return np.asarray(0.5 * np.log(share) + (freedom + 1) / 2 * np.log(ratio))


def _ratio(squared: Floats, error: Floats) -> Floats:
    """Return squares over squared errors: infinite if the error is 0, and 0 if the square is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(squared > 0, squared / error, 0.0))
