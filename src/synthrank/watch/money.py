"""What all stored replies have cost."""

import os
from pathlib import Path

from synthrank.llms.store import ReplyStore


def spent_usd(folder: Path) -> float:
    """Return the dollars of every reply in the store of a project's folder, or where SYNTHRANK_STORE says."""
    store = folder / os.environ.get("SYNTHRANK_STORE", "results/store")
    total = 0.0
    for path in sorted(store.glob("*/")):
        with ReplyStore(path) as replies:
            total += replies.spent_usd()
    return total
