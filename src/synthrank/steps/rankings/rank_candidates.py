"""Step rank_candidates: rank the candidates of a shard of the queries with a language model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.config.base import load
from synthrank.config.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.config.rankings import RankingSpec
from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Pool, Reply, Request
from synthrank.data.shards import Shard
from synthrank.errors import DataError
from synthrank.llms import open_stored
from synthrank.llms.base import Llm
from synthrank.llms.prompts import Prompt, read_prompt
from synthrank.llms.reranking.methods import asker_of, sort_of
from synthrank.llms.reranking.questions import Outcome, converse
from synthrank.llms.reranking.rounds import run_in_rounds
from synthrank.runtime.progress import progress

TOGETHER = 1024
"""Requests per round: a prompt with 30 passages of 300 words has 55 kB, and a round about 60 MB."""

SCORED_TOGETHER = 8192
"""Prompts scored per round: they contain one or two passages, and a round scores each distinct prompt once."""


def rank_candidates(
    *,
    candidates: Path,
    ranking: Path,
    prompt: Path,
    llm: Path,
    model: list[Path],
    passages: Path,
    shard: str,
    outcomes: Path,
    texts: Path,
) -> None:
    """Rank each pool of a shard with a language model, many queries in parallel.

    Stored replies and the replies of a float32 model do not depend on the number of shards. Sharding changes the
    batches: a model in a 16-bit type may give some other replies, and log-probabilities, which are not stored, may
    differ in their last digits in any type.

    Args:
        candidates: the pools.
        ranking: the ranking's entity file.
        prompt: the ranking's prompt file.
        llm: the LLM's entity file.
        model: the folder of the model; empty if the LLM does not run in-process.
        passages: the passages of the corpus.
        shard: the shard of the pools, such as 2-of-4.
        outcomes: the file to write: per query, in the order of the pools, its ranking and all its requests and replies.
        texts: the file to write: the passages of the shard that were cut, and the empty passages.

    Raises:
        ConfigError: the shard name is invalid.
        DataError: a query or a candidate is repeated, or a candidate is not in the corpus.
        ModelError: the ranking needs log-probabilities that the model does not give, or a prompt is too long for it.
    """
    spec: RankingSpec = load(RankingSpec, ranking)
    template, asked = read_prompt(prompt), load(LlmSpec, llm)
    total, part = _check_candidates(candidates), Shard.parse(shard)
    names = {item.id for pool in part.take(read_jsonl(candidates, Pool), total) for item in pool.candidates}
    shown = Texts(passages, names, spec.passage_words)
    backend = open_stored(asked, model[0] if model else None)
    pools = part.take(read_jsonl(candidates, Pool), total)
    found = _rank_pools(pools, spec, template, shown.texts, backend, _round_of(asked, spec))
    write_jsonl(outcomes, progress(found, len(part.rows(total)), "queries"))
    write_json(texts, {"cut": shown.cut, "empty": shown.empty})


class Texts:
    """Texts of passages for prompts: on one line, cut to ``words`` words, with the ids of cut and empty passages."""

    def __init__(self, passages: Path, names: set[str], words: int | None) -> None:
        self.texts = texts_of(passages, names)
        self.cut: list[str] = []
        self.empty: list[str] = []
        for name, text in self.texts.items():
            found = text.split()
            if words is not None and len(found) > words:
                self.cut.append(name)
            if not found:
                self.empty.append(name)
            self.texts[name] = " ".join(found[:words])


def _check_candidates(candidates: Path) -> int:
    """Return the number of pools; raise DataError if a query or a candidate is repeated."""
    queries = set[str]()
    for pool in read_jsonl(candidates, Pool):
        ids = [item.id for item in pool.candidates]
        if pool.query_id in queries:
            raise DataError(f"{candidates}: query {pool.query_id} is repeated; expected one pool per query")
        if len(set(ids)) < len(ids):
            raise DataError(
                f"{candidates}: query {pool.query_id}: passage {max(ids, key=ids.count)} is repeated; expected each "
                "candidate once"
            )
        queries.add(pool.query_id)
    return len(queries)


def _round_of(llm: LlmSpec, ranking: RankingSpec) -> int:
    """Return the number of requests per round: a whole batch for a batch interface, whose rounds take hours."""
    if ranking.scores:
        return SCORED_TOGETHER
    return llm.batch.lines if isinstance(llm, OpenAiLlm | GeminiLlm) and llm.mode == "batch" else TOGETHER


def _rank_pools(
    pools: Iterator[Pool], spec: RankingSpec, prompt: Prompt, texts: Mapping[str, str], llm: Llm, most: int
) -> Iterator[Outcome]:
    """Yield the outcome of each pool, in the order of the pools."""
    asker: Any = asker_of(spec, prompt, texts)
    attempts = spec.malformed.attempts
    conversations = (converse(pool, sort_of(spec, len(pool.candidates)), asker, attempts) for pool in pools)
    ask: Callable[[list[Any]], Sequence[Any]] = llm.score if spec.scores else _Writer(llm).replies
    return run_in_rounds(conversations, ask, most)


class _Writer:
    """Replies of a model, in the order of the requests."""

    def __init__(self, llm: Llm) -> None:
        self._llm = llm

    def replies(self, requests: Sequence[Request]) -> list[Reply]:
        """Return one reply per request."""
        found = {(reply.query_id, reply.sample): reply for reply in self._llm.generate(requests)}
        return [found[request.query_id, request.sample] for request in requests]
