"""Step make_reply_tables: what the language models were asked, what came back, and what it cost."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from synthrank.files import atomic_text, read_jsonl
from synthrank.llms.pricing import cost_usd
from synthrank.reading.status import Status
from synthrank.reading.written import read_written, replies_wanted
from synthrank.records import Reply, Request
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec
from synthrank.specs.paradigms import Asked, ParadigmSpec

STATUS_OF = {"refusal": Status.REFUSED, "blocked": Status.BLOCKED, "truncated": Status.TRUNCATED}
"""How a reason to drop a reply is counted; every other reason is malformed."""


def make_reply_tables(
    *, replies: list[Path], requests: list[Path], paradigms: list[Path], llms: list[Path], cost: Path, counts: Path
) -> None:
    """Make the table of costs, estimated beside actual, and the table of how replies could be read.

    A reply that came from the store counts with what it once cost. An estimate is that of ``make plan`` for the first
    asks of every request, none of them being in the store. Where training seeds have passages of their own, a row
    counts all their draws together.

    Args:
        replies: every reply, one file for each paradigm, LLM and draw.
        requests: for each of them its requests.
        paradigms: for each of them the paradigm's entity file.
        llms: for each of them the LLM's entity file.
        cost: written: the table of costs.
        counts: written: the table of replies by prompt and model.
    """
    draws: dict[tuple[str, Path, Path], list[tuple[Path, Path]]] = defaultdict(list)
    for reply_file, request_file, paradigm, llm in zip(replies, requests, paradigms, llms, strict=True):
        draws[request_file.parents[2].name, paradigm, llm].append((reply_file, request_file))
    costs, read = [], []
    for (corpus, paradigm, llm), files in draws.items():
        spec: LlmSpec = load(LlmSpec, llm)
        settings: Asked = load(ParadigmSpec, paradigm)
        came = [reply for path, _ in files for reply in read_jsonl(path, Reply)]
        asked = [request for _, path in files for request in read_jsonl(path, Request)]
        name = {"corpus": corpus, "paradigm": paradigm.stem, "llm": llm.stem, "draws": len(files)}
        costs.append(name | _cost(came, len(asked), replies_wanted(settings) * cost_usd(spec, asked)))
        snapshots = sorted({reply.snapshot or reply.model for reply in came})
        read.append(name | {"prompt": settings.prompt, "snapshot": " ".join(snapshots)} | _counts(came, settings))
    for path, rows in ((cost, costs), (counts, read)):
        with atomic_text(path) as stream:
            pd.DataFrame(rows).to_csv(stream, index=False, lineterminator="\n")


def _cost(replies: Sequence[Reply], requests: int, estimated_usd: float) -> dict[str, object]:
    return {
        "requests": requests,
        "replies": len(replies),
        "tokens_in": sum(reply.tokens_in for reply in replies),
        "tokens_cached": sum(reply.tokens_cached for reply in replies),
        "tokens_out": sum(reply.tokens_out for reply in replies),
        "estimated_usd": round(estimated_usd, 6),
        "actual_usd": round(sum(reply.price_usd for reply in replies), 6),
        "attempts": sum(reply.attempts for reply in replies),
    }


def _counts(replies: Sequence[Reply], settings: Asked) -> dict[str, int]:
    found: Counter[Status] = Counter()
    for reply in replies:
        reading = read_written(reply, settings)
        if reading.reason:
            found[STATUS_OF.get(reading.reason, Status.MALFORMED)] += 1
        else:
            found[Status.REPAIRED if reading.repaired else Status.WELL_FORMED] += 1
    return {"replies": len(replies), **{str(status): found[status] for status in Status}}
