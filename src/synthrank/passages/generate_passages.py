"""Step generate_passages: ask a language model for every request of a shard, and keep every reply."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from synthrank.files import count_lines, read_jsonl, write_jsonl
from synthrank.llms import open_stored
from synthrank.llms.base import Llm, of_draw
from synthrank.progress import progress
from synthrank.reading.written import Rounds
from synthrank.records import Reply, Request
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec
from synthrank.specs.paradigms import Asked, ParadigmSpec

log = logging.getLogger(__name__)


def generate_passages(
    *,
    requests: Path,
    paradigm: Path,
    llm: Path,
    model: list[Path],
    generation_draw: int,
    shard: str,
    replies: Path,
) -> None:
    """Ask the language model for every request of a shard until it has as many usable replies as the paradigm wants.

    A query is asked at most ``quality.attempts`` times for each reply that is wanted of it. It is asked in rounds: in
    each for as many as it lacks, so that none is asked that cannot be needed. The sample of a request is the number of
    the ask, from 0: what is asked, and is found in the store, depends on the earlier replies alone. Replies that are
    word for word the same count once.

    Every reply is kept as it came, with its messages, model, sampling, token counts and finish reason. Replies in the
    store are the same in any shard, and so are those of a model in float32. In a 16-bit type a shard makes other
    batches, and some replies may be others than in the whole.

    Args:
        requests: what to ask.
        paradigm: the paradigm's entity file: it says when a reply is usable, how many are wanted and how often to ask.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        generation_draw: which draw of the model's samples: 0 by the seed of its file, another by a seed derived from
            both, so that the store keeps a reply of each; a model that does not sample says the same in all.
        shard: which shard of the requests, such as 2-of-4.
        replies: written: every reply, by round, in the order of the requests.

    Raises:
        ConfigError: the name is that of no shard.
    """
    spec: Asked = load(ParadigmSpec, paradigm)
    mine = Shard.parse(shard).take(read_jsonl(requests, Request), count_lines(requests))
    asked = {request.query_id: request for request in mine}
    sampled = of_draw(load(LlmSpec, llm), generation_draw)
    write_jsonl(replies, _replies(open_stored(sampled, model[0] if model else None), asked, spec))


def _replies(llm: Llm, asked: Mapping[str, Request], spec: Asked) -> Iterator[Reply]:
    rounds = Rounds(asked, spec)
    while asks := rounds.asks():
        batch = [replace(asked[name], sample=sample) for name, sample in asks]
        log.info("%d requests for %d queries", len(batch), len({name for name, _ in asks}))
        # They come as they finish; a file in the order of the requests is the same whoever was quicker.
        came = progress(llm.generate(batch), len(batch), "replies")
        of_ask = {(reply.query_id, reply.sample): reply for reply in came}
        for ask in asks:
            rounds.take(of_ask[ask])
            yield of_ask[ask]
