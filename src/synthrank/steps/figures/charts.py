"""The figures. Each function takes the tables to show and returns a chart.

All functions raise DataError if a required table has no rows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from synthrank.config.base import NONE, load
from synthrank.config.recipes import RecipeSpec, Sized, base_and_size
from synthrank.data.paths import TRAINSET
from synthrank.errors import DataError
from synthrank.steps.figures.style import COLOURS, KINDS, PANEL, add_title, colour, panel_of, shape
from synthrank.steps.figures.tables import (
    UNTRAINED,
    first_measure,
    panels_of,
    read_distributions,
    read_table,
    system_names,
    trained_panels,
)

ALPHA = 0.05

APART = 1.035
"""Factor between points with the same training size, so that their intervals do not overlap."""

QUANTILES = {"low": 0.05, "lower": 0.25, "middle": 0.5, "upper": 0.75, "high": 0.95}

VERDICTS = {
    "supported": "#0072B2",
    "contradicted": "#D55E00",
    "equivalent": "#009E73",
    "undecided": "#777777",
    "insensitive": "#bbbbbb",
}


def effectiveness(data: Sequence[Path]) -> Any:
    """Return a point with its interval per training set, with a panel per ranker and distribution.

    A dashed line shows the experiment's first of its first stages, if it has one.

    Args:
        data: results/tables/id.csv and results/tables/ood.csv.
    """
    frame = trained_panels(data)
    rankers = list(dict.fromkeys(frame["ranker"]))
    frame = frame.sort_values("ranker", key=lambda column: column.map(rankers.index), kind="stable")
    names = _order_systems(frame)
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(y=_encode_rows(names, 280), color=colour("system", names).legend(None))
    lines = base.mark_rule(strokeWidth=1.5).encode(x=_fit_axis("ci_low", measure, alt.X), x2="ci_high:Q")
    points = _mark_dots(base, 60).encode(x="mean:Q", shape=shape("system", names).legend(None))
    layers = lines + points
    first_stages = frame["first_stage"].dropna().unique()
    if len(first_stages):
        dashed = alt.Chart(frame).mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color="#555555")
        layers = dashed.encode(x="mean(first_stage_mean):Q") + layers
    return add_title(
        _facet(frame, layers, height=alt.Step(18)),
        f"{measure} by training set, ranker and distribution",
        "Out of distribution: the macro average, if there are several test sets.",
        "Lines: bootstrap intervals over test queries. They do not include the variance of training seeds.",
        "To compare two systems, see the tests in the tables, not the overlap of intervals.",
        *(f"Dashed: {name}, the first stage." for name in first_stages),
    )


def differences(data: Sequence[Path]) -> Any:
    """Return a point per recipe, LLM and test set: the mean minus the mean of the ranker trained on human passages.

    Args:
        data: results/tables/id.csv and results/tables/ood.csv.
    """
    frame = first_measure(read_distributions(data))
    if "delta" not in frame:
        raise DataError(f"{data[0].parent}: no system is compared with human passages; add a recipe of human passages")
    frame["system"] = system_names(frame).where(frame["recipe"] != NONE, UNTRAINED)
    names = _order_systems(frame)  # including human passages, so that colours match the other figures
    frame = frame[frame["delta"].notna()]
    frame["place"] = frame["testset"] + frame["distribution"].map({"id": f" ({KINDS['id']})", "ood": ""})
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(
        x=alt.X("delta:Q", title=f"{measure} minus {measure} with human passages"),
        y=_encode_rows(None, 240, "place"),
        yOffset=alt.YOffset("system:N", sort=names),
        color=colour("system", names),
        shape=shape("system", names),
    )
    points = base.mark_point(size=55, strokeWidth=1.5)
    marked = _mark_dots(base.transform_filter(alt.datum.p_holm < ALPHA), 55)
    zero = alt.Chart(frame).mark_rule(color="#888888", strokeDash=[4, 3]).encode(x=alt.datum(0))
    return add_title(
        _facet(frame, zero + points + marked, "ranker", height=alt.Step(9)),
        f"{measure}: difference to human passages by test set",
        f"Filled: significant (p below {ALPHA}, Holm-adjusted within table and ranker).",
        "Open: not significant, which does not mean equal. Significant differences may be too small to matter.",
    )


def claims(data: Sequence[Path]) -> Any:
    """Return the claims as a forest plot: effects with intervals, and the margin of equivalence.

    Args:
        data: results/tables/claims.csv.
    """
    frame = read_table(data[0])
    frame["row"] = frame[["claim", "treatment", "distribution", "ranker"]].agg(" · ".join, axis=1)
    measure, margin = frame["measure"].iloc[0], float(frame["margin"].iloc[0])
    verdict = alt.Color("verdict:N", title=None, scale=alt.Scale(domain=list(VERDICTS), range=list(VERDICTS.values())))
    base = alt.Chart(frame).encode(y=_encode_rows(None, 520, "row"), color=verdict)
    band = (
        alt.Chart(frame).transform_calculate(low=str(-margin), high=str(margin)).mark_rect(color="#f0f0f0")
        .encode(x="min(low):Q", x2="max(high):Q")
    )  # fmt: skip
    zero = alt.Chart(frame).mark_rule(color="#888888").encode(x=alt.datum(0))
    lines = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("ci_low:Q", title=f"effect: {measure} of treatment minus control"), x2="ci_high:Q"
    )
    points = _mark_dots(base, 70).encode(
        x="effect:Q", shape=alt.Shape("verdict:N", scale=alt.Scale(domain=list(VERDICTS)), title=None)
    )
    return add_title(
        (band + zero + lines + points).properties(width=420),
        "Claims: effects and verdicts",
        "Lines: unadjusted intervals. Grey: the margin within which a difference does not matter.",
        "Colours: verdicts, adjusted for all rows. Equivalent: significantly within the margin.",
        "Insensitive: training on human passages does not significantly improve this ranker by more than the margin.",
    )


def enrichment(data: Sequence[Path]) -> Any:
    """Return a bar for only human passages, for human passages with more human passages, and with each other kind.

    Args:
        data: results/tables/enrichment.csv.
    """
    frame = panels_of(data[0])
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(y=_encode_rows(None, 280))
    bars = base.mark_bar(opacity=0.8, height={"band": 0.7}).encode(
        x=alt.X("mean:Q", title=measure), color=colour("system", names).legend(None)
    )
    intervals = base.mark_rule(color="#222222", strokeWidth=1.5).encode(x="ci_low:Q", x2="ci_high:Q")
    return add_title(
        _facet(frame, bars + intervals),
        f"{measure} of human passages with and without added passages",
        "Lines: bootstrap intervals of each mean over test queries.",
        "To compare two systems, see the paired tests in the table.",
    )


def sizes(data: Sequence[Path]) -> Any:
    """Return a line per recipe and LLM with intervals over queries, and a panel per ranker and distribution.

    Args:
        data: results/tables/sizes.csv.
    """
    frame = panels_of(data[0])
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    frame["beside"] = frame["size"] * frame["system"].map(names.index).map(
        lambda place: APART ** (place - len(names) / 2)
    )
    axis = alt.Axis(values=sorted(int(size) for size in frame["size"].unique()), format="d")
    scale = alt.Scale(type="log", nice=False, padding=20)
    base = alt.Chart(frame).encode(
        x=alt.X("beside:Q", title="training queries", scale=scale, axis=axis), color=colour("system", names)
    )
    lines = base.mark_line(strokeWidth=1.5).encode(y=_fit_axis("mean", measure, alt.Y))
    points = _mark_dots(base, 50).encode(y="mean:Q", shape=shape("system", names))
    intervals = base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y="ci_low:Q", y2="ci_high:Q")
    return add_title(
        _facet(frame, intervals + lines + points, height=200).resolve_scale(y="independent"),
        f"{measure} by the number of training queries",
        f"Mean of {int(frame['seeds'].min())} training seeds; lines: bootstrap intervals over test queries.",
        "Larger samples contain smaller samples. Panels have separate axes.",
        *(["Colours repeat: use the shapes to distinguish lines."] if len(names) > len(COLOURS) else []),
    )


def cost(data: Sequence[Path]) -> Any:
    """Return a point per training set with a known cost, and a panel per ranker and distribution.

    Args:
        data: results/tables/cost.csv, id.csv and ood.csv, then the entity files of the recipes.
    """
    costs, *tables = data[:3]
    paid = read_table(costs)
    paid = paid[paid["kind"] == "passages"]
    unit = "actual_usd" if paid["actual_usd"].sum() > 0 else "tokens"
    of_paradigm = paid.assign(tokens=paid["tokens_in"] + paid["tokens_out"]).set_index(["corpus", "paradigm", "llm"])
    frame = trained_panels(tables)
    frame = frame[frame["system"] != UNTRAINED]
    recipes = {path.stem: load(RecipeSpec, path) for path in data[3:]}
    spent = []
    for row in frame.itertuples():
        spec = recipes[base_and_size(str(row.recipe))[0]]
        paradigms = spec.paradigms if isinstance(spec, Sized) else ()
        spent.append([of_paradigm[unit].get((spec.corpus, paradigm, row.llm)) for paradigm in paradigms])
    frame["cost"] = [sum(cost for cost in items if cost is not None) for items in spent]
    # LLMs without a cost generated queries, whose cost is not 0 but unknown here.
    frame = frame[
        [llm == NONE or any(cost is not None for cost in items) for llm, items in zip(frame["llm"], spent, strict=True)]
    ]
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    title = "US dollars" if unit == "actual_usd" else "input and output tokens (all replies were free)"
    base = alt.Chart(frame).encode(x=alt.X("cost:Q", title=title), color=colour("system", names))
    lines = base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y=_fit_axis("ci_low", measure, alt.Y), y2="ci_high:Q")
    points = _mark_dots(base, 60).encode(y="mean:Q", shape=shape("system", names))
    return add_title(
        _facet(frame, lines + points, height=200).resolve_scale(y="independent"),
        f"{measure} by the cost of generating passages",
        "Cost: all replies to the prompts of a training set, for all seeds, including unused replies.",
        "Not included: human judgments, training, machines and electricity. Panels have separate axes.",
        "Recipes with generated queries are left out; the table has the cost of queries.",
        "Lines: bootstrap intervals over test queries.",
    )


def passages(data: Sequence[Path]) -> Any:
    """Return box plots of the length and the query overlap of each training set's passages.

    Args:
        data: results/validity/trainsets/{recipe}/{llm}/draw-{draw}/passages.csv of each training set.
    """
    trainsets = [TRAINSET.names(path.parent) for path in data]
    names = [item["recipe"] if item["llm"] == NONE else "{recipe} by {llm}".format_map(item) for item in trainsets]
    frame = pd.concat([read_table(path).assign(system=name) for path, name in zip(data, names, strict=True)])
    shown = {"words": "words per passage", "query_overlap": "share of the query's words in the passage"}
    return add_title(
        alt.hconcat(*(_draw_boxes(frame, field, title) for field, title in shown.items()), spacing=30),
        "Length and query overlap of the training passages",
        "Lines: 5 % to 95 % of the passages; boxes: the middle half; ticks: the median.",
        "A ranker may learn such differences between training sets instead of relevance.",
    )


def _draw_boxes(frame: pd.DataFrame, field: str, title: str) -> Any:
    names = list(dict.fromkeys(frame["system"]))
    of_system = frame.groupby("system", sort=False)[field]
    boxes = pd.DataFrame({name: of_system.quantile(share) for name, share in QUANTILES.items()})
    axis = alt.Axis(labelLimit=320) if field == "words" else None
    base = alt.Chart(boxes.reset_index()).encode(y=alt.Y("system:N", sort=names, title=None, axis=axis))
    hue = colour("system", names).legend(None)
    lines = base.mark_rule(strokeWidth=1.5).encode(x=alt.X("low:Q", title=title), x2="high:Q", color=hue)
    bars = base.mark_bar(height={"band": 0.55}, opacity=0.75).encode(x="lower:Q", x2="upper:Q", color=hue)
    ticks = base.mark_tick(color="#000000", thickness=2, height={"band": 0.55}).encode(x="middle:Q")
    return (lines + bars + ticks).properties(width=PANEL, height=alt.Step(26))


def _order_systems(frame: pd.DataFrame) -> list[str]:
    return sorted(dict.fromkeys(frame["system"]), key=lambda name: name == UNTRAINED)  # a stable sort


def _encode_rows(names: Sequence[str] | None, limit: int, field: str = "system") -> Any:
    """Return a row per value of a column, in the order of the names, or of the table."""
    return alt.Y(f"{field}:N", sort=names, title=None, axis=alt.Axis(labelLimit=limit))


def _fit_axis(field: str, measure: str, axis: Any) -> Any:
    """Return an axis that covers the range of the values and need not include zero."""
    return axis(f"{field}:Q", title=measure, scale=alt.Scale(zero=False))


def _mark_dots(base: Any, size: int) -> Any:
    return base.mark_point(filled=True, size=size, opacity=1)


def _facet(frame: pd.DataFrame, layers: Any, field: str = "panel", **size: Any) -> Any:
    """Return the layers in a panel per value of a column, with two panels per line."""
    return layers.properties(width=PANEL, **size).facet(panel_of(frame, field), columns=2)
