"""Read tables for figures."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from synthrank.config.base import NONE
from synthrank.config.distribution import MACRO
from synthrank.errors import DataError
from synthrank.steps.figures.style import KINDS

UNTRAINED = "untrained"
"""The name of an untrained ranker in legends."""


def read_table(path: Path) -> pd.DataFrame:
    """Read a table.

    Raises:
        DataError: the table has no rows.
    """
    frame: pd.DataFrame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    if frame.empty:
        raise DataError(f"{path}: has no rows to draw; check the experiment's section {path.stem!r}")
    return frame


def read_distributions(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the rows of id.csv and ood.csv, one of which may be empty.

    Raises:
        DataError: both tables are empty.
    """
    tables = [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in paths]
    kept = [table.assign(distribution=path.stem) for table, path in zip(tables, paths, strict=True) if len(table)]
    return pd.concat(kept) if kept else read_table(paths[0])


def first_measure(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first measure."""
    first: pd.DataFrame = frame[frame["measure"] == frame["measure"].iloc[0]]
    return first.copy()


def summary_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per system and distribution: the macro average, or the only test set."""
    macro = set(frame.loc[frame["testset"] == MACRO, "distribution"])
    return frame[(frame["testset"] == MACRO) | ~frame["distribution"].isin(macro)].copy()


def system_names(frame: pd.DataFrame) -> pd.Series:
    """Return the name of each row in legends: its recipe, with its LLM if the table has several."""
    llms = frame["llm"].where(frame["llm"] != NONE)
    several = llms.nunique() > 1
    return frame["recipe"] + (" by " + llms).fillna("") if several else frame["recipe"]


def _label(rankers: pd.Series) -> pd.Series:
    """Return the names of rankers in titles of panels."""
    return rankers.str.replace("+first-stage", " (fused)", regex=False)


def panels_of(path: Path) -> pd.DataFrame:
    """Return the rows of a table for figures with a panel per ranker and distribution.

    The columns ``system`` and ``panel`` have the names of systems and panels.

    Raises:
        DataError: the table has no rows.
    """
    frame = first_measure(summary_rows(read_table(path)))
    panels = _label(frame["ranker"]) + ", " + frame["distribution"].map(KINDS)
    return frame.assign(system=system_names(frame), panel=panels)


def trained_panels(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the rankers' rows of id.csv and ood.csv, as :func:`panels_of` does for other tables.

    First stages have no panels, because they are not trained. The columns ``first_stage`` and ``first_stage_mean``
    have the name and the mean of the experiment's first of its first stages, and are empty if it has no first stage.

    Raises:
        DataError: both tables are empty.
    """
    frame = first_measure(summary_rows(read_distributions(paths)))
    untrained = frame["recipe"] == NONE
    trained = frame["ranker"].isin(set(frame.loc[~untrained, "ranker"]))
    first = frame[~trained]
    first = first[first["ranker"].isin(first["ranker"].head(1))].set_index("distribution")
    frame = frame[trained]
    panels = _label(frame["ranker"]) + ", " + frame["distribution"].map(KINDS)
    return frame.assign(
        system=system_names(frame).where(frame["recipe"] != NONE, UNTRAINED),
        panel=panels,
        first_stage=frame["distribution"].map(first["ranker"]),
        first_stage_mean=frame["distribution"].map(first["mean"]),
    )
