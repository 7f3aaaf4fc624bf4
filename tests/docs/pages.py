"""The pages of docs/ that are followed literally: their commands and their files, in the order of the page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ELSEWHERE = ("cloud", "cluster", "environments")
"""Pages whose commands need a cluster or conda; their own tests hold them."""
PAGES = sorted(path.stem for path in (PROJECT / "docs").glob("*.md") if path.stem not in ELSEWHERE)
FENCE = re.compile(
    r"^(?:<!-- not run: ([^\n]+) -->\n)?```(\w*)(?: title=\"([^\"\n]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is the content of, why it is not run, its text."""

    language: str
    file: str
    left_out: str
    text: str


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the blocks of a page."""
    for left_out, language, file, text in FENCE.findall((PROJECT / f"docs/{page}.md").read_text(encoding="utf-8")):
        yield Block(language, file, left_out, text)


def steps_of(page: str) -> list[Block]:
    """Return what a reader does: the commands that are run and the files that are written."""
    return [block for block in blocks_of(page) if not block.left_out and (block.file or block.language == "bash")]
