"""The licences of all packages that the project pins, from the metadata of the installed packages."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
NOT_INSTALLED = ("cloud", "conda-test", "dev", "docs")
"""Extras that no stage needs; their packages may be missing."""
UNSTATED = "not in its metadata"


def pinned() -> Iterator[str]:
    """Yield the pinned packages that a stage needs, by name."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    pins = [*project["dependencies"], *(pin for name in extras.keys() - set(NOT_INSTALLED) for pin in extras[name])]
    yield from sorted({pin.partition("==")[0] for pin in pins}, key=str.lower)


def licence_of(found: PackageMetadata) -> str:
    """Return a package's licence: its SPDX expression, its classifiers, or the first line of its licence field."""
    classified = [item.split(" :: ")[-1] for item in found.get_all("Classifier") or [] if item.startswith("License ::")]
    line = (found.get("License") or "").strip().split("\n")[0]
    return found.get("License-Expression") or ", ".join(classified) or re.sub(r"\s+", " ", line) or UNSTATED


def table() -> str:
    """Return the packages and their licences as a Markdown table."""
    rows = [f"| {name} | {licence_of(metadata(name))} |" for name in pinned()]
    return "\n".join(["| package | licence |", "|---|---|", *rows])
