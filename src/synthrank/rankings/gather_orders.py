"""Step gather_orders: the orders of all shards, and the account of what was asked for them."""

import json
import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from synthrank.files import json_lines, read_jsonl, write_json, write_jsonl
from synthrank.ordering.asking import Outcome
from synthrank.ordering.counting import Account
from synthrank.records import Ask, Order
from synthrank.shards import check_names
from synthrank.specs.base import load
from synthrank.specs.rankings import Malformed, RankingSpec

log = logging.getLogger(__name__)


def gather_orders(
    *,
    candidates: Path,
    ranking: Path,
    llm: str,
    shards: list[Path],
    texts: list[Path],
    orders: Path,
    asks: Path,
    counts: Path,
) -> None:
    """Concatenate shards, drop the queries that the ranking drops, and count.

    Everything that was asked is kept as it came, of dropped queries too; what had to be repaired is counted. A passage
    that several shards cut counts once, and so does the price of a reply that answers asks of several shards.

    Args:
        candidates: the pools.
        ranking: the ranking's entity file.
        llm: the LLM's name.
        shards: the outcomes of every shard, from the first on.
        texts: the cut and the empty passages of every shard.
        orders: written: the order of each query that is kept.
        asks: written: everything that was asked and said, query by query.
        counts: written: how much of each, and which queries were dropped.

    Raises:
        ShardError: a shard holds the orders of other queries than it should.
    """
    spec: RankingSpec = load(RankingSpec, ranking)
    held = [(path, [row["pool"]["query_id"] for _, row in json_lines(path)]) for path in shards]
    check_names(held, [row["query_id"] for _, row in json_lines(candidates)])
    account, kept = Account(), list[Order]()
    outcomes = chain.from_iterable(read_jsonl(path, Outcome) for path in shards)
    write_jsonl(asks, _sifted(outcomes, spec.malformed, account, kept))
    write_jsonl(orders, kept)
    names = {"ranking": ranking.stem, "kind": spec.kind, "prompt": spec.prompt, "llm": llm}
    told = {**names, **account.as_dict(), **_repairs(texts)}
    write_json(counts, told)
    log.info("%s", {name: value for name, value in told.items() if name not in ("by_query", "dropped")})


def _sifted(outcomes: Iterator[Outcome], rules: Malformed, account: Account, kept: list[Order]) -> Iterator[Ask]:
    """Yield everything that was asked; count it, and keep the orders of the queries that are not dropped."""
    for outcome in outcomes:
        dropped = rules.beyond == "drop" and outcome.malformed_share > rules.max_share
        account.add(outcome, dropped)
        if dropped:
            log.warning("query %s is dropped: %d of %d questions stayed without an answer", outcome.pool.query_id,
                        outcome.unanswered, outcome.questions)  # fmt: skip
        else:
            kept.append(Order(outcome.pool.query_id, outcome.pool.query, outcome.ids))
        yield from outcome.asks


def _repairs(texts: Sequence[Path]) -> dict[str, int]:
    """Return how many different passages were cut, and how many are empty."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in texts]
    return {f"{name}_passages": len({item for one in found for item in one[name]}) for name in ("cut", "empty")}
