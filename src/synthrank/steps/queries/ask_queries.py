"""Step ask_queries: request queries for a shard of the sampled passages from a language model."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, LlmQueries
from synthrank.config.base import load
from synthrank.config.llms import LlmSpec
from synthrank.config.reply_schemas import SCHEMA_OF
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.records import Exemplar, Passage, Request
from synthrank.llms import open_stored
from synthrank.llms.exemplars import cut_words
from synthrank.llms.prompts import Prompt, read_prompt
from synthrank.runtime.progress import progress
from synthrank.steps.queries.sources import read_shard


def ask_queries(
    *,
    spec: Path,
    prompt: Path,
    llm: Path,
    model: list[Path],
    sampled: Path,
    exemplars: list[Path],
    shard: str,
    replies: Path,
) -> None:
    """Request queries for the passages of a shard from a language model.

    A prompt shows the first exemplars whose passage is another one, as many as the augmentation states.

    Stored replies and replies of a model in float32 do not depend on the sharding. In a 16-bit type they may, because
    shards form other batches.

    Args:
        spec: the augmentation's entity file, of kind llm-query.
        prompt: the prompt file, with task queries.
        llm: the LLM's entity file.
        model: the folder of the local model; empty for other LLMs.
        sampled: the sampled passages.
        exemplars: the drawn exemplars; empty if prompts show no exemplars.
        shard: the name of the shard, such as 2-of-4.
        replies: written: every reply unchanged, in the order of the passages.

    Raises:
        ConfigError: the shard name is invalid.
        PromptError: the inputs in the prompt's text differ from the declared inputs.
    """
    settings: LlmQueries = load(AugmentationSpec, spec)
    template = read_prompt(prompt)
    chosen = read_shard(sampled, shard)
    pool = [item for path in exemplars for item in read_jsonl(path, Exemplar)]
    requests = [_request(template, settings, passage, pool) for passage in chosen]
    backend = open_stored(load(LlmSpec, llm), model[0] if model else None)
    # Replies arrive in any order; the file has the order of the requests.
    reply_of = {item.query_id: item for item in progress(backend.generate(requests), len(requests), "replies")}
    write_jsonl(replies, (reply_of[request.query_id] for request in requests))


def _request(prompt: Prompt, settings: LlmQueries, passage: Passage, pool: Sequence[Exemplar]) -> Request:
    values: dict[str, object] = {"passage": cut_words(passage.text, settings.passage_words)}
    shown = [item for item in pool if item.id != passage.id][: settings.exemplars or 0]
    if settings.exemplars:
        values["exemplars"] = shown
    schema = SCHEMA_OF[prompt.task] if prompt.structured else ""
    return Request(passage.id, "", prompt.render(**values), tuple(item.id for item in shown), schema=schema)
