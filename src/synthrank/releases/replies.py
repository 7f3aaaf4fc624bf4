"""What a language model said, as a table to publish, and what it cost."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import get_type_hints

from synthrank.records import Reply
from synthrank.releases.tables import Row, Table

_COLUMNS = (
    "query_id", "query", "sample", "text", "finish_reason", "blocked", "model", "snapshot", "sampling", "messages",
    "mode", "time", "tokens_in", "tokens_cached", "tokens_out", "price_usd",
)  # fmt: skip
"""What of a reply others can use. Its key in the store, the attempts and the latency speak of one machine's day."""

_AS_JSON = ("messages", "sampling")
"""What is no text and no number."""


def replies_table(replies: Sequence[Reply]) -> Table:
    """Return every reply as it came, in its order; ``messages`` and ``sampling`` as JSON, so that all columns are flat.

    A reply holds no secret: a provider's key and address are in no field of it.
    """
    types = get_type_hints(Reply) | dict.fromkeys(_AS_JSON, str)
    return Table("replies", "train", {name: types[name] for name in _COLUMNS}, [_row(reply) for reply in replies])


def _row(reply: Reply) -> Row:
    values = asdict(reply)
    values |= {name: json.dumps(values[name], ensure_ascii=False) for name in _AS_JSON}
    return tuple(values[name] for name in _COLUMNS)


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
