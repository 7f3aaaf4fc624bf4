"""Step rank_candidates: a language model orders the candidates of a shard of the queries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.errors import DataError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.llms import open_stored
from synthrank.llms.base import Llm
from synthrank.ordering.asking import Outcome, talk
from synthrank.ordering.methods import asker_of, sort_of
from synthrank.ordering.together import together
from synthrank.progress import progress
from synthrank.prompts import Prompt, read_prompt
from synthrank.records import Pool, Reply, Request
from synthrank.shards import Shard
from synthrank.specs.base import load
from synthrank.specs.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.specs.rankings import RankingSpec
from synthrank.texts import texts_of

TOGETHER = 1024
"""Requests of one round: 30 passages of 300 words make a prompt of 55 kB, so that a round is some 60 MB."""

SCORED_TOGETHER = 8192
"""Texts scored in one round: prompts are a passage or two long, and one that several queries share is read once."""


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
    """Have a language model order each pool of a shard, many queries side by side.

    Replies in the store are the same in any shard, and so is what a model in float32 writes. A shard makes other
    batches: in a 16-bit type some replies may be others than in the whole, and log-probabilities, which are not stored,
    may differ in their last digits in any type.

    Args:
        candidates: the pools.
        ranking: the ranking's entity file.
        prompt: its prompt file.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        passages: the passages of the corpus.
        shard: which shard of the pools, such as 2-of-4.
        outcomes: written: the order of each query and everything that was asked for it, in the order of the pools.
        texts: written: the passages of the shard that are cut, and those that are empty.

    Raises:
        ConfigError: the name is that of no shard.
        DataError: a query or a candidate is there twice, or a candidate is not in the collection.
        ModelError: the ranking takes log-probabilities and the model gives none, or a prompt is too long for it.
    """
    spec: RankingSpec = load(RankingSpec, ranking)
    template, asked = read_prompt(prompt), load(LlmSpec, llm)
    total, part = _checked(candidates), Shard.parse(shard)
    names = {item.id for pool in part.take(read_jsonl(candidates, Pool), total) for item in pool.candidates}
    shown = Texts(passages, names, spec.passage_words)
    backend = open_stored(asked, model[0] if model else None)
    pools = part.take(read_jsonl(candidates, Pool), total)
    found = _outcomes(pools, spec, template, shown.texts, backend, _round_of(asked, spec))
    write_jsonl(outcomes, progress(found, len(part.rows(total)), "queries"))
    write_json(texts, {"cut": shown.cut, "empty": shown.empty})


class Texts:
    """The texts of passages as prompts show them: on one line, cut to so many words; which were cut or are empty."""

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


def _checked(candidates: Path) -> int:
    """Return how many pools there are."""
    queries = set[str]()
    for pool in read_jsonl(candidates, Pool):
        ids = [item.id for item in pool.candidates]
        if pool.query_id in queries:
            raise DataError(f"{candidates}: query {pool.query_id} is there twice; each query has one pool")
        if len(set(ids)) < len(ids):
            raise DataError(
                f"{candidates}: query {pool.query_id}: passage {max(ids, key=ids.count)} is there twice; a pool holds "
                "each candidate once"
            )
        queries.add(pool.query_id)
    return len(queries)


def _round_of(llm: LlmSpec, ranking: RankingSpec) -> int:
    """Return how much is asked in one round: of a batch interface, whose rounds take hours, a whole batch."""
    if ranking.scores:
        return SCORED_TOGETHER
    return llm.batch.lines if isinstance(llm, OpenAiLlm | GeminiLlm) and llm.mode == "batch" else TOGETHER


def _outcomes(
    pools: Iterator[Pool], spec: RankingSpec, prompt: Prompt, texts: Mapping[str, str], llm: Llm, most: int
) -> Iterator[Outcome]:
    """Yield the outcome of each pool, in their order."""
    asker: Any = asker_of(spec, prompt, texts)
    attempts = spec.malformed.attempts
    talks = (talk(pool, sort_of(spec, len(pool.candidates)), asker, attempts) for pool in pools)
    ask: Callable[[list[Any]], Sequence[Any]] = llm.score if spec.scores else _Writer(llm).replies
    return together(talks, ask, most)


class _Writer:
    """A model's replies in the order of the requests."""

    def __init__(self, llm: Llm) -> None:
        self._llm = llm

    def replies(self, requests: Sequence[Request]) -> list[Reply]:
        """Return one reply a request."""
        found = {(reply.query_id, reply.sample): reply for reply in self._llm.generate(requests)}
        return [found[request.query_id, request.sample] for request in requests]
