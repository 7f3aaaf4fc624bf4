"""Step make_ranking_table: count requests, replies and cost of rankings by language models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.data.paths import POOL
from synthrank.errors import DataError
from synthrank.steps.tables.tidy_csv import write_rows


@dataclass(frozen=True, slots=True)
class RankingRow:
    """One ranking of one query set by one LLM.

    ``short_pools`` have fewer candidates than the pool's depth. ``well_formed``, ``repaired`` and ``malformed`` count
    requests (asks). A prompt (question) may be sent several times; it is ``unanswered`` if every reply was malformed.
    The columns from ``form`` to ``blocked`` count requests per kind of repair or defect; a request may have several.
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
    few: int
    thought: int
    truncated: int
    blocked: int
    cut_passages: int
    empty_passages: int
    tokens_in: int
    tokens_out: int
    price_usd: float


def make_ranking_table(*, counts: list[Path], pools: list[Path], table: Path) -> None:
    """Make the table with one row per query set, pool, ranking and LLM.

    Stored replies count at their original cost.

    Args:
        counts: the counts of each ranking.
        pools: per ranking, the counts of its pool.
        table: written: the table.

    Raises:
        DataError: a file does not have the counts of a ranking or a pool.
    """
    write_rows(table, RankingRow, [_read_row(path, pool) for path, pool in zip(counts, pools, strict=True)])


def _read_row(path: Path, pool: Path) -> RankingRow:
    """Return the row of one ranking. Its columns are keys of the counts, except those computed here."""
    ranked, pooled = _read(path), _read(pool)
    try:
        values = (
            dict.fromkeys(NOTES, 0)
            | ranked["notes"]
            | ranked
            | POOL.names(pool.parent)
            | {
                "snapshots": " ".join(ranked["snapshots"]),
                "pools": pooled["pools"],
                "short_pools": pooled["short_pools"],
                "dropped": len(ranked["dropped"]),
                **{status.replace("-", "_"): count for status, count in ranked["status"].items()},
            }
        )
        return RankingRow(**{column: values[column] for column in RankingRow.__slots__})
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: not the counts of a ranking, or {pool} is not the counts of a pool ({error})"
        ) from error


NOTES = ("form", "missing", "repeated", "outside", "few", "thought", "truncated", "blocked")
"""The notes that have a column; other notes are reasons of malformed replies and are counted as malformed."""


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error}); remove it and run again") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: a JSON {type(value).__name__}; expected an object")
    return value
