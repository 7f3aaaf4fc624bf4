"""Step gather_orders: concatenate the rankings of all shards and count their requests."""

import json
import logging
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.rankings import Malformed, RankingSpec
from synthrank.data.files import json_lines, read_jsonl, write_json, write_jsonl
from synthrank.data.records import Ask, Order
from synthrank.data.shards import check_names
from synthrank.llms.reranking.questions import Outcome
from synthrank.llms.reranking.tally import Account

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
    """Concatenate the shards, drop queries with too many malformed replies, and count.

    All requests and replies are kept unchanged, including those for dropped queries; repairs are counted. A passage
    that several shards cut counts once. The price of a reply that several shards use also counts once.

    Args:
        candidates: the pools.
        ranking: the ranking's entity file.
        llm: the LLM's name.
        shards: the outcomes of every shard, in the order of the shards.
        texts: per shard, the passages that were cut and the empty passages.
        orders: the file to write: the ranking of each kept query.
        asks: the file to write: all requests with their replies, query by query.
        counts: the file to write: the counts, and the dropped queries.

    Raises:
        ShardError: a shard contains the rankings of other queries.
    """
    spec: RankingSpec = load(RankingSpec, ranking)
    held = [(path, [row["pool"]["query_id"] for _, row in json_lines(path)]) for path in shards]
    check_names(held, [row["query_id"] for _, row in json_lines(candidates)])
    account, kept = Account(), list[Order]()
    outcomes = chain.from_iterable(read_jsonl(path, Outcome) for path in shards)
    write_jsonl(asks, _sift(outcomes, spec.malformed, account, kept))
    write_jsonl(orders, kept)
    names = {"ranking": ranking.stem, "kind": spec.kind, "prompt": spec.prompt, "llm": llm}
    counted = {**names, **account.as_dict(), **_count_repairs(texts)}
    write_json(counts, counted)
    log.info("%s", {name: value for name, value in counted.items() if name not in ("by_query", "dropped")})


def _sift(outcomes: Iterator[Outcome], rules: Malformed, account: Account, kept: list[Order]) -> Iterator[Ask]:
    """Yield and count all requests; append the rankings of queries that are not dropped to ``kept``."""
    for outcome in outcomes:
        dropped = rules.beyond == "drop" and outcome.malformed_share > rules.max_share
        account.add(outcome, dropped)
        if dropped:
            log.warning("query %s is dropped: %d of %d requests have no usable reply", outcome.pool.query_id,
                        outcome.unanswered, outcome.questions)  # fmt: skip
        else:
            kept.append(Order(outcome.pool.query_id, outcome.pool.query, outcome.ids))
        yield from outcome.asks


def _count_repairs(texts: Sequence[Path]) -> dict[str, int]:
    """Return the number of distinct passages that were cut, and the number that are empty."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in texts]
    return {f"{name}_passages": len({item for one in found for item in one[name]}) for name in ("cut", "empty")}
