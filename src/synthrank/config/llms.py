"""``config/llms``: language models that generate and rank passages."""

import re
from datetime import date
from typing import Annotated, ClassVar, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import AfterValidator, Field, field_validator

from synthrank.config.base import Count, Entity, ModelName, Share

MAKERS = (
    "api.openai.com",
    "generativelanguage.googleapis.com",
    "api.anthropic.com",
    "api.cohere.com",
    "api.deepseek.com",
    "api.mistral.ai",
    "api.x.ai",
)
"""Hosts of companies that serve their own models only, so that the name of a model identifies it."""


def _check_url(url: str) -> str:
    """Return a server's address. Errors do not repeat it, because it may contain a password."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        valid = False
    if not valid or re.search(r"\s|[?#]", url):
        raise ValueError("expected an address such as http://localhost:8000/v1, or null for the provider's own")
    return url


def _check_variable(name: str) -> str:
    """Return the name of an environment variable. Errors do not repeat it, because it may be a key."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
        raise ValueError(
            "expected the name of an environment variable in capitals, such as OPENAI_API_KEY; the key itself belongs "
            "in the variable"
        )
    return name


Url = Annotated[str, AfterValidator(_check_url)]
Variable = Annotated[str, AfterValidator(_check_variable)]


class Sampling(Entity):
    """Sampling of tokens."""

    temperature: Annotated[float, Field(ge=0.0)] | None = Field(
        default=0.0,
        description="Temperature; 0 takes the likeliest token. null: it is not sent, for hosted models that refuse it.",
    )
    top_p: Share | None = Field(
        default=1.0,
        description="Sample from the likeliest tokens with this total probability; null: as for `temperature`.",
    )
    max_new_tokens: Count = Field(
        default=256, description="Maximum tokens of a reply. A reply that reaches it is marked `length`."
    )
    seed: int = Field(default=0, description="Seed; each request derives its own seed from this one and its content.")


class Price(Entity):
    """Prices of a provider in US dollars per million tokens."""

    listed: date = Field(description="Date of the price list.")
    input: float = Field(ge=0, description="Prompt tokens.")
    cached_input: float = Field(ge=0, description="Prompt tokens in the provider's cache.")
    output: float = Field(ge=0, description="Tokens of the reply, with thinking tokens.")
    batch_share: Share = Field(default=0.5, description="Price of the batch interface as a share of these prices.")


class Limits(Entity):
    """Rate limits of a provider, for the whole workflow: only one job with a hosted LLM runs at a time."""

    concurrency: Count = Field(default=32, description="Concurrent requests.")
    requests_per_minute: Count | None = Field(default=None, description="Requests per minute; null: no limit.")
    tokens_per_minute: Count | None = Field(
        default=None, description="Tokens of prompts and replies per minute; null: no limit."
    )
    timeout_s: float = Field(default=120.0, gt=0, description="Seconds until a request is repeated.")
    attempts: Count = Field(default=8, description="Attempts per request before the job fails.")
    longest_wait_s: float = Field(
        default=120.0,
        gt=0,
        description="Maximum wait between two attempts in seconds. If the server requires more, the job fails.",
    )


class Batch(Entity):
    """Settings of the batch interface."""

    lines: Count = Field(default=50_000, description="Maximum requests per batch, a limit of the provider.")
    megabytes: Count = Field(default=200, description="Maximum size of a batch file, a limit of the provider.")
    poll_s: float = Field(default=60.0, gt=0, description="Seconds between two status requests of a batch.")


