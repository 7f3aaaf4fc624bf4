"""The claims of the study as a forest plot."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt

from synthrank.figures.style import titled
from synthrank.figures.tables import read_table

_VERDICTS = {
    "supported": "#0072B2",
    "contradicted": "#D55E00",
    "equivalent": "#009E73",
    "undecided": "#777777",
    "insensitive": "#bbbbbb",
}


def chart(data: Sequence[Path]) -> Any:
    """Return the effect of each claim with its interval, beside the margin of equivalence.

    Args:
        data: results/tables/claims.csv.

    Raises:
        DataError: the table is empty.
    """
    frame = read_table(data[0])
    frame["row"] = frame[["claim", "treatment", "distribution", "ranker"]].agg(" · ".join, axis=1)
    measure, margin = frame["measure"].iloc[0], float(frame["margin"].iloc[0])
    place = alt.Y("row:N", sort=None, title=None, axis=alt.Axis(labelLimit=520))
    verdict = alt.Color(
        "verdict:N", title=None, scale=alt.Scale(domain=list(_VERDICTS), range=list(_VERDICTS.values()))
    )
    base = alt.Chart(frame).encode(y=place, color=verdict)
    band = (
        alt.Chart(frame).transform_calculate(low=str(-margin), high=str(margin)).mark_rect(color="#f0f0f0")
        .encode(x="min(low):Q", x2="max(high):Q")
    )  # fmt: skip
    zero = alt.Chart(frame).mark_rule(color="#888888").encode(x=alt.datum(0))
    lines = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("ci_low:Q", title=f"effect: {measure} of the treatment less that of the control"), x2="ci_high:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="effect:Q", shape=alt.Shape("verdict:N", scale=alt.Scale(domain=list(_VERDICTS)), title=None)
    )
    return titled(
        (band + zero + lines + points).properties(width=420),
        "The claims, and what was measured",
        "Lines: intervals of each effect by itself. Grey: the margin within which a difference counts as none.",
        "Colours: the verdicts of the table, adjusted for all rows. Equivalent: shown to lie within the margin.",
        "Insensitive: training on human passages is not shown to help this ranker by more than the margin.",
    )
