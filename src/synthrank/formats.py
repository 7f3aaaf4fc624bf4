"""Folders of binary data that say which version of their format they are of."""

import json
from pathlib import Path
from typing import Any

from synthrank.errors import DataError
from synthrank.files import write_json


def write_format(folder: Path, file: str, version: int, **what: Any) -> None:
    """Write ``file`` into a folder: the version of the format, and what else is to be known before the rest is read."""
    write_json(folder / file, {"format": version, **what})


def read_format(folder: Path, file: str, version: int) -> dict[str, Any]:
    """Return what :func:`write_format` was told.

    Raises:
        DataError: the folder is of another version, or has no such file.
    """
    try:
        what = json.loads((folder / file).read_text(encoding="utf-8"))
        found = what.pop("format")
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        raise DataError(f"{folder}: has no {file}; another version made it, or another step: delete it") from None
    if found != version:
        raise DataError(f"{folder}: made by another version, format {found}; this one reads {version}: delete it")
    return dict(what)
