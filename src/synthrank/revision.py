"""The revision of the numbers, and what the page of an older record says."""

from pathlib import Path

NUMBERS = 2
"""Raised by every change that the changelog marks **numbers**. Records of results under docs/ keep theirs in a file."""

FILE = "numbers.txt"
"""The file beside a record's tables that holds the revision of the workflow that made them."""


def age(record: Path) -> str:
    """Return the sentence that must stand above the numbers of a record; nothing where they are of this revision.

    Args:
        record: the folder of the record.
    """
    made = int((record / FILE).read_text(encoding="utf-8"))
    if made >= NUMBERS:
        return ""
    return (
        f"**These numbers are older than changes that move them**: they are of revision {made}, and the workflow makes "
        f"those of revision {NUMBERS}. CHANGELOG.md marks what moved them."
    )
