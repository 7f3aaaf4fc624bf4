"""Each test set by itself: how far recipes are from human passages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt

from synthrank.figures.style import KINDS, PANEL, colour, panel_of, shape, titled
from synthrank.figures.tables import UNTRAINED, first_measure, read_distributions, system_names
from synthrank.specs.base import NONE

ALPHA = 0.05


def chart(data: Sequence[Path]) -> Any:
    """Return a point for each recipe, LLM and test set: its mean less that of human passages, for the same ranker.

    Args:
        data: results/tables/id.csv and results/tables/ood.csv.

    Raises:
        DataError: both tables are empty.
    """
    frame = first_measure(read_distributions(data))
    frame["system"] = system_names(frame).where(frame["recipe"] != NONE, UNTRAINED)
    # with human ones, and the untrained last, so that each has the colour of the other figures
    names = sorted(dict.fromkeys(frame["system"]), key=lambda name: name == UNTRAINED)
    frame = frame[frame["delta"].notna()]
    frame["place"] = frame["testset"] + frame["distribution"].map({"id": f" ({KINDS['id']})", "ood": ""})
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(
        x=alt.X("delta:Q", title=f"{measure} less that of human passages"),
        y=alt.Y("place:N", sort=None, title=None, axis=alt.Axis(labelLimit=240)),
        yOffset=alt.YOffset("system:N", sort=names),
        color=colour("system", names),
        shape=shape("system", names),
    )
    points = base.mark_point(size=55, strokeWidth=1.5)
    marked = base.transform_filter(alt.datum.p_holm < ALPHA).mark_point(size=55, filled=True, opacity=1)
    zero = alt.Chart(frame).mark_rule(color="#888888", strokeDash=[4, 3]).encode(x=alt.datum(0))
    layers = (zero + points + marked).properties(width=PANEL, height=alt.Step(9))
    return titled(
        layers.facet(panel_of(frame, "ranker"), columns=2),
        f"{measure}: difference to human passages, test set by test set",
        f"Filled: Holm's p below {ALPHA} within the table and ranker.",
        "An open point does not say that they are equal, a filled one not that the difference matters.",
    )
