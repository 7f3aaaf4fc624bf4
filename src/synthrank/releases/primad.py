"""Runs that say how they came about: the header of ir_metadata, version 0.1.

The schema is PRIMAD's six components, platform, research goal, implementation, method, actor and data (Breuer, Keller
and Schaer 2022, "ir_metadata: An Extensible Metadata Schema for IR Experiments", SIGIR; ir-metadata.org). It stands
before the lines of a run, as YAML in comment lines between ``# ir_metadata.start`` and ``# ir_metadata.end``, which is
what repro_eval reads. Most other tools, trec_eval among them, want the run without these lines.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from synthrank.errors import BudgetError
from synthrank.files import atomic_path, text_lines

START, END = "# ir_metadata.start", "# ir_metadata.end"
SCHEMA = 0.1
COMPONENTS = ("platform", "research goal", "implementation", "method", "actor", "data")


def tag_of(run: Path) -> str:
    """Return the tag of a run, the last column of its first line.

    Raises:
        BudgetError: the run has no line.
    """
    for _, line in text_lines(run):
        return line.split()[-1]
    raise BudgetError(f"{run}: no line; there is nothing to release")


def annotate(run: Path, target: Path, components: Mapping[str, Any]) -> None:
    """Write a run with its header; the lines of the run stay as they are, byte by byte.

    Args:
        run: a six-column TREC run.
        target: the file to write.
        components: what is said of each of :data:`COMPONENTS`.

    Raises:
        BudgetError: the run has no line.
    """
    said = {"schema-version": SCHEMA, "run-version": 1.0, "tag": tag_of(run)}
    said |= {name: components[name] for name in COMPONENTS}
    # One value a line: a folded one would need its indentation, which readers may strip with the comment's mark.
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1_000_000)
    with atomic_path(target) as temporary, temporary.open("wb") as stream, run.open("rb") as lines:
        stream.write("".join(f"{line}\n" for line in (START, *_commented(text), END)).encode())
        shutil.copyfileobj(lines, stream)


def _commented(text: str) -> list[str]:
    return [f"# {line}".rstrip() for line in text.splitlines()]
