"""How well each system ranks: training sets by rankers by distributions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt

from synthrank.figures.style import PANEL, colour, panel_of, shape, titled
from synthrank.figures.tables import UNTRAINED, trained_panels


def chart(data: Sequence[Path]) -> Any:
    """Return a point with its interval for each training set, a panel for each ranker and distribution.

    A dashed line shows the experiment's first first stage, where it has one.

    Args:
        data: results/tables/id.csv and results/tables/ood.csv.

    Raises:
        DataError: a table is empty.
    """
    frame = trained_panels(data)
    rankers = list(dict.fromkeys(frame["ranker"]))
    frame = frame.sort_values("ranker", key=lambda column: column.map(rankers.index), kind="stable")
    names = sorted(dict.fromkeys(frame["system"]), key=lambda name: name == UNTRAINED)  # stable: the rest keep theirs
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(
        y=alt.Y("system:N", sort=names, title=None, axis=alt.Axis(labelLimit=280)),
        color=colour("system", names).legend(None),
    )
    lines = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("ci_low:Q", title=measure, scale=alt.Scale(zero=False)), x2="ci_high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="mean:Q", shape=shape("system", names).legend(None)
    )
    layers = lines + points
    first_stages = frame["first_stage"].dropna().unique()
    if len(first_stages):
        dashed = alt.Chart(frame).mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color="#555555")
        layers = dashed.encode(x="mean(first_stage_mean):Q") + layers
    panels = layers.properties(width=PANEL, height=alt.Step(18)).facet(panel_of(frame, "panel"), columns=2)
    return titled(
        panels,
        f"{measure} by training set, ranker and distribution",
        "Out of distribution: the macro average of the test sets, where there are several.",
        "Lines: bootstrap intervals over test queries; they say nothing of other training seeds.",
        "Whether two systems differ is in the tables: overlapping intervals do not settle it.",
        *(f"Dashed: {name}, the first stage." for name in first_stages),
    )
