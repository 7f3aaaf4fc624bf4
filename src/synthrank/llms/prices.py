"""What a reply costs."""

from synthrank.llms.base import Answer
from synthrank.specs.llms import Price

MILLION = 1_000_000


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
