"""Step draw_figure: draw one figure of the experiment."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from synthrank.steps.figures.charts import claims, cost, differences, effectiveness, enrichment, passages, sizes
from synthrank.steps.figures.style import write_chart

CHARTS: Mapping[str, Callable[[Sequence[Path]], Any]] = MappingProxyType(
    {chart.__name__: chart for chart in (claims, cost, differences, effectiveness, enrichment, passages, sizes)}
)
"""The figures by name; ``rules/figures.smk`` states the tables of each."""


def draw_figure(*, figure: str, data: list[Path], svg: Path, pdf: Path, vega: Path) -> None:
    """Draw a figure.

    Args:
        figure: the name of the figure.
        data: the tables to show.
        svg: written: the figure for screens.
        pdf: written: the figure for papers.
        vega: written: the Vega-Lite specification with its data, for interactive pages.

    Raises:
        DataError: a table is empty.
    """
    write_chart(CHARTS[figure](data), svg, pdf, vega)
