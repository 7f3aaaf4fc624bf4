"""Verdicts on claims and their reasons; the same adjusted p decides for and against a claim."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from synthrank.steps.tables.markdown import format_p

if TYPE_CHECKING:
    from synthrank.steps.tables.claims import ClaimRow

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
"""The expectation of each kind of claim, in words."""


def nearer_margin(effect: float, margin: float) -> float:
    """Return the margin, with its sign, on the effect's side of 0.

    In the two one-sided tests of equivalence (TOST, Schuirmann 1987), the test at this margin has the larger p.
    """
    return margin if effect >= 0 else -margin


def point_of(expects: str, effect: float, margin: float) -> float:
    """Return the difference that a claim is tested against, two-sided; the claim holds on one side of it.

    The point is 0 for a gain and a loss, -margin for non-inferiority (the claim holds above it), +margin for no-gain
    (the claim holds below it), and the margin nearer to the effect for equivalence.
    """
    return {"gain": 0.0, "loss": 0.0, "non-inferiority": -margin, "no-gain": margin}.get(
        expects, nearer_margin(effect, margin)
    )


def verdict(row: ClaimRow) -> str:
    """Return the verdict on a row's claim. A test is significant if its p, adjusted for the family, is below alpha.

    The verdict is the first that applies. ``insensitive``: training on human passages does not gain significantly more
    than the margin, so this ranker cannot distinguish training sets here. ``equivalent``: the effect is significantly
    within the margin, for any expectation. ``supported`` or ``contradicted``: the effect is significantly on the side
    of the claim's point that the claim expects, or on the other side. ``undecided``: no test is significant.
    """
    if not (row.gain > row.margin and row.p_gain < row.alpha):
        return "insensitive"
    if abs(row.effect) < row.margin and row.p_equivalent < row.alpha:
        return "equivalent"
    if row.p_family >= row.alpha:
        return "undecided"
    above = row.effect > point_of(row.expects, row.effect, row.margin)
    return "supported" if _holds(row, above) else "contradicted"


def _holds(row: ClaimRow, above: bool) -> bool:
    """Return whether a claim holds if the effect is above, or not above, the claim's point."""
    if row.expects == "equivalence":
        return abs(row.effect) < row.margin
    return above == (row.expects in ("gain", "non-inferiority"))


def explain_verdict(row: ClaimRow) -> str:
    """Return the reason of a row's verdict in one sentence."""
    effect = f"the effect of {_format_interval(row.effect, row.ci_low, row.ci_high)}"
    p = f"adjusted p {format_p(row.p_family)}"
    if row.verdict == "insensitive":
        gain = _format_interval(row.gain, row.gain_low, row.gain_high)
        return (
            f"Training on {row.gate} changed the untrained ranker by {gain}, which does not significantly exceed the "
            f"margin of {row.margin:g} (adjusted p {format_p(row.p_gain)}), so this ranker cannot distinguish training "
            "sets here."
        )
    if row.verdict == "equivalent":
        reason = (
            "so the difference that the claim expects is too small to count"
            if row.expects in ("gain", "loss")
            else "as the claim expects"
        )
        within = f"is within the margin of {row.margin:g} (adjusted p {format_p(row.p_equivalent)})"
        return f"{_capitalise(effect)} {within}, {reason}."
    point = point_of(row.expects, row.effect, row.margin)
    at = "0" if point == 0 else f"{point:+g}"
    if row.verdict == "undecided":
        return (
            f"{_capitalise(effect)} does not differ significantly from {at} ({p}) and is not significantly within the "
            f"margin of {row.margin:g} (adjusted p {format_p(row.p_equivalent)})."
        )
    side = "above" if row.effect > point else "below"
    but = "and" if row.verdict == "supported" else "but"
    return f"{_capitalise(effect)} is {side} {at} ({p}), {but} the claim expects {_WISHES[row.expects]}."


def _format_interval(mean: float, low: float, high: float) -> str:
    return f"{mean:+.4f} [{low:+.4f}, {high:+.4f}]"


def _capitalise(text: str) -> str:
    return text[0].upper() + text[1:]
