"""What all stored replies have cost."""

from pathlib import Path

from synthrank.llms.store import ReplyStore
from synthrank.variables import store_folder


def spent_usd(folder: Path) -> float:
    """Return the dollars of every reply in the store of a project's folder, or where SYNTHRANK_STORE says."""
    total = 0.0
    for path in sorted(store_folder(folder).glob("*/")):
        with ReplyStore(path) as replies:
            total += replies.spent_usd()
    return total
