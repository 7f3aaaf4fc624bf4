"""Step filter_passages: read replies as passages, and count what is dropped and why."""

import logging
from collections import Counter
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.reading.passage import REASONS, read_passage
from synthrank.records import Dropped, Reply, WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.paradigms import GeneratedParadigm, ParadigmSpec

log = logging.getLogger(__name__)


def filter_passages(*, replies: Path, paradigm: Path, passages: Path, dropped: Path, counts: Path) -> None:
    """Keep one passage a query: its first usable reply that no other query has got word for word.

    Args:
        replies: what came back.
        paradigm: the paradigm's entity file: it says when a reply is usable.
        passages: written: the passages.
        dropped: written: every reply that did not become one, with its reason.
        counts: written: how many of each.

    Raises:
        BudgetError: no reply is usable.
    """
    spec: GeneratedParadigm = load(ParadigmSpec, paradigm)
    kept: dict[str, WrittenPassage] = {}
    lost: list[Dropped] = []
    repaired: Counter[str] = Counter()
    finishes: Counter[str] = Counter()
    seen: set[str] = set()
    asked: dict[str, None] = {}
    for reply in read_jsonl(replies, Reply):
        asked[reply.query_id] = None
        finishes[reply.finish_reason] += 1
        reading = read_passage(reply, spec.quality)
        reason = reading.reason or ("duplicate" if reading.text.lower() in seen else "")
        if reason or reply.query_id in kept:
            lost.append(Dropped(reply.query_id, reply.sample, reason or "not-needed", reply.text))
            continue
        seen.add(reading.text.lower())
        repaired.update(reading.repaired)
        name = f"{reply.query_id}@{paradigm.stem}"
        kept[reply.query_id] = WrittenPassage(name, reading.text, reply.query_id, reply.query)
    if not kept:
        raise BudgetError(f"{replies}: none of {len(lost)} replies is a passage; read {dropped.name} of another prompt")
    reasons = Counter(item.reason for item in lost)
    summary = {
        "queries": len(asked),
        "replies": sum(finishes.values()),
        "passages": len(kept),
        "queries_without_passage": len(asked) - len(kept),
        "dropped": {reason: reasons[reason] for reason in (*REASONS, "not-needed")},
        "repaired": dict(sorted(repaired.items())),
        "finish_reasons": dict(sorted(finishes.items())),
    }
    log.info("%d passages for %d queries, dropped: %s", len(kept), len(asked), dict(reasons) or "none")
    write_jsonl(passages, kept.values())
    write_jsonl(dropped, lost)
    write_json(counts, summary)
