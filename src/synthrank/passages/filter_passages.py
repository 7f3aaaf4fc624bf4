"""Step filter_passages: read replies as passages, and count what is dropped and why."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.reading.written import Written, read_written, reasons_of, replies_wanted
from synthrank.records import Dropped, Reply, WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.paradigms import Asked, GradedParadigm, ParadigmSpec

log = logging.getLogger(__name__)


def filter_passages(*, replies: Path, paradigm: Path, passages: Path, dropped: Path, counts: Path) -> None:
    """Keep as many replies a query as its paradigm wants: the first usable ones, no text word for word twice.

    The id of a query's first passage is ``QUERY@PARADIGM``, of the next ``QUERY@PARADIGM@2`` and so on. Under a graded
    paradigm a reply is kept with a passage of every level or not at all, and the ids are ``QUERY@PARADIGM@LEVEL``.

    Args:
        replies: what came back.
        paradigm: the paradigm's entity file: it says when a reply is usable, and how many are wanted.
        passages: written: the passages.
        dropped: written: every reply that did not become any, with its reason.
        counts: written: how many of each.

    Raises:
        BudgetError: no reply is usable.
    """
    spec: Asked = load(ParadigmSpec, paradigm)
    wanted = replies_wanted(spec)
    kept: dict[str, list[Written]] = {}
    lost: list[Dropped] = []
    tallies: dict[str, Counter[Any]] = {name: Counter() for name in ("repaired", "finish_reasons", "missing_levels")}
    seen: set[str] = set()
    asked: dict[str, Reply] = {}
    for reply in read_jsonl(replies, Reply):
        asked.setdefault(reply.query_id, reply)
        tallies["finish_reasons"][reply.finish_reason] += 1
        written = read_written(reply, spec)
        tallies["missing_levels"].update(written.missing)
        reason = written.reason or ("duplicate" if seen.intersection(written.texts) else "")
        if reason or len(kept.get(reply.query_id, ())) == wanted:
            lost.append(Dropped(reply.query_id, reply.sample, reason or "not-needed", reply.text))
            continue
        seen.update(written.texts)
        tallies["repaired"].update(written.repaired)
        kept.setdefault(reply.query_id, []).append(written)
    if not kept:
        counted = Counter(item.reason for item in lost).most_common()
        reasons = ", ".join(f"{count} {reason}" for reason, count in counted)
        raise BudgetError(
            f"{replies}: none of {len(lost)} replies is a passage ({reasons}); change prompt or quality of {paradigm}"
        )
    found = [item for name, those in kept.items() for item in _passages(asked[name], those, paradigm.stem, spec)]
    log.info("%d passages for %d queries, %d replies dropped", len(found), len(asked), len(lost))
    write_jsonl(passages, found)
    write_jsonl(dropped, lost)
    write_json(counts, _summary(spec, len(asked), kept, len(found), lost, tallies))


def _passages(reply: Reply, kept: Sequence[Written], paradigm: str, spec: Asked) -> Iterator[WrittenPassage]:
    """Yield the passages of a query under their ids."""
    graded = isinstance(spec, GradedParadigm)
    for place, written in enumerate(kept, 1):
        for grade, text in written.passages:
            suffix = f"@{grade}" if graded else f"@{place}" if place > 1 else ""
            yield WrittenPassage(f"{reply.query_id}@{paradigm}{suffix}", text, reply.query_id, reply.query, grade)


def _summary(
    spec: Asked,
    queries: int,
    kept: Mapping[str, Sequence[Written]],
    passages: int,
    lost: Sequence[Dropped],
    tallies: Mapping[str, Counter[Any]],
) -> dict[str, Any]:
    """Return the counts; those of several passages, or of levels, only where several or levels were asked for."""
    reasons = Counter(item.reason for item in lost)
    wanted, missing = replies_wanted(spec), tallies["missing_levels"]
    more: dict[str, Any] = {}
    if wanted > 1:
        more["queries_with_fewer"] = sum(len(those) < wanted for those in kept.values())
    if isinstance(spec, GradedParadigm):
        more["missing_levels"] = {str(level): missing[level] for level in spec.levels}
    return {
        "queries": queries,
        "replies": tallies["finish_reasons"].total(),
        "passages": passages,
        "queries_without_passage": queries - len(kept),
        **more,
        "dropped": {reason: reasons[reason] for reason in (*reasons_of(spec), "not-needed")},
        "repaired": dict(sorted(tallies["repaired"].items())),
        "finish_reasons": dict(sorted(tallies["finish_reasons"].items())),
    }
