"""Tables as figures read them."""

from pathlib import Path

import pandas as pd

from synthrank.errors import DataError
from synthrank.figures.style import KINDS
from synthrank.specs.base import NONE

MACRO = "macro-average"


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
