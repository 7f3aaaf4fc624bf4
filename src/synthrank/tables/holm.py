"""Correction of p for how many tests were made."""

from collections.abc import Sequence

from statsmodels.stats.multitest import multipletests


def holm(family: Sequence[float]) -> list[float]:
    """Return the p of a family, adjusted by Holm's method (1979): below alpha where the test holds among all of them.

    Args:
        family: the p of every test of the family.
    """
    if not family:
        return []
    return [float(p) for p in multipletests(list(family), method="holm")[1]]