class _Hosted(Entity):
    """Keys of every hosted model."""

    model: str = Field(description="The provider's name of the model. Only a dated snapshot is reproducible.")
    key_variable: Variable = Field(description="Environment variable with the API key. The key itself is never stored.")
    base_url: Url | None = Field(
        default=None, description="URL of another server with the same protocol; null: the provider."
    )
    server_name: str | None = Field(
        default=None,
        description="Name that replaces `base_url` in the keys of replies, for a server whose address changes.",
    )
    mode: Literal["live", "batch"] = Field(
        default="live", description="`live` sends single requests. `batch` is cheaper and takes up to a day."
    )
    sampling: Sampling = Field(default=Sampling(), description="Sampling of tokens.")
    limits: Limits = Field(default=Limits(), description="Rate limits.")
    batch: Batch = Field(default=Batch(), description="Settings of the batch interface.")
    price: Price = Field(description="Prices.")

    provider_url: ClassVar[str]
    """The address of the provider's own server."""

    @property
    def login(self) -> tuple[str, str] | None:
        """User and password in ``base_url``, or None."""
        parts = urlsplit(self.base_url or "")
        return (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None

    @property
    def address(self) -> str:
        """The server's address, without user and password and without a final slash."""
        return _without_login(urlsplit(self.base_url or self.provider_url)).geturl().rstrip("/")

    @property
    def server(self) -> str | None:
        """The part of a reply's key that identifies the server; None if the name of the model is enough."""
        host = urlsplit(self.address).hostname or ""
        is_maker = any(host == maker or host.endswith(f".{maker}") for maker in MAKERS)
        return self.server_name or (None if is_maker else self.address)


class OpenAiLlm(_Hosted):
    """Chat completions of OpenAI or a compatible server such as vLLM, Ollama or transformers serve."""

    provider_url: ClassVar[str] = "https://api.openai.com/v1"

    backend: Literal["openai"] = Field(description="The server or library that runs the model.")
    token_limit_key: Literal["max_completion_tokens", "max_tokens"] = Field(
        default="max_completion_tokens",
        description="The server's name of the token limit; `max_tokens` for older servers.",
    )
    seed_key: Literal["seed", "random_seed"] | None = Field(
        default="seed", description="The server's name of the seed; null: it is not sent, for servers that refuse it."
    )


class GeminiLlm(_Hosted):
    """generateContent of the Gemini API."""

    provider_url: ClassVar[str] = "https://generativelanguage.googleapis.com"

    backend: Literal["gemini"] = Field(description="The server or library that runs the model.")
    thinking_budget: Annotated[int, Field(ge=-1)] | None = Field(
        description="Maximum thinking tokens, billed as output. 0: none; -1: the model decides; null: it is not sent.",
    )


class LocalLlm(Entity):
    """A model that runs in the job's process with transformers."""

    backend: Literal["local"] = Field(description="The server or library that runs the model.")
    model: ModelName = Field(description="A file of config/models.")
    sampling: Sampling = Field(default=Sampling(), description="Sampling of tokens.")
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32", description="Floating-point type of the model."
    )
    batch_size: Count = Field(default=8, description="Requests per batch.")

    @field_validator("sampling")
    @classmethod
    def _has_numbers(cls, sampling: Sampling) -> Sampling:
        if sampling.temperature is None or sampling.top_p is None:
            raise ValueError("temperature and top_p of a local model must be numbers; null is for hosted models")
        return sampling

    @property
    def weights(self) -> str:
        """The entity of config/models with the weights. In a hosted LLM, ``model`` is the provider's name instead."""
        return self.model


class EchoLlm(Entity):
    """Replies with words of the request, for tests and trials of a workflow without a model."""

    backend: Literal["echo"] = Field(description="The server or library that runs the model.")
    words: Count = Field(default=36, description="Words per reply, in sentences of twelve words.")
    sampling: Sampling = Field(default=Sampling(), description="Seed and maximum tokens; other keys have no effect.")


def _without_login(parts: SplitResult) -> SplitResult:
    """Return an address without user and password, its host in lower case."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2].lower())


HostedLlm = OpenAiLlm | GeminiLlm
LlmSpec = Annotated[OpenAiLlm | GeminiLlm | LocalLlm | EchoLlm, Field(discriminator="backend")]
