"""Step ask_queries: replies of a language model that is asked for queries to a shard of the sampled passages."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.exemplars import cut
from synthrank.files import read_jsonl, write_jsonl
from synthrank.llms import open_stored
from synthrank.progress import progress
from synthrank.prompts import Prompt, read_prompt
from synthrank.queries.sources import shard_of
from synthrank.reading.schemas import SCHEMA_OF
from synthrank.records import Exemplar, Passage, Request
from synthrank.specs.augmentations import AugmentationSpec, LlmQueries
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec


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
    """Ask a language model for queries to the passages of a shard.

    Each passage sees the first exemplars that are not itself, as many as the augmentation states.

    Replies in the store are the same in any shard, and so are those of a model in float32. In a 16-bit type a shard
    makes other batches, and some replies may be others than in the whole.

    Args:
        spec: the augmentation's entity file, of kind llm-query.
        prompt: the prompt file, with task queries.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        sampled: the passages to ask about.
        exemplars: the exemplars, one more than a prompt shows; empty where it shows none.
        shard: which shard of the passages to ask about, such as 2-of-4.
        replies: written: every reply as it came, passages in their order.

    Raises:
        ConfigError: the name is that of no shard.
        PromptError: the prompt's text uses other inputs than its head declares.
    """
    settings: LlmQueries = load(AugmentationSpec, spec)
    template = read_prompt(prompt)
    chosen = shard_of(sampled, shard)
    pool = [item for path in exemplars for item in read_jsonl(path, Exemplar)]
    requests = [_request(template, settings, passage, pool) for passage in chosen]
    backend = open_stored(load(LlmSpec, llm), model[0] if model else None)
    # They come as they finish; files in the order of the requests are the same whoever was quicker.
    reply_of = {item.query_id: item for item in progress(backend.generate(requests), len(requests), "replies")}
    write_jsonl(replies, (reply_of[request.query_id] for request in requests))


def _request(prompt: Prompt, settings: LlmQueries, passage: Passage, pool: Sequence[Exemplar]) -> Request:
    values: dict[str, object] = {"passage": cut(passage.text, settings.passage_words)}
    shown = [item for item in pool if item.id != passage.id][: settings.exemplars or 0]
    if settings.exemplars:
        values["exemplars"] = shown
    schema = SCHEMA_OF[prompt.task] if prompt.structured else ""
    return Request(passage.id, "", prompt.render(**values), tuple(item.id for item in shown), schema=schema)
