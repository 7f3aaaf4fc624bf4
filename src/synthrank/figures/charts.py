"""The figures: each a function that takes the tables it shows and returns a chart.

All raise DataError if a table that they need has no row.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from synthrank.figures.style import COLOURS, KINDS, PANEL, colour, panel_of, shape, titled
from synthrank.figures.tables import (
    UNTRAINED,
    first_measure,
    panels_of,
    read_distributions,
    read_table,
    system_names,
    trained_panels,
)
from synthrank.specs.base import NONE, load
from synthrank.specs.recipes import RecipeSpec, Sized, base_and_size

ALPHA = 0.05

APART = 1.035
"""By this factor points of the same size stand beside each other, so that their intervals can be told apart."""

QUANTILES = {"low": 0.05, "lower": 0.25, "middle": 0.5, "upper": 0.75, "high": 0.95}

VERDICTS = {
    "supported": "#0072B2",
    "contradicted": "#D55E00",
    "equivalent": "#009E73",
    "undecided": "#777777",
    "insensitive": "#bbbbbb",
}


def effectiveness(data: Sequence[Path]) -> Any:
    """Return a point with its interval for each training set, a panel for each ranker and distribution.

    A dashed line shows the experiment's first first stage, where it has one.

    Args:
        data: results/tables/id.csv and results/tables/ood.csv.
    """
    frame = trained_panels(data)
    rankers = list(dict.fromkeys(frame["ranker"]))
    frame = frame.sort_values("ranker", key=lambda column: column.map(rankers.index), kind="stable")
    names = _untrained_last(frame)
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(y=_rows(names, 280), color=colour("system", names).legend(None))
    lines = base.mark_rule(strokeWidth=1.5).encode(x=_from_data("ci_low", measure, alt.X), x2="ci_high:Q")
    points = _dots(base, 60).encode(x="mean:Q", shape=shape("system", names).legend(None))
    layers = lines + points
    first_stages = frame["first_stage"].dropna().unique()
    if len(first_stages):
        dashed = alt.Chart(frame).mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color="#555555")
        layers = dashed.encode(x="mean(first_stage_mean):Q") + layers
    return titled(
        _panels(frame, layers, height=alt.Step(18)),
        f"{measure} by training set, ranker and distribution",
        "Out of distribution: the macro average of the test sets, where there are several.",
        "Lines: bootstrap intervals over test queries; they say nothing of other training seeds.",
        "Whether two systems differ is in the tables: overlapping intervals do not settle it.",
        *(f"Dashed: {name}, the first stage." for name in first_stages),
    )


def differences(data: Sequence[Path]) -> Any:
    """Return a point for each recipe, LLM and test set: its mean less that of human passages, for the same ranker.

    Args:
        data: results/tables/id.csv and results/tables/ood.csv.
    """
    frame = first_measure(read_distributions(data))
    frame["system"] = system_names(frame).where(frame["recipe"] != NONE, UNTRAINED)
    names = _untrained_last(frame)  # human passages among them, so that each has the colour of the other figures
    frame = frame[frame["delta"].notna()]
    frame["place"] = frame["testset"] + frame["distribution"].map({"id": f" ({KINDS['id']})", "ood": ""})
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(
        x=alt.X("delta:Q", title=f"{measure} less that of human passages"),
        y=_rows(None, 240, "place"),
        yOffset=alt.YOffset("system:N", sort=names),
        color=colour("system", names),
        shape=shape("system", names),
    )
    points = base.mark_point(size=55, strokeWidth=1.5)
    marked = _dots(base.transform_filter(alt.datum.p_holm < ALPHA), 55)
    zero = alt.Chart(frame).mark_rule(color="#888888", strokeDash=[4, 3]).encode(x=alt.datum(0))
    return titled(
        _panels(frame, zero + points + marked, "ranker", height=alt.Step(9)),
        f"{measure}: difference to human passages, test set by test set",
        f"Filled: Holm's p below {ALPHA} within the table and ranker.",
        "An open point does not say that they are equal, a filled one not that the difference matters.",
    )


def claims(data: Sequence[Path]) -> Any:
    """Return the claims as a forest plot: the effect of each with its interval, beside the margin of equivalence.

    Args:
        data: results/tables/claims.csv.
    """
    frame = read_table(data[0])
    frame["row"] = frame[["claim", "treatment", "distribution", "ranker"]].agg(" · ".join, axis=1)
    measure, margin = frame["measure"].iloc[0], float(frame["margin"].iloc[0])
    verdict = alt.Color("verdict:N", title=None, scale=alt.Scale(domain=list(VERDICTS), range=list(VERDICTS.values())))
    base = alt.Chart(frame).encode(y=_rows(None, 520, "row"), color=verdict)
    band = (
        alt.Chart(frame).transform_calculate(low=str(-margin), high=str(margin)).mark_rect(color="#f0f0f0")
        .encode(x="min(low):Q", x2="max(high):Q")
    )  # fmt: skip
    zero = alt.Chart(frame).mark_rule(color="#888888").encode(x=alt.datum(0))
    lines = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("ci_low:Q", title=f"effect: {measure} of the treatment less that of the control"), x2="ci_high:Q"
    )
    points = _dots(base, 70).encode(
        x="effect:Q", shape=alt.Shape("verdict:N", scale=alt.Scale(domain=list(VERDICTS)), title=None)
    )
    return titled(
        (band + zero + lines + points).properties(width=420),
        "The claims, and what was measured",
        "Lines: intervals of each effect by itself. Grey: the margin within which a difference counts as none.",
        "Colours: the verdicts of the table, adjusted for all rows. Equivalent: shown to lie within the margin.",
        "Insensitive: training on human passages is not shown to help this ranker by more than the margin.",
    )


def enrichment(data: Sequence[Path]) -> Any:
    """Return a bar for human passages alone, with as many further ones, and with each synthetic kind.

    Args:
        data: results/tables/enrichment.csv.
    """
    frame = panels_of(data[0])
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(y=_rows(None, 280))
    bars = base.mark_bar(opacity=0.8, height={"band": 0.7}).encode(
        x=alt.X("mean:Q", title=measure), color=colour("system", names).legend(None)
    )
    intervals = base.mark_rule(color="#222222", strokeWidth=1.5).encode(x="ci_low:Q", x2="ci_high:Q")
    return titled(
        _panels(frame, bars + intervals),
        f"{measure} of human passages, and of what is added to them",
        "Lines: bootstrap intervals of each mean over test queries.",
        "Whether two systems differ is in the table, by pairs.",
    )


def sizes(data: Sequence[Path]) -> Any:
    """Return a line for each recipe and LLM, a panel for each ranker and distribution, with intervals over queries.

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
    lines = base.mark_line(strokeWidth=1.5).encode(y=_from_data("mean", measure, alt.Y))
    points = _dots(base, 50).encode(y="mean:Q", shape=shape("system", names))
    intervals = base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y="ci_low:Q", y2="ci_high:Q")
    return titled(
        _panels(frame, intervals + lines + points, height=200).resolve_scale(y="independent"),
        f"{measure} by the number of training queries",
        f"Mean of {int(frame['seeds'].min())} training seeds; lines: bootstrap intervals over test queries.",
        "Smaller samples lie within larger ones. Panels have axes of their own.",
        *(["Colours repeat: tell lines apart by their shapes."] if len(names) > len(COLOURS) else []),
    )


