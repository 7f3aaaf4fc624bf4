"""Step gather_asked_queries: the queries in the replies of all shards."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import json_lines, read_jsonl, write_json, write_jsonl
from synthrank.queries.sources import ids_of
from synthrank.reading.queries import read_query_reply
from synthrank.reading.status import Status
from synthrank.records import Query, Reply
from synthrank.shards import check_names
from synthrank.specs.augmentations import AugmentationSpec, LlmQueries
from synthrank.specs.base import load

log = logging.getLogger(__name__)


class Tally:
    """How replies could be read."""

    def __init__(self) -> None:
        self.replies = 0
        self._status: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._finish_reasons: Counter[str] = Counter()

    def texts(self, reply: Reply) -> list[str]:
        """Return the queries of a reply, and count it."""
        read = read_query_reply(reply)
        self.replies += 1
        self._status[read.status] += 1
        self._notes.update(read.notes)
        self._finish_reasons[reply.finish_reason] += 1
        return read.value or []

    def summary(self, queries: int) -> dict[str, object]:
        """Return the counts for a file, with how many queries were taken."""
        return {
            "replies": self.replies,
            "queries": queries,
            "status": {str(name): self._status[name] for name in Status},
            "notes": dict(sorted(self._notes.items())),
            "finish_reasons": dict(sorted(self._finish_reasons.items())),
        }


def gather_asked_queries(
    *, spec: Path, sampled: Path, shards: list[Path], raw: Path, replies: Path, counts: Path
) -> None:
    """Concatenate shards, and take the first ``count`` queries of them, of a reply at most ``per_passage``.

    Args:
        spec: the augmentation's entity file, of kind llm-query.
        sampled: the passages that were asked about.
        shards: the replies of every shard, from the first on.
        raw: written: the queries, passages in the seeded order; ``source`` is the passage each was made from.
        replies: written: every reply as it came, in the same order.
        counts: written: how the replies could be read.

    Raises:
        ShardError: a shard holds replies about other passages than it should.
        BudgetError: no reply holds a query.
    """
    settings: LlmQueries = load(AugmentationSpec, spec)
    check_names([(path, [row["query_id"] for _, row in json_lines(path)]) for path in shards], ids_of(sampled))
    tally = Tally()
    queries = list(_queries(spec.stem, _all(shards), settings.per_passage, tally))[: settings.count]
    summary = tally.summary(len(queries))
    if not queries:
        raise BudgetError(
            f"{spec}: prompt: none of {tally.replies} replies to {settings.prompt} holds a query "
            f"({summary['status']}); change it"
        )
    log.info("%d queries from %d replies", len(queries), tally.replies)
    write_jsonl(raw, queries)
    write_jsonl(replies, _all(shards))
    write_json(counts, summary)


def _all(shards: Iterable[Path]) -> Iterator[Reply]:
    return chain.from_iterable(read_jsonl(path, Reply) for path in shards)


def _queries(augmentation: str, replies: Iterable[Reply], most: int, tally: Tally) -> Iterator[Query]:
    """Yield the first queries of each reply, numbered from 1."""
    for reply in replies:
        for number, text in enumerate(tally.texts(reply)[:most], 1):
            yield Query(f"{augmentation}:{reply.query_id}:{number}", text, reply.query_id)
