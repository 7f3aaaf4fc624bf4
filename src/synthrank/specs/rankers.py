"""``config/rankers``: models that are trained, and how."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.specs.base import Count, Entity, ModelName, RankerName, RecipeName, RetrieverName, Share


class Base(Entity):
    """What training starts from: a pretrained model, or what another recipe made of another ranker with this seed."""

    model: ModelName | None = None
    recipe: RecipeName | None = None
    ranker: RankerName | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> "Base":
        pretrained = self.model is not None and self.recipe is None and self.ranker is None
        trained = self.model is None and self.recipe is not None and self.ranker is not None
        if not (pretrained or trained):
            raise ValueError("state either model, or recipe and ranker")
        return self


class Optimiser(Entity):
    """AdamW and its schedule, as the trainers name them."""

    learning_rate: float = Field(gt=0)
    epochs: float = Field(gt=0)
    batch_size: Count = Field(description="Training groups a step.")
    accumulation: Count = Field(default=1, description="Steps whose gradients are added up before an update.")
    warmup: Share = Field(default=0.1, description="Share of the updates in which the rate rises.")
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["linear", "constant", "cosine"] = "linear"
    max_grad_norm: float = 1.0


class _Ranker(Entity):
    """What both architectures state."""

    base: Base
    max_length: Count = Field(description="Tokens: of the query and passage together, or of each for a bi-encoder.")
    negatives: Count | None = Field(default=None, description="At most this many negatives of a training group.")
    optimiser: Optimiser
    bf16: bool = Field(default=False, description="Train and score in bfloat16 where the device has it.")
    eval_batch_size: Count = 32


class Rerank(Entity):
    """What a cross-encoder reorders."""

    retriever: RetrieverName = Field(description="The first stage.")
    depth: Count = Field(default=100, description="Candidates a query.")
    fusion_k: int = Field(default=60, ge=0, description="k of reciprocal rank fusion with the first stage.")


class CrossEncoderRanker(_Ranker):
    """Reads query and passage together and gives one score."""

    architecture: Literal["cross-encoder"]
    loss: Literal["binary-cross-entropy", "lambda", "ranknet", "listnet", "multiple-negatives"]
    rerank: Rerank


class BiEncoderRanker(_Ranker):
    """Gives query and passage a vector each; searched exhaustively."""

    architecture: Literal["bi-encoder"]
    loss: Literal["multiple-negatives", "cached-multiple-negatives"]
    temperature: float = Field(default=0.05, gt=0, description="Similarities are divided by it in the loss.")
    query_prefix: str = ""
    passage_prefix: str = ""
    depth: Count = Field(default=1000, description="Passages kept for each query.")


RankerSpec = Annotated[CrossEncoderRanker | BiEncoderRanker, Field(discriminator="architecture")]
