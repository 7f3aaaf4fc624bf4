"""Step generate_passages: ask a language model for every request, and keep every reply."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from synthrank.files import read_jsonl, write_jsonl
from synthrank.llms import open_stored
from synthrank.llms.base import Llm
from synthrank.progress import progress
from synthrank.reading.passage import read_passage
from synthrank.records import Reply, Request
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec
from synthrank.specs.paradigms import GeneratedParadigm, ParadigmSpec

log = logging.getLogger(__name__)


def generate_passages(*, requests: Path, paradigm: Path, llm: Path, replies: Path, model: list[Path]) -> None:
    """Ask the language model for every request, and again, up to ``quality.attempts``, where the reply is unusable.

    Every reply is kept as it came, with its messages, model, sampling, token counts and finish reason.

    Args:
        requests: what to ask.
        paradigm: the paradigm's entity file: it says when a reply is usable and how often to ask.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        replies: written: every reply, by attempt, in the order of the requests.
    """
    spec: GeneratedParadigm = load(ParadigmSpec, paradigm)
    asked = list(read_jsonl(requests, Request))
    write_jsonl(replies, _replies(open_stored(load(LlmSpec, llm), model[0] if model else None), asked, spec))


def _replies(llm: Llm, asked: list[Request], spec: GeneratedParadigm) -> Iterator[Reply]:
    for attempt in range(spec.quality.attempts):
        if not asked:
            return
        log.info("attempt %d: %d requests", attempt + 1, len(asked))
        unusable = set()
        batch = [replace(request, sample=attempt) for request in asked]
        # They come as they finish; a file in the order of the requests is the same whoever was quicker.
        of_query = {reply.query_id: reply for reply in progress(llm.generate(batch), len(batch), "replies")}
        for reply in (of_query[request.query_id] for request in batch):
            if read_passage(reply, spec.quality).reason:
                unusable.add(reply.query_id)
            yield reply
        asked = [request for request in asked if request.query_id in unusable]
