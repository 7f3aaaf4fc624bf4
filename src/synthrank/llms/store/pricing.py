"""Prices of replies, and estimates of the price of requests before they are sent."""

from collections.abc import Iterable

from synthrank.config.llms import GeminiLlm, LlmSpec, OpenAiLlm, Price
from synthrank.data.records import Request
from synthrank.llms.base import Answer

MILLION = 1_000_000

CHARACTERS_PER_TOKEN = 4.0
"""For English text with the tokenizers of both providers; their documentation has the same rule of thumb."""

TOKENS_PER_TURN = 4
"""Tokens that a chat format adds to each turn."""

OUTPUT_SHARE = 0.6
"""Expected share of the output limit that a reply uses: prompts request texts shorter than the limit."""

TOKENS_PER_QUERY = 20
"""Tokens per query in a reply: ten words, and a number or a bullet."""

MOST_THOUGHT = 32_768
"""Most thinking tokens if the model chooses their number: the largest budget of any Gemini 2.5 model."""


def price_usd(price: Price, answer: Answer, mode: str) -> float:
    """Return the price of one answer in US dollars.

    Cached prompt tokens have a separate rate. By batch, the whole price is multiplied by ``batch_share``.
    """
    cached = min(max(answer.tokens_cached, 0), answer.tokens_in)
    fresh = answer.tokens_in - cached
    live = (fresh * price.input + cached * price.cached_input + answer.tokens_out * price.output) / MILLION
    return live * (price.batch_share if mode == "batch" else 1.0)


def prompt_tokens(request: Request) -> int:
    """Return the estimated tokens of a prompt."""
    characters = sum(len(message.content) for message in request.messages)
    return round(characters / CHARACTERS_PER_TOKEN) + TOKENS_PER_TURN * len(request.messages)


def thought_tokens(spec: LlmSpec) -> int:
    """Return the most thinking tokens before a reply; 0 if the model chooses their number."""
    return max(0, getattr(spec, "thinking_budget", 0) or 0)


def most_thought(spec: LlmSpec) -> int:
    """Return the most thinking tokens before a reply; ``MOST_THOUGHT`` if the model chooses their number."""
    budget = getattr(spec, "thinking_budget", 0)
    return MOST_THOUGHT if budget is None or budget < 0 else int(budget)


def reply_tokens(spec: LlmSpec) -> int:
    """Return the estimated tokens of a reply, including thinking tokens."""
    return round(spec.sampling.max_new_tokens * OUTPUT_SHARE) + thought_tokens(spec)


def query_reply_tokens(spec: LlmSpec, queries: int) -> int:
    """Return the estimated tokens of a reply with a number of queries, including thinking tokens."""
    return min(queries * TOKENS_PER_QUERY, spec.sampling.max_new_tokens) + thought_tokens(spec)


def cost_usd(spec: LlmSpec, requests: Iterable[Request], written: int | None = None) -> float:
    """Return the estimated price of requests in the LLM's mode, without cached tokens; 0 for a local model.

    Args:
        spec: the LLM.
        requests: the requests.
        written: tokens per reply; by default :func:`reply_tokens`.
    """
    if not isinstance(spec, OpenAiLlm | GeminiLlm):
        return 0.0
    written = reply_tokens(spec) if written is None else written
    return sum(
        price_usd(spec.price, Answer("", "stop", "", prompt_tokens(request), written), spec.mode)
        for request in requests
    )


def most_usd(spec: LlmSpec, request: Request) -> float:
    """Return an upper bound of a request's price: twice the estimated prompt, and a reply up to its limit."""
    if not isinstance(spec, OpenAiLlm | GeminiLlm):
        return 0.0
    most = spec.sampling.max_new_tokens + most_thought(spec)
    answer = Answer("", "length", "", 2 * prompt_tokens(request), most)
    return price_usd(spec.price, answer, spec.mode)
