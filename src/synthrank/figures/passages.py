"""What the training passages are like: their length, and the words that they share with their queries."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from synthrank.figures.style import PANEL, colour, titled
from synthrank.figures.tables import read_table

QUANTILES = {"low": 0.05, "lower": 0.25, "middle": 0.5, "upper": 0.75, "high": 0.95}

_SHOWN = {"words": "words of a passage", "query_overlap": "share of the query's words that it has"}


def chart(data: Sequence[Path]) -> Any:
    """Return the two distributions of each training set, as boxes.

    Args:
        data: results/validity/trainsets/{recipe}/{llm}/draw-{draw}/passages.csv of each training set.

    Raises:
        DataError: a training set has no passage.
    """
    frame = pd.concat([read_table(path).assign(system=_name(path)) for path in data])
    names = list(dict.fromkeys(frame["system"]))
    panels = [_panel(frame, field, title, names) for field, title in _SHOWN.items()]
    return titled(
        alt.hconcat(*panels, spacing=30),
        "Length and lexical overlap of the training passages",
        "Lines: 5 % to 95 % of the passages; boxes: the middle half; ticks: the median.",
        "Where training sets differ here, a ranker can learn the difference in place of relevance.",
    )


def _panel(frame: pd.DataFrame, field: str, title: str, names: Sequence[str]) -> Any:
    of_system = frame.groupby("system", sort=False)[field]
    boxes = pd.DataFrame({name: of_system.quantile(share) for name, share in QUANTILES.items()})
    axis = alt.Axis(labelLimit=320) if field == "words" else None
    base = alt.Chart(boxes.reset_index()).encode(y=alt.Y("system:N", sort=list(names), title=None, axis=axis))
    hue = colour("system", names).legend(None)
    lines = base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title=title), x2="high:Q", color=hue)
    bars = base.mark_bar(height={"band": 0.55}, opacity=0.75).encode(x="lower:Q", x2="upper:Q", color=hue)
    ticks = base.mark_tick(color="#000000", thickness=2, height={"band": 0.55}).encode(x="middle:Q")
    return (lines + bars + ticks).properties(width=PANEL, height=alt.Step(26))


def _name(path: Path) -> str:
    recipe, llm = path.parts[-4:-2]
    return recipe if llm == "none" else f"{recipe} by {llm}"
