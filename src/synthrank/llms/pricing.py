"""What a reply costs, and what requests will cost before any of them is sent."""

from collections.abc import Iterable

from synthrank.llms.base import Answer
from synthrank.records import Request
from synthrank.specs.llms import GeminiLlm, LlmSpec, OpenAiLlm, Price

MILLION = 1_000_000

CHARACTERS_PER_TOKEN = 4.0
"""English prose in the vocabularies of both providers; their documentation gives the same rule of thumb."""

TOKENS_PER_TURN = 4
"""What a chat format adds to each turn."""

OUTPUT_SHARE = 0.6
"""Part of the output limit that a reply uses: prompts ask for less than the limit, which is there to cut strays."""

MOST_THOUGHT = 32_768
"""Tokens that a model may think where it chooses itself: the largest budget of any Gemini 2.5 model."""


def price_usd(price: Price, answer: Answer, mode: str) -> float:
    """Return the price of one answer in US dollars.

    Prompt tokens that the provider had cached are charged at their own rate; by batch all of it is charged at
    ``batch_share``.
    """
    fresh = answer.tokens_in - answer.tokens_cached
    live = (
        fresh * price.input + answer.tokens_cached * price.cached_input + answer.tokens_out * price.output
    ) / MILLION
    return live * (price.batch_share if mode == "batch" else 1.0)


def prompt_tokens(request: Request) -> int:
    """Return roughly how many tokens a prompt has."""
    characters = sum(len(message.content) for message in request.messages)
    return round(characters / CHARACTERS_PER_TOKEN) + TOKENS_PER_TURN * len(request.messages)


def thought_tokens(spec: LlmSpec) -> int:
    """Return how many tokens a model may think before it replies; 0 where it chooses itself."""
    return max(0, getattr(spec, "thinking_budget", 0))


def reply_tokens(spec: LlmSpec) -> int:
    """Return roughly how many tokens a reply has, what the model thinks before it included."""
    return round(spec.sampling.max_new_tokens * OUTPUT_SHARE) + thought_tokens(spec)


def cost_usd(spec: LlmSpec, requests: Iterable[Request]) -> float:
    """Return roughly what requests cost in the LLM's mode, nothing of them being cached; 0 where no one charges."""
    if not isinstance(spec, OpenAiLlm | GeminiLlm):
        return 0.0
    written = reply_tokens(spec)
    return sum(
        price_usd(spec.price, Answer("", "stop", "", prompt_tokens(request), written), spec.mode)
        for request in requests
    )


def most_usd(spec: LlmSpec, request: Request) -> float:
    """Return what one request can cost at most, for the budget: a long prompt and a reply up to its limit."""
    if not isinstance(spec, OpenAiLlm | GeminiLlm):
        return 0.0
    budget = getattr(spec, "thinking_budget", 0)
    thinking = budget if budget >= 0 else MOST_THOUGHT
    answer = Answer("", "length", "", 2 * prompt_tokens(request), spec.sampling.max_new_tokens + thinking)
    return price_usd(spec.price, answer, spec.mode)
