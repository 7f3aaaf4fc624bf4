"""``config/llms``: the language models that write."""

from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import Count, Entity, ModelName, Share


class Sampling(Entity):
    """How the next token is chosen."""

    temperature: float = Field(default=0.0, ge=0.0, description="0 takes the likeliest token.")
    top_p: Share = Field(default=1.0, description="Sample from the likeliest tokens that hold this probability.")
    max_new_tokens: Count = Field(default=256, description="A reply that reaches the limit is marked `length`.")
    seed: int = Field(default=0, description="Seeds each request's own random numbers, together with its content.")


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
    sampling: Sampling = Sampling()


LlmSpec = Annotated[LocalLlm | EchoLlm, Field(discriminator="backend")]
