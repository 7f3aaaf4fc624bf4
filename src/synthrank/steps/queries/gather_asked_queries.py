"""Step gather_asked_queries: read the queries in the replies of all shards."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, LlmQueries
from synthrank.config.base import load
from synthrank.data.files import json_lines, read_jsonl, write_json, write_jsonl
from synthrank.data.records import Query, Reply
from synthrank.data.shards import check_names
from synthrank.errors import BudgetError
from synthrank.llms.parsing.queries import read_query_reply
from synthrank.llms.parsing.status import Status, state_reasons
from synthrank.steps.queries.sources import ids_of

log = logging.getLogger(__name__)


class Tally:
    """Counts of replies by status, notes and finish reason."""

    def __init__(self) -> None:
        self.replies = 0
        self.reasons: Counter[str] = Counter()
        self._status: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._finish_reasons: Counter[str] = Counter()

    def texts(self, reply: Reply) -> list[str]:
        """Return the queries of a reply, and count it."""
        read = read_query_reply(reply)
        self.replies += 1
        if read.value is None:
            self.reasons[next(iter(read.notes), str(read.status))] += 1
        self._status[read.status] += 1
        self._notes.update(read.notes)
        self._finish_reasons[reply.finish_reason] += 1
        return read.value or []

    def summary(self, queries: int) -> dict[str, object]:
        """Return the counts, with the number of queries taken."""
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
    """Concatenate the shards, and take the first ``count`` queries, at most ``per_passage`` per reply.

    Args:
        spec: the augmentation's entity file, of kind llm-query.
        sampled: the sampled passages.
        shards: the replies of every shard, in order.
        raw: written: the queries, passages in the seeded order; ``source`` is the passage of a query.
        replies: written: every reply unchanged, in the same order.
        counts: written: the counts of replies by status, notes and finish reason.

    Raises:
        ShardError: a shard has replies about passages of another shard.
        BudgetError: no reply has a query.
    """
    settings: LlmQueries = load(AugmentationSpec, spec)
    check_names([(path, [row["query_id"] for _, row in json_lines(path)]) for path in shards], ids_of(sampled))
    tally = Tally()
    queries = list(_read_queries(spec.stem, _read_replies(shards), settings.per_passage, tally))[: settings.count]
    summary = tally.summary(len(queries))
    if not queries:
        raise BudgetError(
            f"{shards[0]}: no usable reply to prompt {settings.prompt} among {tally.replies} "
            f"{state_reasons(tally.reasons)}"
        )
    log.info("%d queries from %d replies", len(queries), tally.replies)
    write_jsonl(raw, queries)
    write_jsonl(replies, _read_replies(shards))
    write_json(counts, summary)


def _read_replies(shards: Iterable[Path]) -> Iterator[Reply]:
    return chain.from_iterable(read_jsonl(path, Reply) for path in shards)


def _read_queries(augmentation: str, replies: Iterable[Reply], most: int, tally: Tally) -> Iterator[Query]:
    """Yield the first queries of each reply, numbered from 1."""
    for reply in replies:
        for number, text in enumerate(tally.texts(reply)[:most], 1):
            yield Query(f"{augmentation}:{reply.query_id}:{number}", text, reply.query_id)
