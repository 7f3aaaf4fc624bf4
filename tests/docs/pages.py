"""Commands and files of the pages of docs/, in the order of the page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ELSEWHERE = ("cloud", "cluster", "environments")
"""Pages whose commands need a cluster or conda; other tests run them."""
PAGES = sorted(path.stem for path in (PROJECT / "docs").glob("*.md") if path.stem not in ELSEWHERE)
FENCE = re.compile(
    r"^(?:<!-- not run: ([^\n]+) -->\n)?```(\w*)(?: title=\"([^\"\n]+)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file with this content, the reason not to run it, its text."""

    language: str
    file: str
    left_out: str
    text: str


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    for left_out, language, file, text in FENCE.findall((PROJECT / f"docs/{page}.md").read_text(encoding="utf-8")):
        yield Block(language, file, left_out, text)


def steps_of(page: str) -> list[Block]:
    """Return the steps of a reader: commands to run and files to write."""
    return [block for block in blocks_of(page) if not block.left_out and (block.file or block.language == "bash")]
