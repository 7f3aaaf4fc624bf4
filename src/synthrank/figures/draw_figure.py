"""Step draw_figure: one figure of the experiment."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from synthrank.figures.charts import claims, cost, differences, effectiveness, enrichment, passages, sizes
from synthrank.figures.style import write_chart

CHARTS: Mapping[str, Callable[[Sequence[Path]], Any]] = MappingProxyType(
    {chart.__name__: chart for chart in (claims, cost, differences, effectiveness, enrichment, passages, sizes)}
)
"""What can be drawn, each out of the tables that ``needs.figure_data`` names."""


def draw_figure(*, figure: str, data: list[Path], svg: Path, pdf: Path, vega: Path) -> None:
    """Draw a figure.

    Args:
        figure: its name.
        data: the tables it shows.
        svg: written: the figure for screens.
        pdf: written: the figure for papers.
        vega: written: its Vega-Lite specification, data included, for pages where it is interactive.

    Raises:
        DataError: a table is empty.
    """
    write_chart(CHARTS[figure](data), svg, pdf, vega)
