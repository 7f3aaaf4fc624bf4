"""``config/llms``: the language models that write."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import Count, Entity, ModelName, Share


class Sampling(Entity):
    """How the next token is chosen."""

    temperature: float = Field(default=0.0, ge=0.0, description="0 takes the likeliest token.")
    top_p: Share = Field(default=1.0, description="Sample from the likeliest tokens that hold this probability.")
    max_new_tokens: Count = Field(default=256, description="A reply that reaches the limit is marked `length`.")
    seed: int = Field(default=0, description="Seeds each request's own random numbers, together with its content.")


class Price(Entity):
    """What a provider charges, in US dollars for a million tokens."""

    listed: date = Field(description="The day on which the price list was read.")
    input: float = Field(ge=0)
    cached_input: float = Field(ge=0, description="For prompt tokens that the provider had in its own cache.")
    output: float = Field(ge=0, description="Thinking tokens count as output.")
    batch_share: Share = Field(default=0.5, description="What the batch interface charges of that.")


class Limits(Entity):
    """How hard a provider may be asked; the whole workflow keeps to it, because one hosted job runs at a time."""

    concurrency: Count = Field(default=32, description="Requests in flight.")
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = Field(default=None, description="Prompt and reply together.")
    timeout_s: float = Field(default=120.0, gt=0, description="A request that takes longer is asked again.")
    attempts: Count = Field(default=8, description="How often one request is asked before the job gives up.")
    longest_wait_s: float = Field(default=120.0, gt=0, description="A longer wait between two attempts is not done.")


class Batch(Entity):
    """How the batch interface is used."""

    lines: Count = Field(default=50_000, description="Requests in one batch at most: the provider's own limit.")
    megabytes: Count = Field(default=200, description="Size of one batch file at most: the provider's own limit.")
    poll_s: float = Field(default=60.0, gt=0, description="How often to ask whether a batch is done.")


class _Hosted(Entity):
    """What every hosted model states."""

    model: str = Field(description="The provider's name of the model; a dated snapshot is what can be cited.")
    key_variable: str = Field(description="Environment variable that holds the key. The key itself is never written.")
    base_url: str | None = Field(default=None, description="Another server that speaks the same protocol.")
    mode: Literal["live", "batch"] = Field(default="live", description="`batch` is cheaper and takes up to a day.")
    sampling: Sampling = Sampling()
    limits: Limits = Limits()
    batch: Batch = Batch()
    price: Price


class OpenAiLlm(_Hosted):
    """Chat completions of OpenAI, or of any server that speaks them: vLLM, Ollama, transformers serve."""

    backend: Literal["openai"]
    token_limit_key: Literal["max_completion_tokens", "max_tokens"] = Field(
        default="max_completion_tokens", description="How the server calls the limit; older ones know `max_tokens`."
    )


class GeminiLlm(_Hosted):
    """generateContent of the Gemini API."""

    backend: Literal["gemini"]
    thinking_budget: int = Field(
        ge=-1,
        description="Tokens the model may think before it writes, billed as output; 0: none, -1: its choice.",
    )


class LocalLlm(Entity):
    """A model that runs in the job's own process, by transformers."""

    backend: Literal["local"]
    model: ModelName = Field(description="A file of config/models.")
    sampling: Sampling = Sampling()
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: Count = 8


class EchoLlm(Entity):
    """Answers at once with words of the question: for tests and for looking at a workflow without a model."""

    backend: Literal["echo"]
    words: Count = Field(default=36, description="Words of a reply, in sentences of twelve.")
    sampling: Sampling = Sampling()


HostedLlm = OpenAiLlm | GeminiLlm
LlmSpec = Annotated[OpenAiLlm | GeminiLlm | LocalLlm | EchoLlm, Field(discriminator="backend")]
