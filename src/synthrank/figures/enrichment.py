"""What synthetic passages add to human ones."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt

from synthrank.figures.style import PANEL, colour, panel_of, titled
from synthrank.figures.tables import panels_of


def chart(data: Sequence[Path]) -> Any:
    """Return a bar for human passages alone, with as many further ones, and with each synthetic kind.

    Args:
        data: results/tables/enrichment.csv.

    Raises:
        DataError: the table is empty.
    """
    frame = panels_of(data[0])
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(y=alt.Y("system:N", sort=None, title=None, axis=alt.Axis(labelLimit=280)))
    bars = base.mark_bar(opacity=0.8, height={"band": 0.7}).encode(
        x=alt.X("mean:Q", title=measure), color=colour("system", names).legend(None)
    )
    intervals = base.mark_rule(color="#222222", strokeWidth=1.5).encode(x="ci_low:Q", x2="ci_high:Q")
    panels = (bars + intervals).properties(width=PANEL).facet(panel_of(frame, "panel"), columns=2)
    return titled(
        panels,
        f"{measure} of human passages, and of what is added to them",
        "Lines: bootstrap intervals of each mean over test queries.",
        "Whether two systems differ is in the table, by pairs.",
    )
