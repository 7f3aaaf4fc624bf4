"""Step generate_passages: ask a language model for every request, and keep every reply."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from synthrank.files import read_jsonl, write_jsonl
from synthrank.llms import open_stored
from synthrank.llms.base import Llm
from synthrank.progress import progress
from synthrank.reading.written import read_written, replies_wanted
from synthrank.records import Reply, Request
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec
from synthrank.specs.paradigms import Asked, ParadigmSpec

log = logging.getLogger(__name__)


def generate_passages(*, requests: Path, paradigm: Path, llm: Path, replies: Path, model: list[Path]) -> None:
    """Ask the language model for every request until it has as many usable replies as the paradigm wants.

    A query is asked at most ``quality.attempts`` times for each reply that is wanted of it. It is asked in rounds: in
    each for as many as it lacks, so that none is asked that cannot be needed. The sample of a request is the number of
    the ask, from 0: what is asked, and is found in the store, depends on the earlier replies alone. Replies that are
    word for word the same count once.

    Every reply is kept as it came, with its messages, model, sampling, token counts and finish reason.

    Args:
        requests: what to ask.
        paradigm: the paradigm's entity file: it says when a reply is usable, how many are wanted and how often to ask.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        replies: written: every reply, by round, in the order of the requests.
    """
    spec: Asked = load(ParadigmSpec, paradigm)
    asked = list(read_jsonl(requests, Request))
    write_jsonl(replies, _replies(open_stored(load(LlmSpec, llm), model[0] if model else None), asked, spec))


def _replies(llm: Llm, asked: list[Request], spec: Asked) -> Iterator[Reply]:
    wanted, most = replies_wanted(spec), replies_wanted(spec) * spec.quality.attempts
    usable: dict[str, set[tuple[str, ...]]] = {request.query_id: set() for request in asked}
    asks = dict.fromkeys(usable, 0)
    while asked:
        batch = []
        for request in asked:
            name = request.query_id
            start, asks[name] = asks[name], min(most, asks[name] + wanted - len(usable[name]))
            batch += [replace(request, sample=sample) for sample in range(start, asks[name])]
        log.info("%d requests for %d queries", len(batch), len(asked))
        # They come as they finish; a file in the order of the requests is the same whoever was quicker.
        came = progress(llm.generate(batch), len(batch), "replies")
        of_ask = {(reply.query_id, reply.sample): reply for reply in came}
        for reply in (of_ask[request.query_id, request.sample] for request in batch):
            written = read_written(reply, spec)
            if not written.reason:
                usable[reply.query_id].add(written.texts)
            yield reply
        asked = [item for item in asked if len(usable[item.query_id]) < wanted and asks[item.query_id] < most]
