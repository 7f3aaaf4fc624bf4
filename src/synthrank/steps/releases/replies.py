"""Table of a language model's replies, and their cost."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import get_type_hints

from synthrank.data.records import Reply
from synthrank.steps.releases.tables import DatasetTable, TableRow

_COLUMNS = (
    "query_id", "query", "sample", "text", "finish_reason", "blocked", "model", "snapshot", "sampling", "messages",
    "mode", "time", "tokens_in", "tokens_cached", "tokens_out", "price_usd",
)  # fmt: skip
"""The published fields of a reply; its key in the store, the attempts and the latency are left out."""

_AS_JSON = ("messages", "sampling")
"""Fields that are written as JSON."""


def make_reply_table(replies: Sequence[Reply]) -> DatasetTable:
    """Return all replies in order and unchanged; ``messages`` and ``sampling`` as JSON, so that all columns are flat.

    A reply has no field with a provider's key or address.
    """
    types = get_type_hints(Reply) | dict.fromkeys(_AS_JSON, str)
    return DatasetTable(
        "replies", "train", {name: types[name] for name in _COLUMNS}, [_make_row(reply) for reply in replies]
    )


def _make_row(reply: Reply) -> TableRow:
    values = asdict(reply)
    values |= {name: json.dumps(values[name], ensure_ascii=False) for name in _AS_JSON}
    return tuple(values[name] for name in _COLUMNS)


def sum_costs(replies: Sequence[Reply]) -> dict[str, int | float | str]:
    """Return the tokens, US dollars, and first and last day of all replies; days only if replies have a time."""
    days = sorted(reply.time[:10] for reply in replies if reply.time)
    return {
        "replies": len(replies),
        "tokens in": sum(reply.tokens_in for reply in replies),
        "of them cached": sum(reply.tokens_cached for reply in replies),
        "tokens out": sum(reply.tokens_out for reply in replies),
        "US dollars": round(sum(reply.price_usd for reply in replies), 4),
        **({"first day (UTC)": days[0], "last day (UTC)": days[-1]} if days else {}),
    }
