"""Step ask_queries: queries that a language model writes for passages."""

import logging
from collections import Counter
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from synthrank.errors import BudgetError, ConfigError
from synthrank.exemplars import cut, pairs
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.llms import open_stored
from synthrank.progress import progress
from synthrank.prompts import Prompt, read_prompt
from synthrank.queries.sources import sampled
from synthrank.reading.queries import read_query_reply
from synthrank.reading.schemas import SCHEMA_OF
from synthrank.reading.status import Read, Status
from synthrank.records import Exemplar, Passage, Query, Reply, Request
from synthrank.specs.augmentations import AugmentationSpec, LlmQueries
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec
from synthrank.trec import answers, read_qrels, relevant

log = logging.getLogger(__name__)

TASK = "queries"


def ask_queries(
    *,
    spec: Path,
    prompt: Path,
    llm: Path,
    model: list[Path],
    passages: Path,
    held_out: list[Path],
    exemplar_queries: list[Path],
    exemplar_qrels: list[Path],
    raw: Path,
    replies: Path,
    counts: Path,
) -> None:
    """Ask a language model for queries to a seeded sample of the passages.

    Neither a passage asked about nor an exemplar answers a query of a held-out split. The exemplars are a fixed, seeded
    pool of ``exemplars + 1``, of which each passage sees the first ``exemplars`` that are not itself.

    Args:
        spec: the augmentation's entity file, of kind llm-query.
        prompt: the prompt file, with task queries.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        passages: the passages of the corpus.
        held_out: judgments of the splits that training must not see.
        exemplar_queries: the training queries that exemplars come from; empty where there are none.
        exemplar_qrels: the training judgments, likewise.
        raw: written: the queries, passages in the seeded order; ``source`` is the passage each was made from.
        replies: written: every reply as it came, in the same order.
        counts: written: how the replies could be read.

    Raises:
        ConfigError: the prompt is for another task, or it and the augmentation disagree on exemplars.
        BudgetError: the corpus has too few exemplars, or no reply holds a query.
    """
    settings: LlmQueries = load(AugmentationSpec, spec)
    template = _checked(read_prompt(prompt), settings, spec)
    chosen = sampled(passages, held_out, ceil(settings.count / settings.per_passage), settings.seed)
    pool = _pool(settings, passages, exemplar_queries, exemplar_qrels, held_out)
    requests = [_request(template, settings, passage, pool) for passage in chosen]
    backend = open_stored(load(LlmSpec, llm), model[0] if model else None)
    # They come as they finish; files in the order of the requests are the same whoever was quicker.
    reply_of = {item.query_id: item for item in progress(backend.generate(requests), len(requests), "replies")}
    asked = [reply_of[request.query_id] for request in requests]
    reads = [read_query_reply(reply) for reply in asked]
    queries = [
        Query(f"{spec.stem}:{reply.query_id}:{number}", text, reply.query_id)
        for reply, read in zip(asked, reads, strict=True)
        for number, text in enumerate((read.value or [])[: settings.per_passage], 1)
    ][: settings.count]
    summary = _summary(asked, reads, queries)
    if not queries:
        raise BudgetError(f"{prompt}: none of {len(asked)} replies holds a query ({summary['status']}); change it")
    log.info("%d queries from %d replies", len(queries), len(asked))
    write_jsonl(raw, queries)
    write_jsonl(replies, asked)
    write_json(counts, summary)


def _checked(prompt: Prompt, settings: LlmQueries, spec: Path) -> Prompt:
    if prompt.task != TASK:
        raise ConfigError(f"{spec}: prompt: {prompt.path} has task {prompt.task!r}; it must be {TASK!r}")
    expected = {"passage", "exemplars"} if settings.exemplars else {"passage"}
    if prompt.inputs != expected:
        raise ConfigError(f"{prompt.path}: inputs: must be {sorted(expected)} for {spec}, got {sorted(prompt.inputs)}")
    return prompt


def _pool(
    settings: LlmQueries, passages: Path, queries: list[Path], qrels: list[Path], held_out: list[Path]
) -> list[Exemplar]:
    """Return one exemplar more than a prompt shows, for the passage that would meet itself, or none at all."""
    if not settings.exemplars:
        return []
    asked = [query for path in queries for query in read_jsonl(path, Query)]
    own = {query: names for path in qrels for query, names in relevant(read_qrels(path)).items()}
    wanted = settings.exemplars + 1
    excluded, words = answers(held_out), settings.passage_words
    found = pairs(passages, asked, own, excluded, count=wanted, seed=settings.seed, words=words)
    if len(found) < wanted:
        raise BudgetError(
            f"{passages}: {len(found)} training pairs can serve as exemplars, {wanted} are needed; lower exemplars"
        )
    return found


def _request(prompt: Prompt, settings: LlmQueries, passage: Passage, pool: Sequence[Exemplar]) -> Request:
    values: dict[str, object] = {"passage": cut(passage.text, settings.passage_words)}
    shown = [item for item in pool if item.id != passage.id][: settings.exemplars or 0]
    if settings.exemplars:
        values["exemplars"] = shown
    schema = SCHEMA_OF[TASK] if prompt.structured else ""
    return Request(passage.id, "", prompt.render(**values), tuple(item.id for item in shown), schema=schema)


def _summary(replies: Sequence[Reply], reads: Sequence[Read[list[str]]], queries: Sequence[Query]) -> dict[str, object]:
    status = Counter(read.status for read in reads)
    return {
        "replies": len(replies),
        "queries": len(queries),
        "status": {str(name): status[name] for name in Status},
        "notes": dict(sorted(Counter(note for read in reads for note in read.notes).items())),
        "finish_reasons": dict(sorted(Counter(reply.finish_reason for reply in replies).items())),
    }
