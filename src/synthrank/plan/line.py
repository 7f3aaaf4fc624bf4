"""One line of the plan, and what its requests cost."""

from dataclasses import dataclass
from typing import Literal

from synthrank.errors import ConfigError
from synthrank.llms.base import Answer
from synthrank.llms.pricing import price_usd
from synthrank.specs.llms import GeminiLlm, LlmSpec, OpenAiLlm
from synthrank.study import Study

SECONDS_PER_REPLY = 4.0
"""How long a hosted model takes for a short passage; the time in flight matters only where no rate is limited."""

QUERY_WORDS, PASSAGE_WORDS = 10, 80
"""Words of a query, and of a passage that is not cut, where none has been read yet (MS MARCO: 6 and 60)."""

Counted = Literal["yes", "estimated", "at most"]


@dataclass(frozen=True, slots=True)
class Line:
    """One rule's requests to one LLM; tokens and dollars are of those that are not in the store.

    ``mode`` is live or batch, as the LLM's file says, and empty for one that no one charges for; ``usd`` is the cost in
    that mode, and ``minutes`` how long live requests take, which is not known of others.

    ``counted`` says whether requests were counted, were estimated from the entity files, or are a bound: how many
    comparisons a sort needs depends on the answers.
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
class Asked:
    """Requests of one kind: how many, how many of them are stored, and the mean tokens of one and of its reply."""

    requests: int
    tokens_in: float
    tokens_out: int
    stored: int = 0
    counted: Counted = "estimated"


def priced(rule: str, corpus: str, name: str, llm: str, spec: LlmSpec, asked: Asked) -> Line:
    """Return the line of requests to an LLM; one that no one charges for costs nothing and has no known speed."""
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
    """Return how long live requests take at the configured limits."""
    limits = spec.limits
    times = [requests * SECONDS_PER_REPLY / limits.concurrency / 60]
    if limits.requests_per_minute:
        times.append(requests / limits.requests_per_minute)
    if limits.tokens_per_minute:
        times.append(requests * tokens / limits.tokens_per_minute)
    return max(times)


def words(count: int) -> str:
    """Return so many words of ordinary length."""
    return " ".join(["sixish"] * count)


def queries_of(study: Study, corpus: str, split: str) -> int:
    """Return how many queries a split has, of the training split those that are taken.

    Raises:
        ConfigError: the corpus does not say.
    """
    count: int | None = study.entities["corpora"][corpus].queries_of(split)
    if count is None:
        raise ConfigError(
            f"{study.folder}/corpora/{corpus}.yaml: counts.splits.{split}.queries: is missing; state how many "
            "queries there are, so that what is asked about them can be planned"
        )
    return count
