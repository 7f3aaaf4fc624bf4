"""Check names of measures while the configuration is read, without the slow import of ir_measures and its providers."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from synthrank.errors import closest, list_known

Cutoff = Literal["needed", "possible", "none"]

_LEVEL = {"rel": "[1-9][0-9]?|100"}
_BINARY = _LEVEL | {"judged_only": "True|False"}

MEASURES: dict[str, tuple[Cutoff, dict[str, str]]] = {
    "nDCG": ("possible", {"judged_only": "True|False"}),
    "AP": ("possible", _BINARY),
    "MAP": ("possible", _BINARY),
    "RR": ("possible", _LEVEL),
    "MRR": ("possible", _LEVEL),
    "P": ("needed", _BINARY),
    "R": ("needed", _BINARY),
    "Recall": ("needed", _BINARY),
    "Success": ("needed", _BINARY),
    "Judged": ("needed", {}),
    "Rprec": ("none", _BINARY),
    "Bpref": ("none", _LEVEL),
}
"""For each measure whether it has a cutoff ``@k``, and its parameters with the pattern of their values.

trec_eval's code or ir_measures itself computes all of them from binary or graded judgments. Other measures of
ir_measures need another form of judgments (alpha_nDCG), an external program (ERR), or a package that is not installed
(RBP).
"""

_FORM = re.compile(r"(?P<name>[^(@]+)(?:\((?P<params>[^)]*)\))?(?:@(?P<cutoff>.*))?")
_RUN_TOGETHER = re.compile(r"([A-Za-z]+)[ _-]?([1-9][0-9]*)")


def check_measure(name: str) -> str:
    """Return the name of a measure.

    Raises:
        ValueError: the measure is unknown, or its cutoff or a parameter is wrong.
    """
    form = _FORM.fullmatch(name)
    if not form or form["name"] not in MEASURES:
        raise ValueError(f"unknown measure {name!r}{_suggest_measure(name)}")
    cutoff, params = MEASURES[form["name"]]
    if form["cutoff"] is None and cutoff == "needed":
        raise ValueError(f"measure {name!r} needs a cutoff, for example {name}@10")
    if form["cutoff"] is not None and cutoff == "none":
        raise ValueError(f"measure {name!r} takes no cutoff; remove @{form['cutoff']}")
    if form["cutoff"] is not None and not re.fullmatch("[1-9][0-9]{0,5}", form["cutoff"]):
        raise ValueError(
            f"the cutoff of measure {name!r:.100} must be a whole number of at least 1 and below 1,000,000"
        )
    seen = set()
    for item in form["params"].split(",") if form["params"] is not None else ():
        key, _, value = (part.strip() for part in item.partition("="))
        if key not in params or key in seen or not re.fullmatch(params[key], value):
            known = list_known(f"{key}={values}" for key, values in params.items())
            raise ValueError(f"measure {name!r} has an unknown or repeated parameter {item.strip()!r} ({known})")
        seen.add(key)
    return name


def _suggest_measure(name: str) -> str:
    """Return the tail of a message: the measure that is meant, or all measures."""
    split = _RUN_TOGETHER.fullmatch(name)
    base = split[1] if split else re.split(r"[@(]", name)[0]
    rest = f"@{split[2]}" if split else name[len(base) :]
    lower = {known.lower(): known for known in MEASURES}
    meant = closest(base, lower)
    return f"; did you mean {lower[meant] + rest!r}?" if meant else f" ({list_known(MEASURES)})"


def cutoff_of(name: str) -> int | None:
    """Return the cutoff of a measure, or None if it uses the whole ranking."""
    _, _, cutoff = name.partition("@")
    return int(cutoff) if cutoff else None


MeasureName = Annotated[str, AfterValidator(check_measure)]
"""The name of a measure in the notation of ir_measures, for example ``nDCG@10``."""
