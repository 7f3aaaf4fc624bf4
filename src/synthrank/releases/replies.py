"""What a language model said, as a table to publish, and what it cost."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from synthrank.records import Reply
from synthrank.releases.parquet import Kind, Table

_COLUMNS: dict[str, Kind] = {
    "query_id": "text",
    "query": "text",
    "sample": "whole",
    "text": "text",
    "finish_reason": "text",
    "blocked": "text",
    "model": "text",
    "snapshot": "text",
    "sampling": "text",
    "messages": "text",
    "mode": "text",
    "time": "text",
    "tokens_in": "whole",
    "tokens_cached": "whole",
    "tokens_out": "whole",
    "price_usd": "number",
}
"""What of a reply others can use. Its key in the store, the attempts and the latency speak of one machine's day."""


def replies_table(replies: Sequence[Reply]) -> Table:
    """Return every reply as it came, in its order; ``messages`` and ``sampling`` as JSON, so that all columns are flat.

    A reply holds no secret: a provider's key and address are in no field of it.
    """
    return Table("replies", "train", _COLUMNS, [_row(reply) for reply in replies])


def _row(reply: Reply) -> dict[str, object]:
    values = asdict(reply)
    for name in ("messages", "sampling"):
        values[name] = json.dumps(values[name], ensure_ascii=False)
    return {name: values[name] for name in _COLUMNS}


def cost_of(replies: Sequence[Reply]) -> dict[str, int | float | str]:
    """Return what all replies took: tokens, US dollars, and the days between which they came, where they say so."""
    days = sorted(reply.time[:10] for reply in replies if reply.time)
    return {
        "replies": len(replies),
        "tokens in": sum(reply.tokens_in for reply in replies),
        "of them cached": sum(reply.tokens_cached for reply in replies),
        "tokens out": sum(reply.tokens_out for reply in replies),
        "US dollars": round(sum(reply.price_usd for reply in replies), 4),
        **({"first day (UTC)": days[0], "last day (UTC)": days[-1]} if days else {}),
    }
