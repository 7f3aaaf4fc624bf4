"""Holm's correction of p-values for the number of tests."""

from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests


def holm(family: Sequence[float]) -> list[float]:
    """Return the p-values of a family of tests, adjusted by Holm's method (1979).

    Args:
        family: the p-values of all tests of the family.
    """
    if not family:
        return []
    return [float(p) for p in multipletests(list(family), method="holm")[1]]
