"""Tables as figures read them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from synthrank.errors import DataError
from synthrank.figures.style import KINDS
from synthrank.places import MACRO
from synthrank.specs.base import NONE

UNTRAINED = "not trained"
"""What a legend calls a ranker as it was before training."""


def read_table(path: Path) -> pd.DataFrame:
    """Read a table.

    Raises:
        DataError: it has no row.
    """
    frame: pd.DataFrame = pd.read_csv(path, keep_default_na=False, na_values=[""])
    if frame.empty:
        raise DataError(
            f"{path}: has no row, so there is nothing to draw; look at the experiment's section of its name"
        )
    return frame


def read_distributions(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the rows of id.csv and ood.csv; an experiment may have test sets of one kind only.

    Raises:
        DataError: no table has a row.
    """
    tables = [pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in paths]
    kept = [table.assign(distribution=path.stem) for table, path in zip(tables, paths, strict=True) if len(table)]
    return pd.concat(kept) if kept else read_table(paths[0])


def first_measure(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first measure, the one to look at."""
    first: pd.DataFrame = frame[frame["measure"] == frame["measure"].iloc[0]]
    return first.copy()


def summary_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a system and distribution: the macro average, or the one test set where there is no average."""
    macro = set(frame.loc[frame["testset"] == MACRO, "distribution"])
    return frame[(frame["testset"] == MACRO) | ~frame["distribution"].isin(macro)].copy()


def system_names(frame: pd.DataFrame) -> pd.Series:
    """Return what a legend calls each row: its recipe, and who wrote its passages where there are several."""
    llms = frame["llm"].where(frame["llm"] != NONE)
    several = llms.nunique() > 1
    return frame["recipe"] + (" by " + llms).fillna("") if several else frame["recipe"]


def panels_of(path: Path) -> pd.DataFrame:
    """Return the rows of a table that figures with a panel for each ranker and distribution show, with both named.

    Raises:
        DataError: the table has no row.
    """
    frame = first_measure(summary_rows(read_table(path)))
    panels = frame["ranker"] + ", " + frame["distribution"].map(KINDS)
    return frame.assign(system=system_names(frame), panel=panels)


def trained_panels(paths: Sequence[Path]) -> pd.DataFrame:
    """Return the rows of id.csv and ood.csv that show rankers, as :func:`panels_of` does those of other tables.

    A first stage is not trained on any recipe, so that it has nothing to be compared in a panel of its own: the columns
    ``first_stage`` and ``first_stage_mean`` have the name and the value of the experiment's first one, missing where it
    has none.

    Raises:
        DataError: no table has a row.
    """
    frame = first_measure(summary_rows(read_distributions(paths)))
    untrained = frame["recipe"] == NONE
    trained = frame["ranker"].isin(set(frame.loc[~untrained, "ranker"]))
    first = frame[~trained]
    first = first[first["ranker"].isin(first["ranker"].head(1))].set_index("distribution")
    frame = frame[trained]
    panels = frame["ranker"] + ", " + frame["distribution"].map(KINDS)
    return frame.assign(
        system=system_names(frame).where(frame["recipe"] != NONE, UNTRAINED),
        panel=panels,
        first_stage=frame["distribution"].map(first["ranker"]),
        first_stage_mean=frame["distribution"].map(first["mean"]),
    )