def cost(data: Sequence[Path]) -> Any:
    """Return a point for each training set whose cost is known, a panel for each ranker and distribution.

    Args:
        data: results/tables/cost.csv, id.csv and ood.csv, then the entity files of the recipes.
    """
    costs, *tables = data[:3]
    paid = read_table(costs)
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
    # An LLM without a cost wrote queries and no passages; a point at zero would say that they were free.
    frame = frame[
        [llm == NONE or any(cost is not None for cost in items) for llm, items in zip(frame["llm"], spent, strict=True)]
    ]
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    title = "US dollars" if unit == "actual_usd" else "tokens read and written (no reply cost money)"
    base = alt.Chart(frame).encode(x=alt.X("cost:Q", title=title), color=colour("system", names))
    lines = base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y=_from_data("ci_low", measure, alt.Y), y2="ci_high:Q")
    points = _dots(base, 60).encode(y="mean:Q", shape=shape("system", names))
    return titled(
        _panels(frame, lines + points, height=200).resolve_scale(y="independent"),
        f"{measure} against what language models took to write the passages",
        "Cost: of every reply to the prompts of a training set, of all seeds, those that were not used included.",
        "Not in it: human judgments, training, machines and electricity. Panels have axes of their own. Recipes of",
        "queries that a language model wrote are left out: the table of costs is of passages.",
        "Lines: bootstrap intervals over test queries.",
    )


def passages(data: Sequence[Path]) -> Any:
    """Return the length of each training set's passages and the words that they share with their queries, as boxes.

    Args:
        data: results/validity/trainsets/{recipe}/{llm}/draw-{draw}/passages.csv of each training set.
    """
    names = [recipe if llm == NONE else f"{recipe} by {llm}" for recipe, llm in (path.parts[-4:-2] for path in data)]
    frame = pd.concat([read_table(path).assign(system=name) for path, name in zip(data, names, strict=True)])
    shown = {"words": "words of a passage", "query_overlap": "share of the query's words that it has"}
    return titled(
        alt.hconcat(*(_boxes(frame, field, title) for field, title in shown.items()), spacing=30),
        "Length and lexical overlap of the training passages",
        "Lines: 5 % to 95 % of the passages; boxes: the middle half; ticks: the median.",
        "Where training sets differ here, a ranker can learn the difference in place of relevance.",
    )


def _boxes(frame: pd.DataFrame, field: str, title: str) -> Any:
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


def _untrained_last(frame: pd.DataFrame) -> list[str]:
    return sorted(dict.fromkeys(frame["system"]), key=lambda name: name == UNTRAINED)  # stable: the rest keep theirs


def _rows(names: Sequence[str] | None, limit: int, field: str = "system") -> Any:
    """Return a row for each value of a column, in the order of the names, or of the table."""
    return alt.Y(f"{field}:N", sort=names, title=None, axis=alt.Axis(labelLimit=limit))


def _from_data(field: str, measure: str, axis: Any) -> Any:
    """Return an axis that shows the range of the values, not all from zero."""
    return axis(f"{field}:Q", title=measure, scale=alt.Scale(zero=False))


def _dots(base: Any, size: int) -> Any:
    return base.mark_point(filled=True, size=size, opacity=1)


def _panels(frame: pd.DataFrame, layers: Any, field: str = "panel", **size: Any) -> Any:
    """Return the layers in a panel for each value of a column, two beside each other."""
    return layers.properties(width=PANEL, **size).facet(panel_of(frame, field), columns=2)
