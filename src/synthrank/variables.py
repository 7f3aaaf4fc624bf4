"""The environment variables that people set, read in one place; one that is set but empty counts as not set.

They say where things are and how a job talks, never what a result is: no rule runs again because one changed.
"""

import math
import os
from pathlib import Path

from synthrank.errors import ConfigError

STORE, DATA, BUDGET = "SYNTHRANK_STORE", "SYNTHRANK_DATA", "SYNTHRANK_BUDGET_USD"
DEBUG, PROGRESS = "SYNTHRANK_DEBUG", "SYNTHRANK_PROGRESS"
DEFAULT_STORE = "results/store"


def store_folder(project: Path = Path()) -> Path:
    """Return the folder of all stored replies: ``SYNTHRANK_STORE``, or ``results/store`` of a project."""
    return project / (_value(STORE) or DEFAULT_STORE)


def data_folder() -> Path:
    """Return the directory of collections and files of one's own: ``SYNTHRANK_DATA``, or ``data``."""
    return Path(_value(DATA) or "data")


def budget_usd() -> float | None:
    """Return the experiment's limit in US dollars, which the workflow hands to every job as ``SYNTHRANK_BUDGET_USD``.

    Raises:
        ConfigError: it is no number, or a negative one.
    """
    limit = _value(BUDGET)
    if not limit:
        return None
    try:
        found = float(limit)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise ConfigError(f"{BUDGET}: got {limit!r}; expected US dollars, 0 or more")
    return found


def tracebacks() -> bool:
    """Return whether errors show their traceback: ``SYNTHRANK_DEBUG`` is set."""
    return bool(_value(DEBUG))


def bar_is_off() -> bool:
    """Return whether progress goes to the log alone: ``SYNTHRANK_PROGRESS=log``, or ``CI`` is set."""
    return _value(PROGRESS) == "log" or bool(_value("CI"))


def turn_bar_off() -> None:
    """Let this process and those that it starts write progress to the log alone."""
    os.environ[PROGRESS] = "log"


def _value(name: str) -> str:
    return os.environ.get(name, "").strip()
