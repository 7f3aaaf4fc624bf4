"""What became of a claim, and why: one rule for every claim, and the same adjusted p for and against it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from synthrank.tables.pipes import chance

if TYPE_CHECKING:
    from synthrank.tables.claims import Row

VERDICTS = ("supported", "contradicted", "equivalent", "undecided", "insensitive")

_WISHES = MappingProxyType(
    {
        "gain": "a gain",
        "loss": "a loss",
        "non-inferiority": "no loss as large as the margin",
        "equivalence": "no difference as large as the margin",
        "no-gain": "no gain as large as the margin",
    }
)
"""What each claim expects, in words."""


def nearer_margin(effect: float, margin: float) -> float:
    """Return the margin, with its sign, on the effect's side of 0.

    Of the two one-sided tests of equivalence (TOST, Schuirmann 1987) the one at this margin has the larger p.
    """
    return margin if effect >= 0 else -margin


def point_of(expects: str, effect: float, margin: float) -> float:
    """Return the difference that a claim is tested against, two-sided: on one side of it the claim holds.

    A gain and a loss lie on either side of 0, no loss as large as the margin (non-inferiority) above -margin, no gain
    as large as the margin below +margin, and no difference as large as it between the two.
    """
    return {"gain": 0.0, "loss": 0.0, "non-inferiority": -margin, "no-gain": margin}.get(
        expects, nearer_margin(effect, margin)
    )


def verdict(row: Row) -> str:
    """Return what became of a row's claim; each test holds where its p, adjusted for the family, is below alpha.

    insensitive: training on human passages is not shown to gain more than the margin, so that nothing which training
    sets do to this ranker here is known to matter; equivalent: else, if the effect is shown to lie within the margin,
    whatever is expected; supported or contradicted: else, if the effect is shown to lie on one side of the claim's
    point, and that is or is not the side that the claim expects; undecided: else.
    """
    if not (row.gain > row.margin and row.p_gain < row.alpha):
        return "insensitive"
    if abs(row.effect) < row.margin and row.p_equivalent < row.alpha:
        return "equivalent"
    if row.p_family >= row.alpha:
        return "undecided"
    above = row.effect > point_of(row.expects, row.effect, row.margin)
    return "supported" if _holds(row, above) else "contradicted"


def _holds(row: Row, above: bool) -> bool:
    """Tell whether a claim holds where the effect lies above, or below, the claim's point."""
    if row.expects == "equivalence":
        return abs(row.effect) < row.margin
    return above == (row.expects in ("gain", "non-inferiority"))


def why(row: Row) -> str:
    """Return the reason of a row's verdict in one sentence."""
    effect = f"the effect of {_interval(row.effect, row.ci_low, row.ci_high)}"
    p = f"adjusted p {chance(row.p_family)}"
    if row.verdict == "insensitive":
        gain = _interval(row.gain, row.gain_low, row.gain_high)
        return (
            f"Training on {row.gate} changed the untrained ranker by {gain}, which is not shown to exceed the margin "
            f"of {row.margin:g} (adjusted p {chance(row.p_gain)}), so this ranker cannot tell training sets apart here."
        )
    if row.verdict == "equivalent":
        said = (
            "so the difference that the claim expects is too small to count"
            if row.expects in ("gain", "loss")
            else "as the claim expects"
        )
        within = f"lies within the margin of {row.margin:g} (adjusted p {chance(row.p_equivalent)})"
        return f"{_capital(effect)} {within}, {said}."
    point = point_of(row.expects, row.effect, row.margin)
    at = "0" if point == 0 else f"{point:+g}"
    if row.verdict == "undecided":
        return (
            f"{_capital(effect)} is shown neither to differ from {at} ({p}) nor to lie within the margin of "
            f"{row.margin:g} (adjusted p {chance(row.p_equivalent)})."
        )
    side = "above" if row.effect > point else "below"
    but = "and" if row.verdict == "supported" else "but"
    return f"{_capital(effect)} lies {side} {at} ({p}), {but} the claim expects {_WISHES[row.expects]}."


def _interval(mean: float, low: float, high: float) -> str:
    return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
