"""Queries whose candidates a language model ordered: the candidates, the order, and what the model said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthrank.files import read_jsonl
from synthrank.order import sample
from synthrank.records import Ask, Order, Pool
from synthrank.report.ranked import TOP, add_texts

QUERIES = 20
"""Queries that one can choose from, shared out evenly among all that was ordered, two of each at least."""

ASKS = 12
"""Of what a model said for one query are shown, the first."""


def ordered_examples(
    candidates: Sequence[Path], orders: Sequence[Path], asks: Sequence[Path], collections: Sequence[Path], seed: int
) -> list[dict[str, Any]]:
    """Return a seeded sample of the queries whose candidates a language model ordered.

    Args:
        candidates: results/rankings/{corpus}/{queryset}/{pool}/candidates.jsonl of each of ``orders``.
        orders: {ranking}/{llm}/orders.jsonl beside it.
        asks: asks.jsonl beside that.
        collections: results/corpora/{corpus}/passages.jsonl.
        seed: of the sample.
    """
    examples = []
    for pool_file, order_file, ask_file in zip(candidates, orders, asks, strict=True):
        share = max(2, QUERIES // len(orders))
        chosen = sample(read_jsonl(order_file, Order), share, seed, lambda order: order.query_id)
        pools = {item.query_id: item for item in read_jsonl(pool_file, Pool)}
        said: dict[str, list[Ask]] = {order.query_id: [] for order in chosen}
        for ask in read_jsonl(ask_file, Ask):
            if ask.query_id in said:
                said[ask.query_id].append(ask)
        examples += [_example(order_file, order, pools[order.query_id], said[order.query_id]) for order in chosen]
    add_texts(examples, collections)
    return examples


def _example(path: Path, order: Order, pool: Pool, asks: Sequence[Ask]) -> dict[str, Any]:
    corpus, queryset, candidates, ranking, llm = path.parts[-6:-1]
    retrievers = list(dict.fromkeys(name for item in pool.candidates for name in item.ranks))
    found = {name: sorted((item.ranks[name], item.id) for item in pool.candidates if name in item.ranks)
             for name in retrievers}  # fmt: skip
    return {
        "id": order.query_id,
        "group": f"{queryset} of {corpus}, {candidates}, {ranking} by {llm}",
        "corpus": corpus,
        "query": order.query,
        "relevant": [],
        "orders": [
            {"by": f"{llm} ({ranking})", "ids": list(order.ids[:TOP])},
            *({"by": name, "ids": [item for _, item in ranks[:TOP]]} for name, ranks in found.items()),
        ],
        "asks": [{"text": ask.text, "status": ask.status, "notes": list(ask.notes)} for ask in asks[:ASKS]],
        "all_asks": len(asks),
    }
