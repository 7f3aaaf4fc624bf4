"""Environment variables that users set. An empty variable counts as unset.

The variables set folders, logging and the budget. They do not change results, so no rule reruns if a variable changes.
"""

import math
import os
from pathlib import Path

from synthrank.errors import ConfigError

STORE, DATA, BUDGET = "SYNTHRANK_STORE", "SYNTHRANK_DATA", "SYNTHRANK_BUDGET_USD"
DEBUG, PROGRESS = "SYNTHRANK_DEBUG", "SYNTHRANK_PROGRESS"
DEFAULT_STORE = "results/store"


def store_folder(project: Path = Path()) -> Path:
    """Return the folder of all stored replies: ``SYNTHRANK_STORE``, by default ``results/store`` in the project."""
    return project / (_value(STORE) or DEFAULT_STORE)


def data_folder() -> Path:
    """Return the folder of the user's corpora and other files: ``SYNTHRANK_DATA``, by default ``data``."""
    return Path(_value(DATA) or "data")


def budget_usd() -> float | None:
    """Return the experiment's limit in US dollars, which the workflow passes to every job as ``SYNTHRANK_BUDGET_USD``.

    Raises:
        ConfigError: the limit is negative or not a finite number.
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
    """Return whether errors show their traceback, that is, whether ``SYNTHRANK_DEBUG`` is set."""
    return bool(_value(DEBUG))


def bar_is_off() -> bool:
    """Return whether progress goes only to the log: ``SYNTHRANK_PROGRESS`` is ``log`` or ``CI`` is set."""
    return _value(PROGRESS) == "log" or bool(_value("CI"))


def turn_bar_off() -> None:
    """Make this process and its child processes write progress only to the log."""
    os.environ[PROGRESS] = "log"


def _value(name: str) -> str:
    return os.environ.get(name, "").strip()
