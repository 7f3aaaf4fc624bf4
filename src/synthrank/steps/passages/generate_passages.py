"""Step generate_passages: send the requests of a shard to a language model, and keep every reply."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.llms import LlmSpec
from synthrank.config.paradigms import AskedParadigm, ParadigmSpec
from synthrank.data.files import count_lines, read_jsonl, write_jsonl
from synthrank.data.records import Reply, Request
from synthrank.data.shards import Shard
from synthrank.llms import open_stored
from synthrank.llms.base import Llm, reseed
from synthrank.llms.parsing.written import Rounds
from synthrank.runtime.progress import progress

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
    """Send the requests of a shard until each query has as many usable replies as the paradigm wants.

    Requests are sent in rounds. In each round, a query gets as many requests as it lacks usable replies, and at most
    ``quality.attempts`` requests per wanted reply in total. The sample of a request is its number within the query,
    from 0, so requests depend only on the earlier replies. Identical replies count once.

    Every reply is kept unchanged, with its messages, model, sampling, token counts and finish reason. Stored replies
    and replies of a model in float32 do not depend on the sharding. In a 16-bit type they may, because shards form
    other batches.

    Args:
        requests: the requests.
        paradigm: the paradigm's entity file: conditions for a usable reply, replies per query, and attempts.
        llm: the LLM's entity file.
        model: the folder of the local model; empty for other LLMs.
        generation_draw: the draw of the model's samples. Draw 0 uses the seed of the LLM's file, other draws a seed
            derived from it, so that the store keeps a reply per draw. Without sampling, all draws are equal.
        shard: the name of the shard, such as 2-of-4.
        replies: written: every reply, by round, in the order of the requests.

    Raises:
        ConfigError: the shard name is invalid.
    """
    spec: AskedParadigm = load(ParadigmSpec, paradigm)
    mine = Shard.parse(shard).take(read_jsonl(requests, Request), count_lines(requests))
    asked = {request.query_id: request for request in mine}
    sampled = reseed(load(LlmSpec, llm), generation_draw)
    write_jsonl(replies, _ask_rounds(open_stored(sampled, model[0] if model else None), asked, spec))


def _ask_rounds(llm: Llm, asked: Mapping[str, Request], spec: AskedParadigm) -> Iterator[Reply]:
    rounds = Rounds(asked, spec)
    while asks := rounds.asks():
        batch = [replace(asked[name], sample=sample) for name, sample in asks]
        log.info("%d requests for %d queries", len(batch), len({name for name, _ in asks}))
        # Replies arrive in any order; the file has the order of the requests.
        came = progress(llm.generate(batch), len(batch), "replies")
        of_ask = {(reply.query_id, reply.sample): reply for reply in came}
        for ask in asks:
            rounds.take(of_ask[ask])
            yield of_ask[ask]
