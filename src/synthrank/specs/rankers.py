"""``config/rankers``: models that are trained, and how."""

from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from synthrank.specs.base import CorpusName, Count, Entity, ModelName, RankerName, RecipeName, RetrieverName
from synthrank.specs.measures import MeasureName
from synthrank.specs.models import PoolingMode
from synthrank.specs.training import Lora, Optimiser, Selection


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


class _Ranker(Entity):
    """What all architectures state."""

    base: Base
    max_length: Count = Field(
        description="Tokens that training reads: of the query and passage together, or of each for a bi-encoder."
    )
    eval_max_length: Count | None = Field(
        default=None, description="Tokens that ranking reads, likewise; null for as many as training."
    )
    negatives: Count | None = Field(default=None, description="At most this many negatives of a training group.")
    optimiser: Optimiser
    selection: Selection | None = Field(
        default=None,
        description="How rate and duration are chosen on the development split; null takes them as `optimiser` says.",
    )
    lora: Lora | None = Field(
        default=None,
        description="Train adapters in place of the weights; a new head of a cross-encoder is trained whole.",
    )
    gpus: Count = Field(
        default=1,
        description="GPUs of one node that share every batch, one process each. Losses over the passages of a batch "
        "see those of all GPUs in a bi-encoder, but in a reranker only those of one; the loss `lambda` is the mean "
        "over each GPU's pairs.",
    )
    bf16: bool = Field(default=False, description="Train and score in bfloat16 where the device has it.")
    eval_batch_size: Count = Field(
        default=32,
        description="Texts of full length in a forward pass; rerankers put more of shorter ones together, up to as "
        "many tokens.",
    )

    @property
    def training_settings(self) -> dict[str, Any]:
        """What training depends on: all but how the trained model is used, unless its use is what chooses it."""
        used = {"depth", "eval_batch_size", "rerank"} | (set() if self.selection else {"eval_max_length"})
        return self.model_dump(mode="json", exclude=used)

    @property
    def eval_length(self) -> int:
        """Tokens that ranking reads."""
        return self.eval_max_length or self.max_length

    @property
    def longest(self) -> int:
        """Tokens that the model must be able to read."""
        return max(self.max_length, self.eval_length)

    @field_validator("selection")
    @classmethod
    def _within_the_training(cls, selection: Selection | None, given: ValidationInfo) -> Selection | None:
        optimiser: Optimiser | None = given.data.get("optimiser")
        if selection is None or optimiser is None:
            return selection
        if selection.epochs and optimiser.epochs is None:
            raise ValueError("epochs: the training is as long as optimiser.max_updates says; state points in updates")
        key, end = ("epochs", optimiser.epochs) if selection.epochs else ("max_updates", optimiser.max_updates)
        if end is not None and selection.points[-1] > end:
            raise ValueError(
                f"{selection.unit}: point {selection.points[-1]:g} is beyond optimiser.{key} {end:g}; state points "
                "within the training"
            )
        return selection

    @field_validator("gpus")
    @classmethod
    def _share_the_batch(cls, gpus: int, given: ValidationInfo) -> int:
        optimiser: Optimiser | None = given.data.get("optimiser")
        if optimiser and optimiser.batch_size % gpus:
            raise ValueError(
                f"they cannot share optimiser.batch_size {optimiser.batch_size} equally; state a multiple of {gpus} "
                "there, and a smaller accumulation for as many groups an update"
            )
        return gpus


