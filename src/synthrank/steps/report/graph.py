"""A drawing of the experiment's rules and of the files that they pass to each other."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import igraph

ACROSS, DOWN = 150, 54
"""Pixels between rules in a row, and between rows."""

INK, PAPER = "#222222", "#ffffff"
"""Colours that the page inverts in dark mode."""


def draw_graph(rules: Sequence[Sequence[str]], edges: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the Vega-Lite specification of the drawing, layered by Sugiyama's method.

    Args:
        rules: the name of each rule, followed by other fields.
        edges: pairs of a rule and a rule that reads its output. Pairs of the same rule are not drawn, and neither are
            pairs that other lines connect.
    """
    graph = igraph.Graph(directed=True)
    names = [name for name, *_ in rules]
    graph.add_vertices(names)
    graph.add_edges([(one, other) for one, other in edges if one != other])
    _thin_out(graph)
    joined = [(names[edge.source], names[edge.target]) for edge in graph.es]
    places = _close_gaps(dict(zip(names, graph.layout_sugiyama(maxiter=1000).coords, strict=True)))
    nodes = [{"rule": name, "x": x, "y": y} for name, (x, y) in places.items()]
    columns, rows = ([place[axis] for place in places.values()] for axis in (0, 1))
    ends = [(*places[one], *places[other]) for one, other in joined]
    lines = [{"x": x, "y": y, "x2": x2, "y2": y2} for x, y, x2, y2 in ends]
    across = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[min(columns) - 0.6, max(columns) + 0.6]))
    down = alt.Y("y:Q", axis=None, scale=alt.Scale(reverse=True, domain=[min(rows) - 0.5, max(rows) + 0.5]))
    edge_marks = alt.Chart(alt.InlineData(values=lines)).mark_rule(color="#888888", opacity=0.7)
    drawn = edge_marks.encode(x=across, y=down, x2="x2:Q", y2="y2:Q")
    base = alt.Chart(alt.InlineData(values=nodes)).encode(x=across, y=down)
    boxes = base.mark_text(fontSize=11, stroke=PAPER, strokeWidth=7, color=PAPER).encode(text="rule:N")
    words = base.mark_text(fontSize=11, color=INK).encode(text="rule:N")
    size = {
        "width": int((max(columns) - min(columns) + 1.2) * ACROSS),
        "height": int((max(rows) - min(rows) + 1) * DOWN),
    }
    chart = (drawn + boxes + words).properties(**size)
    look = {"font": "DejaVu Sans, Arial, sans-serif", "background": PAPER, "view": {"stroke": None}}
    spec: dict[str, Any] = chart.configure(**look).to_dict()
    return spec


def _thin_out(graph: igraph.Graph) -> None:
    """Delete every edge between two rules that a longer path connects in the same direction."""
    for one, other in graph.get_edgelist():
        graph.delete_edges([(one, other)])
        if other not in graph.subcomponent(one, mode="out"):
            graph.add_edge(one, other)


def _close_gaps(places: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float]]:
    """Return the positions with the gaps between the rules of each row closed, and the rows centred.

    Sugiyama's method leaves gaps for lines, which makes a drawing of fifty rules five screens wide.
    """
    rows: dict[float, list[str]] = defaultdict(list)
    for name, (_, y) in sorted(places.items(), key=lambda item: item[1][0]):
        rows[y].append(name)
    return {name: (at - (len(row) - 1) / 2, y) for y, row in rows.items() for at, name in enumerate(row)}
