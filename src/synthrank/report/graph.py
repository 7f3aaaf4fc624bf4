"""The rules of the experiment as a drawing: who reads what whom made."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import igraph

ACROSS, DOWN = 150, 54
"""Pixels from one rule to the next in a row, and from row to row."""

INK, PAPER = "#222222", "#ffffff"
"""Colours that the page turns round where it is dark."""


def draw_graph(rules: Sequence[Sequence[str]], edges: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return the Vega-Lite specification of the drawing, a layered one by Sugiyama's method.

    Args:
        rules: their names, each with what else is known of it.
        edges: a rule, and one that reads what it makes; one that reads what it makes itself is drawn as any other. No
            line is drawn where others lead from the one to the other.
    """
    graph = igraph.Graph(directed=True)
    names = [name for name, *_ in rules]
    graph.add_vertices(names)
    graph.add_edges([(one, other) for one, other in edges if one != other])
    _thin_out(graph)
    joined = [(names[edge.source], names[edge.target]) for edge in graph.es]
    places = _closed_up(dict(zip(names, graph.layout_sugiyama(maxiter=1000).coords, strict=True)))
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
    """Take away every line between two rules that other lines join in the same direction."""
    for one, other in graph.get_edgelist():
        graph.delete_edges([(one, other)])
        if other not in graph.subcomponent(one, mode="out"):
            graph.add_edge(one, other)


def _closed_up(places: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float]]:
    """Return the places with the rules of each row side by side, in their order, and the rows centred.

    The method keeps room for lines between the rules, which makes fifty of them five screens wide.
    """
    rows: dict[float, list[str]] = defaultdict(list)
    for name, (_, y) in sorted(places.items(), key=lambda item: item[1][0]):
        rows[y].append(name)
    return {name: (at - (len(row) - 1) / 2, y) for y, row in rows.items() for at, name in enumerate(row)}
