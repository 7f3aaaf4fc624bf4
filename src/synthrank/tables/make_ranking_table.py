"""Step make_ranking_table: what language models were asked to rank, what came back, and what it cost."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.errors import DataError
from synthrank.tables.tidy import write_rows


@dataclass(frozen=True, slots=True)
class Row:
    """One ranking of one query set by one LLM.

    ``short_pools`` have fewer candidates than the pool's depth. ``well_formed``, ``repaired`` and ``malformed`` count
    asks, each asked question once or oftener; a question that stayed malformed is ``unanswered``. From ``form`` to
    ``blocked``: in how many asks each thing was repaired or went wrong; one ask may have several.
    """

    corpus: str
    queryset: str
    pool: str
    ranking: str
    kind: str
    llm: str
    prompt: str
    snapshots: str
    pools: int
    short_pools: int
    queries: int
    ordered: int
    dropped: int
    unasked: int
    candidates: int
    questions: int
    unanswered: int
    asks: int
    well_formed: int
    repaired: int
    malformed: int
    form: int
    missing: int
    repeated: int
    outside: int
    truncated: int
    blocked: int
    cut_passages: int
    empty_passages: int
    tokens_in: int
    tokens_out: int
    price_usd: float


def make_ranking_table(*, counts: list[Path], pools: list[Path], table: Path) -> None:
    """Make the table, one row a query set, pool, ranking and LLM.

    A reply that came from the store counts with what it once cost.

    Args:
        counts: what became of each ranking.
        pools: for each of them what its pool is made of.
        table: written: the table.

    Raises:
        DataError: a file is not what a ranking or a pool leaves behind.
    """
    write_rows(table, Row, [_row(path, pool) for path, pool in zip(counts, pools, strict=True)])


def _row(path: Path, pool: Path) -> Row:
    """Return the row of one ranking: a key of its counts is a column, but for those that are counted here."""
    ranked, pooled = _read(path), _read(pool)
    folder = pool.parent
    try:
        values = (
            dict.fromkeys(NOTES, 0)
            | ranked["notes"]
            | ranked
            | {
                "corpus": folder.parents[1].name,
                "queryset": folder.parents[0].name,
                "pool": folder.name,
                "snapshots": " ".join(ranked["snapshots"]),
                "pools": pooled["pools"],
                "short_pools": pooled["short_pools"],
                "dropped": len(ranked["dropped"]),
                **{status.replace("-", "_"): count for status, count in ranked["status"].items()},
            }
        )
        return Row(**{column: values[column] for column in Row.__slots__})
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not the counts of a ranking, or {pool} not those of a pool ({error})") from error


NOTES = ("form", "missing", "repeated", "outside", "truncated", "blocked")
"""What may be noted of an ask; other notes are reasons why it is malformed, and counted as that."""


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error}); remove it and run again") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: a JSON {type(value).__name__}; expected an object")
    return value
