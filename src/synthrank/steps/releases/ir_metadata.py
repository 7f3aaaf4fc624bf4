"""Header of a run with its provenance, in the format ir_metadata, version 0.1.

The schema has PRIMAD's six components: platform, research goal, implementation, method, actor and data (Breuer, Keller
and Schaer 2022, "ir_metadata: An Extensible Metadata Schema for IR Experiments", SIGIR; ir-metadata.org). The header
precedes the lines of a run, as YAML in comment lines between ``# ir_metadata.start`` and ``# ir_metadata.end``, and
repro_eval reads it. Most other tools, such as trec_eval, need the run without these lines.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from synthrank.data.files import atomic_path, text_lines
from synthrank.errors import BudgetError

START, END = "# ir_metadata.start", "# ir_metadata.end"
SCHEMA = 0.1
COMPONENTS = ("platform", "research goal", "implementation", "method", "actor", "data")


def tag_of(run: Path) -> str:
    """Return the tag of a run, the last column of its first line.

    Raises:
        BudgetError: the run is empty.
    """
    for _, line in text_lines(run):
        return line.split()[-1]
    raise BudgetError(f"{run}: the run is empty; a release needs at least one line")


def annotate(run: Path, target: Path, components: Mapping[str, Any]) -> None:
    """Write a run with its header; the bytes of the run's lines are unchanged.

    Args:
        run: a six-column TREC run.
        target: the file to write.
        components: the metadata of each of :data:`COMPONENTS`.

    Raises:
        BudgetError: the run is empty.
    """
    header = {"schema-version": SCHEMA, "run-version": 1.0, "tag": tag_of(run)}
    header |= {name: components[name] for name in COMPONENTS}
    # One value per line: folded values need their indentation, which readers may strip with the comment sign.
    text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=1_000_000)
    with atomic_path(target) as temporary, temporary.open("wb") as stream, run.open("rb") as lines:
        stream.write("".join(f"{line}\n" for line in (START, *_comment(text), END)).encode())
        shutil.copyfileobj(lines, stream)


def _comment(text: str) -> list[str]:
    return [f"# {line}".rstrip() for line in text.splitlines()]