class Mix(Entity):
    """Weighted fusion of a reranker's scores with its first stage's.

    Of each list both are brought to mean 0 and variance 1 over the passages that are reordered, and their weighted mean
    orders these. Each model of the ranker, the untrained one too, gets the weight of the highest mean on the
    development split; of equal ones the lowest. The test sets are ranked with it.
    """

    corpus: CorpusName = Field(description="The corpus whose development split chooses the weight.")
    weights: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        min_length=1, description="Weights of the reranker's score to try; the first stage's is what is left of 1."
    )
    measure: MeasureName = Field(default="nDCG@10", description="As ir_measures names it.")

    @field_validator("weights")
    @classmethod
    def _rise(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if list(weights) != sorted(set(weights)):
            raise ValueError("state each weight once, in rising order")
        return weights


class Rerank(Entity):
    """What a cross-encoder reorders."""

    retriever: RetrieverName = Field(description="The first stage.")
    depth: Count = Field(default=100, description="Candidates a query.")
    fusion_k: int = Field(default=60, ge=0, description="k of reciprocal rank fusion with the first stage.")
    mix: Mix | None = Field(
        default=None, description="Fuse by weighted scores in place of reciprocal ranks; null does not."
    )


ListLoss = Literal[
    "ranknet",
    "listnet",
    "kl-divergence",
    "lambda",
    "lce",
    "softmax-cross-entropy",
    "margin-mse",
    "rmse",
    "binary-cross-entropy",
]
"""Losses over the list of a query's passages; ``rankers.losses`` defines them, or sentence-transformers does.

``kl-divergence`` is from the scores of a recipe's ``teacher``, all others are from labels.
"""

DISTILS = "kl-divergence"
"""The loss from a teacher's scores."""

Weighing = Literal["none", "ndcg1", "ndcg2", "lambdarank", "ndcg2++"]
"""How LambdaLoss weighs pairs (Wang et al. 2018)."""


class _Reranker(_Ranker):
    """What reads query and passage together states."""

    loss: Literal[ListLoss, "multiple-negatives"]
    weighing: Weighing = Field(default="ndcg2++", description="Of the loss `lambda`.")
    rerank: Rerank


class CrossEncoderRanker(_Reranker):
    """An encoder that reads query and passage together and gives one score."""

    architecture: Literal["cross-encoder"]
    labels: Literal[1, 2] = Field(default=1, description="Outputs of the head; two are made one by `score`.")
    score: Literal["difference", "softmax"] = Field(
        default="difference", description="Of two outputs: relevant minus not, or their softmax's part for relevant."
    )


Prompt = Annotated[
    str, Field(description="What the model reads; of one that is too long the passage is cut, never what follows it.")
]
Positive = Annotated[str, Field(description="A text that is one token.")]
Negative = Annotated[str, Field(description="A text that is one other token.")]


class PromptRanker(_Reranker):
    """What a language model that reads a prompt of query and passage states."""

    prompt: Prompt
    positive: Positive
    negative: Negative
    score: str

    @field_validator("prompt")
    @classmethod
    def _has_both_texts(cls, prompt: str) -> str:
        fields = [field for _, field, _, _ in Formatter().parse(prompt) if field is not None]
        if sorted(fields) != ["passage", "query"]:
            raise ValueError("state {query} and {passage}, each once, and nothing else in braces")
        return prompt

    @property
    def answers(self) -> tuple[str, ...]:
        """The tokens whose logits make the score: relevant and not, or one alone."""
        return self.positive, self.negative


class Seq2SeqRanker(PromptRanker):
    """A T5 that reads a prompt of query and passage; the score comes from the first token it would write."""

    architecture: Literal["seq2seq"]
    score: Literal["difference", "softmax", "extra-id"] = Field(
        description="`difference`: logit of `positive` minus that of `negative` (TWOLAR); `softmax`: softmax over the "
        "two (monoT5); `extra-id`: the logit of one otherwise unused token (RankT5)."
    )
    prompt: Prompt = "Query: {query} Document: {passage} Relevant:"
    positive: Positive = "true"
    negative: Negative = "false"
    extra_token: str = Field(default="<extra_id_10>", description="The token of the score `extra-id`.")

    @property
    def answers(self) -> tuple[str, ...]:
        """The tokens whose logits make the score: relevant and not, or one alone."""
        return (self.extra_token,) if self.score == "extra-id" else super().answers


class DecoderRanker(PromptRanker):
    """A causal language model that reads a prompt of query and passage; the score comes from the token that follows it.

    As Qwen3-Reranker (Zhang et al. 2025) with the logits of yes and no.
    """

    architecture: Literal["decoder"]
    score: Literal["difference", "softmax"] = Field(
        default="difference",
        description="`difference`: logit of `positive` minus that of `negative`; `softmax`: softmax over the two.",
    )
    prompt: Prompt = "Query: {query}\nDocument: {passage}\nRelevant:"
    positive: Positive = " yes"
    negative: Negative = " no"


class BiEncoderRanker(_Ranker):
    """Gives query and passage a vector each; searched exhaustively."""

    architecture: Literal["bi-encoder"]
    loss: Literal[ListLoss, "multiple-negatives", "cached-multiple-negatives"]
    weighing: Weighing = Field(default="ndcg2++", description="Of the loss `lambda`.")
    temperature: float = Field(default=0.05, gt=0, description="Similarities are divided by it in the loss.")
    query_prefix: str = ""
    passage_prefix: str = ""
    pooling: PoolingMode | None = Field(
        default=None,
        description="How token vectors become one; null leaves it to the model's own files, or mean. With `last` "
        "every text ends with the tokenizer's end-of-text token.",
    )
    depth: Count = Field(default=1000, description="Passages kept for each query.")
    rerank: Rerank | None = Field(
        default=None, description="Reorder a first stage's top by similarity, in place of searching the collection."
    )


Reranker = CrossEncoderRanker | Seq2SeqRanker | DecoderRanker
RankerSpec = Annotated[Reranker | BiEncoderRanker, Field(discriminator="architecture")]
