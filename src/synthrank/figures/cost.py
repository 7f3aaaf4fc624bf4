"""What the passages of a training set cost, against how well rankers trained on them rank."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from synthrank.figures.style import PANEL, colour, panel_of, shape, titled
from synthrank.figures.tables import UNTRAINED, read_table, trained_panels
from synthrank.specs.base import NONE, load
from synthrank.specs.recipes import RecipeSpec, Sized, base_and_size


def chart(data: Sequence[Path]) -> Any:
    """Return a point for each training set whose cost is known, a panel for each ranker and distribution.

    Args:
        data: results/tables/cost.csv, id.csv and ood.csv, then the entity files of the recipes.

    Raises:
        DataError: a table is empty.
    """
    costs, *tables = data[:3]
    paid = read_table(costs)
    unit = "actual_usd" if paid["actual_usd"].sum() > 0 else "tokens"
    of_paradigm = paid.assign(tokens=paid["tokens_in"] + paid["tokens_out"]).set_index(["corpus", "paradigm", "llm"])
    frame = trained_panels(tables)
    frame = frame[frame["system"] != UNTRAINED]
    keys = _keys(data[3:])
    spent = [
        [of_paradigm[unit].get((*key, row.llm)) for key in keys[base_and_size(str(row.recipe))[0]]]
        for row in frame.itertuples()
    ]
    frame["cost"] = [sum(cost for cost in items if cost is not None) for items in spent]
    # An LLM without a cost wrote queries and no passages; a point at zero would say that they were free.
    frame = frame[
        [llm == NONE or any(cost is not None for cost in items) for llm, items in zip(frame["llm"], spent, strict=True)]
    ]
    return _drawn(frame, "US dollars" if unit == "actual_usd" else "tokens read and written (no reply cost money)")


def _keys(recipes: Iterable[Path]) -> dict[str, list[tuple[str, str]]]:
    """Return (corpus, paradigm) of all that each recipe takes passages of."""
    specs = {path.stem: load(RecipeSpec, path) for path in recipes}
    return {
        name: [(spec.corpus, paradigm) for paradigm in spec.paradigms] if isinstance(spec, Sized) else []
        for name, spec in specs.items()
    }


def _drawn(frame: pd.DataFrame, unit: str) -> Any:
    names = list(dict.fromkeys(frame["system"]))
    measure = frame["measure"].iloc[0]
    base = alt.Chart(frame).encode(x=alt.X("cost:Q", title=unit), color=colour("system", names))
    lines = base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(
        y=alt.Y("ci_low:Q", title=measure, scale=alt.Scale(zero=False)), y2="ci_high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(y="mean:Q", shape=shape("system", names))
    panels = (lines + points).properties(width=PANEL, height=200).facet(panel_of(frame, "panel"), columns=2)
    return titled(
        panels.resolve_scale(y="independent"),
        f"{measure} against what language models took to write the passages",
        "Cost: of every reply to the prompts of a training set, of all seeds, those that were not used included.",
        "Not in it: human judgments, training, machines and electricity. Panels have axes of their own. Recipes of",
        "queries that a language model wrote are left out: the table of costs is of passages.",
        "Lines: bootstrap intervals over test queries.",
    )
