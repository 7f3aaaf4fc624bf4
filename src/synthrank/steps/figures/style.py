"""The style of all figures, and the function that writes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from synthrank.config.distribution import TITLES
from synthrank.data.files import atomic_path

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
"""The palette of Okabe and Ito, safe for colour-blind readers; points also have different shapes."""

PANEL = 260
"""Width of a panel in pixels."""

KINDS = {distribution: title.lower() for distribution, title in TITLES.items()}

_CONFIG = {
    "font": "DejaVu Sans, Arial, sans-serif",
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "gridColor": "#e5e5e5", "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 11, "titleFontSize": 12, "orient": "bottom", "columns": 4, "labelLimit": 320},
    "header": {"labelFontSize": 12, "title": None, "labelLimit": 360},
    "title": {"fontSize": 14, "anchor": "start", "subtitleFontSize": 11, "subtitleColor": "#555555", "offset": 12},
    "view": {"stroke": "#cccccc"},
    "background": "#ffffff",
}


def colour(field: str, names: Sequence[str]) -> Any:
    """Return a colour scale over the names, the same in every panel."""
    scale = alt.Scale(domain=list(names), range=[COLOURS[place % len(COLOURS)] for place in range(len(names))])
    return alt.Color(field, type="nominal", scale=scale, title=None)


def shape(field: str, names: Sequence[str]) -> Any:
    """Return a shape scale over the names; with :func:`colour` of the same names it has one legend."""
    return alt.Shape(field, type="nominal", scale=alt.Scale(domain=list(names)), title=None)


def panel_of(frame: pd.DataFrame, field: str) -> Any:
    """Return a panel per value of a column, in the order of the table."""
    return alt.Facet(field, type="nominal", sort=list(dict.fromkeys(frame[field])))


def add_title(chart: Any, title: str, *lines: str) -> Any:
    """Return a chart with its title and, below it, the lines of its caption."""
    return chart.properties(title=alt.TitleParams(title, subtitle=list(lines))).configure(**_CONFIG)


def write_chart(chart: Any, svg: Path, pdf: Path, vega: Path) -> None:
    """Write a chart as SVG, PDF and Vega-Lite with its data; each file is written atomically."""
    for path, kind in ((svg, "svg"), (pdf, "pdf"), (vega, "json")):
        with atomic_path(path) as made:
            chart.save(made, format=kind)
