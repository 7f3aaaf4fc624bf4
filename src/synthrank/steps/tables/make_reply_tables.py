"""Step make_reply_tables: count requests, replies and cost of generated passages and queries."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthrank.config.augmentations import AugmentationSpec, LlmQueries
from synthrank.config.base import load
from synthrank.config.llms import LlmSpec
from synthrank.config.paradigms import AskedParadigm, ParadigmSpec
from synthrank.data.files import atomic_text, read_jsonl
from synthrank.data.paths import QUERIES, REQUESTS
from synthrank.data.records import Reply, Request
from synthrank.llms.parsing.queries import read_query_reply
from synthrank.llms.parsing.status import Status
from synthrank.llms.parsing.written import count_wanted, read_written
from synthrank.llms.store.pricing import cost_usd, query_reply_tokens

STATUS_OF = {
    "refusal": Status.REFUSED,
    "blocked": Status.BLOCKED,
    "truncated": Status.TRUNCATED,
    "thought": Status.TRUNCATED,
}
"""The status of each reason to drop a reply; every other reason is malformed."""


@dataclass(frozen=True, slots=True)
class PromptReplies:
    """The requests of one prompt to one LLM, and the replies with their statuses.

    ``names`` has the first columns of both tables: corpus, kind, paradigm or augmentation, LLM and draws.
    """

    names: dict[str, object]
    prompt: str
    requests: int
    estimated_usd: float
    replies: Sequence[Reply]
    statuses: Sequence[Status]

    def cost(self) -> dict[str, object]:
        """Return the row of the table of costs."""
        return self.names | {
            "requests": self.requests,
            "replies": len(self.replies),
            "tokens_in": sum(reply.tokens_in for reply in self.replies),
            "tokens_cached": sum(reply.tokens_cached for reply in self.replies),
            "tokens_out": sum(reply.tokens_out for reply in self.replies),
            "estimated_usd": round(self.estimated_usd, 6),
            "actual_usd": round(sum(reply.price_usd for reply in self.replies), 6),
            "attempts": sum(reply.attempts for reply in self.replies),
        }

    def counts(self) -> dict[str, object]:
        """Return the row of the table of replies."""
        snapshots = sorted({reply.snapshot or reply.model for reply in self.replies})
        found = Counter(self.statuses)
        return self.names | {
            "prompt": self.prompt,
            "snapshot": " ".join(snapshots),
            "replies": len(self.replies),
            **{str(status): found[status] for status in Status},
        }


def make_reply_tables(
    *,
    replies: list[Path],
    requests: list[Path],
    paradigms: list[Path],
    llms: list[Path],
    query_replies: list[Path],
    augmentations: list[Path],
    query_llms: list[Path],
    cost: Path,
    counts: Path,
) -> None:
    """Make the table of estimated and actual costs, and the table of replies by status.

    Stored replies count at their original cost. The estimate is the one of ``make plan`` with an empty store, without
    repeated requests. A row counts all draws together if training seeds have separate passages. Passages come first,
    then queries.

    Args:
        replies: the replies with passages, one file per paradigm, LLM and draw.
        requests: per file of ``replies``, its requests.
        paradigms: per file of ``replies``, the paradigm's entity file.
        llms: per file of ``replies``, the LLM's entity file.
        query_replies: the replies with queries, one file per augmentation.
        augmentations: per file of ``query_replies``, the augmentation's entity file.
        query_llms: per file of ``query_replies``, the LLM's entity file.
        cost: written: the table of costs.
        counts: written: the table of replies by prompt and model.
    """
    asked = [
        *_read_passage_replies(replies, requests, paradigms, llms),
        *_read_query_replies(query_replies, augmentations, query_llms),
    ]
    for path, rows in ((cost, [item.cost() for item in asked]), (counts, [item.counts() for item in asked])):
        with atomic_text(path) as stream:
            pd.DataFrame(rows).to_csv(stream, index=False, lineterminator="\n")


def _read_passage_replies(
    replies: Sequence[Path], requests: Sequence[Path], paradigms: Sequence[Path], llms: Sequence[Path]
) -> Iterator[PromptReplies]:
    draws: dict[tuple[str, Path, Path], list[tuple[Path, Path]]] = defaultdict(list)
    for reply_file, request_file, paradigm, llm in zip(replies, requests, paradigms, llms, strict=True):
        draws[REQUESTS.names(request_file.parent)["corpus"], paradigm, llm].append((reply_file, request_file))
    for (corpus, paradigm, llm), files in draws.items():
        spec: LlmSpec = load(LlmSpec, llm)
        settings: AskedParadigm = load(ParadigmSpec, paradigm)
        came = [reply for path, _ in files for reply in read_jsonl(path, Reply)]
        asked = [request for _, path in files for request in read_jsonl(path, Request)]
        yield PromptReplies(
            {"corpus": corpus, "kind": "passages", "paradigm": paradigm.stem, "llm": llm.stem, "draws": len(files)},
            settings.prompt,
            len(asked),
            count_wanted(settings) * cost_usd(spec, asked),
            came,
            [_read_status(reply, settings) for reply in came],
        )


def _read_status(reply: Reply, settings: AskedParadigm) -> Status:
    reading = read_written(reply, settings)
    if reading.reason:
        return STATUS_OF.get(reading.reason, Status.MALFORMED)
    return Status.REPAIRED if reading.repaired else Status.WELL_FORMED


def _read_query_replies(
    replies: Sequence[Path], augmentations: Sequence[Path], llms: Sequence[Path]
) -> Iterator[PromptReplies]:
    for path, augmentation, llm in zip(replies, augmentations, llms, strict=True):
        spec: LlmSpec = load(LlmSpec, llm)
        settings: LlmQueries = load(AugmentationSpec, augmentation)
        came = list(read_jsonl(path, Reply))
        asked = [Request(reply.query_id, reply.query, reply.messages) for reply in came]  # one request per reply
        yield PromptReplies(
            {
                "corpus": QUERIES.names(path.parent)["corpus"],
                "kind": "queries",
                "paradigm": augmentation.stem,
                "llm": llm.stem,
                "draws": 1,
            },
            settings.prompt,
            len(asked),
            cost_usd(spec, asked, query_reply_tokens(spec, settings.per_passage)),
            came,
            [read_query_reply(reply).status for reply in came],
        )
