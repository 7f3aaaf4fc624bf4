"""Step rank_candidates: a language model orders the candidates of every query."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.errors import DataError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.llms import open_stored
from synthrank.llms.base import Llm
from synthrank.ordering.asking import Outcome, talk
from synthrank.ordering.counting import Account
from synthrank.ordering.methods import asker_of, check_prompt, sort_of
from synthrank.ordering.together import together
from synthrank.progress import progress
from synthrank.prompts import Prompt, read_prompt
from synthrank.records import Ask, Order, Pool, Reply, Request
from synthrank.specs.base import load
from synthrank.specs.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.specs.rankings import Malformed, RankingSpec
from synthrank.texts import texts_of

log = logging.getLogger(__name__)

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
    orders: Path,
    asks: Path,
    counts: Path,
) -> None:
    """Have a language model order each pool, many queries side by side.

    Everything that is asked is kept as it came, of dropped queries too; what had to be repaired is counted.

    Args:
        candidates: the pools.
        ranking: the ranking's entity file.
        prompt: its prompt file.
        llm: the LLM's entity file.
        model: the folder of the model that runs in-process; empty for an LLM that does not.
        passages: the passages of the corpus.
        orders: written: the order of each query that is kept.
        asks: written: everything that was asked and said, query by query.
        counts: written: how much of each, and which queries were dropped.

    Raises:
        ConfigError: the prompt is not one for the ranking.
        DataError: a query or a candidate is there twice, or a candidate is not in the collection.
        ModelError: the ranking takes log-probabilities and the model gives none, or a prompt is too long for it.
    """
    spec: RankingSpec = load(RankingSpec, ranking)
    template, asked = read_prompt(prompt), load(LlmSpec, llm)
    check_prompt(template, spec)
    total, wanted = _checked(candidates)
    shown = Texts(passages, wanted, spec.passage_words)
    backend = open_stored(asked, model[0] if model else None)
    outcomes = _outcomes(read_jsonl(candidates, Pool), spec, template, shown.texts, backend, _round_of(asked, spec))
    account, kept = Account(), list[Order]()
    write_jsonl(asks, _sifted(progress(outcomes, total, "queries"), spec.malformed, account, kept))
    write_jsonl(orders, kept)
    names = {"ranking": ranking.stem, "kind": spec.kind, "prompt": prompt.stem, "llm": llm.stem}
    told = {**names, **account.as_dict(), "cut_passages": shown.cut, "empty_passages": shown.empty}
    write_json(counts, told)
    log.info("%s", {name: value for name, value in told.items() if name not in ("by_query", "dropped")})


class Texts:
    """The texts of passages as prompts show them: on one line, cut to so many words; how many were cut or are empty."""

    def __init__(self, passages: Path, names: set[str], words: int | None) -> None:
        self.texts = texts_of(passages, names)
        self.cut = self.empty = 0
        for name, text in self.texts.items():
            found = text.split()
            self.cut += words is not None and len(found) > words
            self.empty += not found
            self.texts[name] = " ".join(found[:words])


def _checked(candidates: Path) -> tuple[int, set[str]]:
    """Return how many pools there are, and all their passages."""
    queries, names = set[str](), set[str]()
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
        names.update(ids)
    return len(queries), names


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


def _sifted(outcomes: Iterator[Outcome], rules: Malformed, account: Account, kept: list[Order]) -> Iterator[Ask]:
    """Yield everything that was asked; count it, and keep the orders of the queries that are not dropped."""
    for outcome in outcomes:
        dropped = rules.beyond == "drop" and outcome.malformed_share > rules.max_share
        account.add(outcome, dropped)
        if dropped:
            log.warning("query %s is dropped: %d of %d questions stayed without an answer", outcome.pool.query_id,
                        outcome.unanswered, outcome.questions)  # fmt: skip
        else:
            kept.append(Order(outcome.pool.query_id, outcome.pool.query, outcome.ids))
        yield from outcome.asks
