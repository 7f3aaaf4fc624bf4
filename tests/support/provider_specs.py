"""Specs and requests for the test server."""

from datetime import date

from synthrank.config.llms import GeminiLlm, Limits, OpenAiLlm, Price, Sampling
from synthrank.data.records import Message, Request

KEY = "sk-SECRET-PLANTED"
VARIABLE = "SYNTHRANK_TEST_KEY"
PRICE = Price(listed=date(2026, 1, 1), input=0.4, cached_input=0.1, output=1.6)
SAMPLING = Sampling(temperature=0.7, top_p=0.9, max_new_tokens=64, seed=3)


def openai_spec(url, **changes):
    limits = Limits(
        **{"concurrency": 4, "timeout_s": 20, "attempts": 4, "longest_wait_s": 5, **changes.pop("limits", {})}
    )
    return OpenAiLlm(
        backend="openai", model="gpt-4.1-mini", key_variable=VARIABLE, price=PRICE, limits=limits,
        **{"base_url": f"{url}/v1", "sampling": SAMPLING, **changes},
    )  # fmt: skip


def gemini_spec(url, **changes):
    limits = Limits(
        **{"concurrency": 4, "timeout_s": 20, "attempts": 4, "longest_wait_s": 5, **changes.pop("limits", {})}
    )
    return GeminiLlm(
        backend="gemini", model="gemini-2.5-flash", key_variable=VARIABLE, price=PRICE, limits=limits,
        **{"base_url": url, "sampling": SAMPLING, "thinking_budget": 0, **changes},
    )  # fmt: skip


def request(text="why do bees dance", sample=0, system="You write passages."):
    messages = (Message("system", system), Message("user", text)) if system else (Message("user", text),)
    return Request(f"q-{text}", text, messages, sample=sample)
