"""Step filter_passages: read replies as passages, and count dropped replies by reason."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.config.base import load
from synthrank.config.paradigms import AskedParadigm, GradedParadigm, ParadigmSpec
from synthrank.data.files import json_lines, write_json, write_jsonl
from synthrank.data.records import Dropped, Reply, WrittenPassage
from synthrank.errors import BudgetError
from synthrank.llms.parsing.status import state_reasons
from synthrank.llms.parsing.written import Written, count_wanted, list_reasons, read_rounds

log = logging.getLogger(__name__)


def filter_passages(
    *, requests: Path, replies: Path, paradigm: Path, passages: Path, dropped: Path, counts: Path
) -> None:
    """Keep the first usable replies per query, as many as the paradigm wants, without repeated texts.

    The id of a query's first passage is ``QUERY@PARADIGM``, of the second ``QUERY@PARADIGM@2`` and so on. A graded
    paradigm keeps only replies with a passage of every level; the ids are ``QUERY@PARADIGM@LEVEL``.

    Args:
        requests: the requests.
        replies: the replies.
        paradigm: the paradigm's entity file: conditions for a usable reply, and replies per query.
        passages: written: the passages.
        dropped: written: every dropped reply with the reason.
        counts: written: the numbers of queries, replies, passages, dropped replies and repairs.

    Raises:
        BudgetError: no reply is usable.
        ShardError: a reply is missing, or belongs to another request.
    """
    spec: AskedParadigm = load(ParadigmSpec, paradigm)
    kept: dict[str, list[Written]] = {}
    lost: list[Dropped] = []
    tallies: dict[str, Counter[Any]] = {name: Counter() for name in ("repaired", "finish_reasons", "missing_levels")}
    seen: set[str] = set()
    asked: dict[str, Reply] = {}
    names = (row["query_id"] for _, row in json_lines(requests))
    for _, reply, written in read_rounds(replies, names, spec):
        asked.setdefault(reply.query_id, reply)
        tallies["finish_reasons"][reply.finish_reason] += 1
        tallies["missing_levels"].update(written.missing)
        reason = written.reason or ("duplicate" if seen.intersection(written.texts) else "")
        if reason:
            lost.append(Dropped(reply.query_id, reply.sample, reason, reply.text))
            continue
        seen.update(written.texts)
        tallies["repaired"].update(written.repaired)
        kept.setdefault(reply.query_id, []).append(written)
    if not kept:
        reasons = state_reasons(Counter(item.reason for item in lost))
        raise BudgetError(f"{replies}: no usable reply to prompt {spec.prompt} among {len(lost)} {reasons}")
    found = [item for name, those in kept.items() for item in _read_passages(asked[name], those, paradigm.stem, spec)]
    log.info("%d passages for %d queries, %d replies dropped", len(found), len(asked), len(lost))
    write_jsonl(passages, found)
    write_jsonl(dropped, lost)
    write_json(counts, _summarise(spec, len(asked), kept, len(found), lost, tallies))


def _read_passages(
    reply: Reply, kept: Sequence[Written], paradigm: str, spec: AskedParadigm
) -> Iterator[WrittenPassage]:
    """Yield the passages of a query with their ids."""
    graded = isinstance(spec, GradedParadigm)
    for place, written in enumerate(kept, 1):
        for grade, text in written.passages:
            suffix = f"@{grade}" if graded else f"@{place}" if place > 1 else ""
            yield WrittenPassage(f"{reply.query_id}@{paradigm}{suffix}", text, reply.query_id, reply.query, grade)


def _summarise(
    spec: AskedParadigm,
    queries: int,
    kept: Mapping[str, Sequence[Written]],
    passages: int,
    lost: Sequence[Dropped],
    tallies: Mapping[str, Counter[Any]],
) -> dict[str, Any]:
    """Return the counts. Counts of several passages or of levels appear only if the paradigm requests these."""
    reasons = Counter(item.reason for item in lost)
    wanted, missing = count_wanted(spec), tallies["missing_levels"]
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
        "dropped": {reason: reasons[reason] for reason in list_reasons(spec)},
        "repaired": dict(sorted(tallies["repaired"].items())),
        "finish_reasons": dict(sorted(tallies["finish_reasons"].items())),
    }
