"""Lines of the plan and the cost of their requests."""

from dataclasses import dataclass
from typing import Literal

from synthrank.config.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.config.study import Study
from synthrank.errors import ConfigError
from synthrank.llms.base import Answer
from synthrank.llms.store.pricing import price_usd

SECONDS_PER_REPLY = 4.0
"""Seconds in which a hosted model writes a short passage. They matter only without limits of the rate."""

QUERY_WORDS, PASSAGE_WORDS = 10, 80
"""Words of a query and of an uncut passage, assumed before any are read (MS MARCO: 6 and 60)."""

Counted = Literal["yes", "estimated", "at most"]


@dataclass(frozen=True, slots=True)
class Line:
    """Requests of one rule to one LLM. Tokens and dollars exclude requests whose replies are stored.

    ``mode`` is live or batch, as in the LLM's file, and empty for a free LLM. ``usd`` is the cost in this mode.
    ``minutes`` is the duration of live requests, and None for others.

    ``counted`` states whether requests were counted, were estimated from the files under config/, or are an upper
    bound: the number of comparisons in a sort depends on the replies.
    """

    rule: str
    corpus: str
    name: str
    llm: str
    requests: int
    stored: int
    tokens_in: int
    tokens_out: int
    mode: str
    usd: float
    minutes: float | None
    counted: Counted


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """Requests of one kind: their number, the number of stored ones, and the mean tokens of a request and a reply."""

    requests: int
    tokens_in: float
    tokens_out: int
    stored: int = 0
    counted: Counted = "estimated"


def price_requests(rule: str, corpus: str, name: str, llm: str, spec: LlmSpec, asked: RequestCounts) -> Line:
    """Return the line of requests to an LLM. A free LLM has no cost and no known speed."""
    left = asked.requests - asked.stored
    mode, usd, minutes = "", 0.0, None
    if isinstance(spec, OpenAiLlm | GeminiLlm):
        one = Answer("", "stop", "", round(asked.tokens_in), asked.tokens_out)
        mode, usd = spec.mode, left * price_usd(spec.price, one, spec.mode)
        if mode == "live":
            minutes = _minutes(spec, left, asked.tokens_in + asked.tokens_out)
    return Line(
        rule, corpus, name, llm, asked.requests, asked.stored,
        round(left * asked.tokens_in), left * asked.tokens_out, mode, usd, minutes, asked.counted,
    )  # fmt: skip


def _minutes(spec: OpenAiLlm | GeminiLlm, requests: int, tokens: float) -> float:
    """Return the duration of live requests at the stated limits, in minutes."""
    limits = spec.limits
    times = [requests * SECONDS_PER_REPLY / limits.concurrency / 60]
    if limits.requests_per_minute:
        times.append(requests / limits.requests_per_minute)
    if limits.tokens_per_minute:
        times.append(requests * tokens / limits.tokens_per_minute)
    return max(times)


def words(count: int) -> str:
    """Return a text of ``count`` words of ordinary length."""
    return " ".join(["sixish"] * count)


def count_queries(study: Study, corpus: str, split: str) -> int:
    """Return the number of queries of a split, or of the sampled queries for the training split.

    Raises:
        ConfigError: the corpus does not state the number.
    """
    count: int | None = study.entities["corpora"][corpus].queries_of(split)
    if count is None:
        raise ConfigError(
            f"{study.folder}/corpora/{corpus}.yaml: counts.splits.{split}.queries: is missing; state the number of "
            "queries, so that requests about them can be planned"
        )
    return count
