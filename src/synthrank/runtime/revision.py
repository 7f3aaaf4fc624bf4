"""The revision of the workflow's numbers, and the notice on pages with older results."""

from pathlib import Path

NUMBERS = 2
"""Incremented by every change that the changelog marks **numbers**. Recorded results under docs/ state theirs."""

FILE = "numbers.txt"
"""The file next to recorded tables with the revision of the workflow that made them."""


def explain_age(record: Path) -> str:
    """Return the notice for the page of recorded results, or an empty string if their revision is current.

    Args:
        record: the folder of the recorded results.
    """
    made = int((record / FILE).read_text(encoding="utf-8"))
    if made >= NUMBERS:
        return ""
    return (
        f"**These numbers are outdated**: they were made by revision {made} of the workflow, and the current revision "
        f"is {NUMBERS}. CHANGELOG.md marks the changes in between with **numbers**."
    )
