"""Names of measures, checked while the configuration is read; to ask ir_measures would import its providers."""

import re
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import AfterValidator

Cutoff = Literal["needed", "possible", "none"]

_LEVEL = {"rel": "[1-9][0-9]*"}
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
"""Of each measure whether ``@k`` stands behind it, and its parameters with the pattern of their values.

All are computed by trec_eval's code, or by ir_measures itself, out of binary or graded judgments of one aspect. Others
that ir_measures names need judgments of another form (alpha_nDCG), a program beside Python (ERR), or a package that is
not installed (RBP).
"""

_FORM = re.compile(r"(?P<name>[^(@]+)(?:\((?P<params>[^)]*)\))?(?:@(?P<cutoff>.*))?")


def checked(name: str) -> str:
    """Return the name of a measure as it is.

    Raises:
        ValueError: no such measure can be computed here.
    """
    form = _FORM.fullmatch(name)
    if not form or form["name"] not in MEASURES:
        lower = {known.lower(): known for known in MEASURES}
        alike = get_close_matches(form["name"].lower(), lower, n=1, cutoff=0.5) if form else []
        meant = f"; did you mean {lower[alike[0]] + name[len(form['name']) :]!r}?" if form and alike else ""
        raise ValueError(f"no such measure can be computed{meant} (known: {', '.join(MEASURES)})")
    cutoff, params = MEASURES[form["name"]]
    if form["cutoff"] is None and cutoff == "needed":
        raise ValueError(f"the measure {form['name']} needs a cutoff, for example {form['name']}@10")
    if form["cutoff"] is not None and cutoff == "none":
        raise ValueError(f"the measure {form['name']} has no cutoff; leave @ out")
    if form["cutoff"] is not None and not re.fullmatch("[1-9][0-9]*", form["cutoff"]):
        raise ValueError("a cutoff is a whole number from 1 on")
    seen = set()
    for item in form["params"].split(",") if form["params"] is not None else ():
        key, _, value = (part.strip() for part in item.partition("="))
        if key not in params or key in seen or not re.fullmatch(params[key], value):
            told = ", ".join(f"{key}={values}" for key, values in params.items()) or "none"
            raise ValueError(f"{item.strip()!r} is no parameter of {form['name']}; each once of: {told}")
        seen.add(key)
    return name


def cutoff_of(name: str) -> int | None:
    """Return the depth to which a measure looks at a list; None for all of it."""
    _, _, cutoff = name.partition("@")
    return int(cutoff) if cutoff else None


MeasureName = Annotated[str, AfterValidator(checked)]
"""The name of a measure as ir_measures reads it, for example ``nDCG@10``."""
