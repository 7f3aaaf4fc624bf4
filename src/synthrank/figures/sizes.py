"""Effectiveness against the number of training queries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from synthrank.figures.style import COLOURS, PANEL, colour, panel_of, shape, titled
from synthrank.figures.tables import panels_of

APART = 1.035
"""By this factor points of the same size stand beside each other, so that their intervals can be told apart."""


def chart(data: Sequence[Path]) -> Any:
    """Return a line for each recipe and LLM, a panel for each ranker and distribution, with intervals over queries.

    Args:
        data: results/tables/sizes.csv.

    Raises:
        DataError: the table is empty.
    """
    frame = panels_of(data[0])
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    frame["beside"] = frame["size"] * frame["system"].map(names.index).map(
        lambda place: APART ** (place - len(names) / 2)
    )
    sizes = sorted(int(size) for size in frame["size"].unique())
    axis = alt.Axis(values=sizes, format="d")
    base = alt.Chart(frame).encode(
        x=alt.X("beside:Q", title="training queries", scale=alt.Scale(type="log", nice=False, padding=20), axis=axis),
        color=colour("system", names),
    )
    lines = base.mark_line(strokeWidth=1.5).encode(y=alt.Y("mean:Q", title=measure, scale=alt.Scale(zero=False)))
    points = base.mark_point(filled=True, size=50, opacity=1).encode(y="mean:Q", shape=shape("system", names))
    intervals = base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y="ci_low:Q", y2="ci_high:Q")
    panels = (intervals + lines + points).properties(width=PANEL, height=200).facet(panel_of(frame, "panel"), columns=2)
    return titled(
        panels.resolve_scale(y="independent"),
        f"{measure} by the number of training queries",
        *_caption(frame, names),
    )


def _caption(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    lines = [
        f"Mean of {int(frame['seeds'].min())} training seeds; lines: bootstrap intervals over test queries.",
        "Smaller samples lie within larger ones. Panels have axes of their own.",
    ]
    if len(names) > len(COLOURS):
        lines.append("Colours repeat: tell lines apart by their shapes.")
    return lines
