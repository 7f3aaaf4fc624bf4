"""``config/rankers``: models and their training."""

from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from synthrank.config.base import CorpusName, Count, Entity, ModelName, RankerName, RecipeName, RetrieverName
from synthrank.config.measures import MeasureName
from synthrank.config.models import PoolingMode
from synthrank.config.training import Lora, Optimiser, Selection


class Base(Entity):
    """The start of training: a pretrained model, or a ranker that another recipe trained with the same seed."""

    model: ModelName | None = Field(default=None, description="A pretrained model.")
    recipe: RecipeName | None = Field(default=None, description="The recipe that trained `ranker`.")
    ranker: RankerName | None = Field(default=None, description="The ranker whose checkpoint is trained again.")

    @model_validator(mode="after")
    def _is_one_of_two(self) -> "Base":
        pretrained = self.model is not None and self.recipe is None and self.ranker is None
        trained = self.model is None and self.recipe is not None and self.ranker is not None
        if not (pretrained or trained):
            raise ValueError("state either model, or recipe and ranker")
        return self


class _Ranker(Entity):
    """Keys of all architectures."""

    base: Base = Field(description="The model that training starts from.")
    max_length: Count = Field(
        description="Maximum tokens in training: of query and passage together, or of each for a bi-encoder."
    )
    eval_max_length: Count | None = Field(
        default=None, description="Maximum tokens in ranking; null: the same as in training."
    )
    negatives: Count | None = Field(
        default=None, description="The maximum number of negatives per training group; null: all."
    )
    optimiser: Optimiser = Field(description="The optimiser and its schedule.")
    selection: Selection | None = Field(
        default=None,
        description="Choose learning rate and duration on the development split; null: use those of `optimiser`.",
    )
    lora: Lora | None = Field(
        default=None,
        description="Train adapters instead of the weights. A new head of a cross-encoder is trained in full. null: "
        "train the weights.",
    )
    gpus: Count = Field(
        default=1,
        description="GPUs of one node that share every batch, with one process per GPU. In a bi-encoder, losses over "
        "the passages of a batch use all GPUs; in a reranker, only one GPU. The loss `lambda` is the mean "
        "over the pairs of each GPU.",
    )
    bf16: bool = Field(default=False, description="Train and score in bfloat16 if the device supports it.")
    eval_batch_size: Count = Field(
        default=32,
        description="Texts of full length per forward pass. Rerankers batch more texts if they are shorter, up to the "
        "same number of tokens.",
    )

    @property
    def training_settings(self) -> dict[str, Any]:
        """The keys that training depends on. Keys about ranking count only if `selection` uses them."""
        used = {"depth", "eval_batch_size", "rerank"} | (set() if self.selection else {"eval_max_length"})
        return self.model_dump(mode="json", exclude=used)

    @property
    def run_endings(self) -> tuple[str, ...]:
        """The endings of the names of its runs on a test set: its own run and, for a reranker, the fused one."""
        return ("", "+first-stage") if getattr(self, "rerank", None) else ("",)

    @property
    def eval_length(self) -> int:
        """Maximum tokens in ranking."""
        return self.eval_max_length or self.max_length

    @property
    def longest(self) -> int:
        """Maximum tokens in training or ranking."""
        return max(self.max_length, self.eval_length)

    @field_validator("selection")
    @classmethod
    def _within_the_training(cls, selection: Selection | None, given: ValidationInfo) -> Selection | None:
        optimiser: Optimiser | None = given.data.get("optimiser")
        if selection is None or optimiser is None:
            return selection
        if selection.epochs and optimiser.epochs is None:
            raise ValueError("epochs: optimiser.max_updates sets the length of training; state points in updates")
        key, end = ("epochs", optimiser.epochs) if selection.epochs else ("max_updates", optimiser.max_updates)
        if end is not None and selection.points[-1] > end:
            raise ValueError(
                f"{selection.unit}: point {selection.points[-1]:g} is larger than optimiser.{key} {end:g}; "
                "state smaller points"
            )
        return selection

    @field_validator("gpus")
    @classmethod
    def _share_the_batch(cls, gpus: int, given: ValidationInfo) -> int:
        optimiser: Optimiser | None = given.data.get("optimiser")
        if optimiser and optimiser.batch_size % gpus:
            raise ValueError(
                f"{gpus} GPUs cannot share optimiser.batch_size {optimiser.batch_size} equally; state a multiple of "
                f"{gpus}, and a smaller accumulation for the same number of groups per update"
            )
        return gpus


class Mix(Entity):
    """Weighted fusion of the scores of a reranker and its first stage.

    Per ranking, both scores are scaled to mean 0 and variance 1 over the reranked passages. The weighted mean of both
    is the fused score. Each checkpoint of the ranker, also the untrained one, gets the weight with the highest mean on
    the development split, and among equal means the lowest weight. Test sets are ranked with this weight.
    """

    corpus: CorpusName = Field(description="The corpus whose development split chooses the weight.")
    weights: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        min_length=1, description="Weights of the reranker to try. The weight of the first stage is 1 minus it."
    )
    measure: MeasureName = Field(default="nDCG@10", description="The measure whose mean chooses the weight.")

    @field_validator("weights")
    @classmethod
    def _rise(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if list(weights) != sorted(set(weights)):
            raise ValueError("state each weight once, in rising order")
        return weights


class Rerank(Entity):
    """The ranking that a reranker reorders."""

    retriever: RetrieverName = Field(description="The first stage.")
    depth: Count = Field(default=100, description="Candidates per query.")
    fusion_k: int = Field(default=60, ge=0, description="k of reciprocal rank fusion with the first stage.")
    mix: Mix | None = Field(
        default=None, description="Fuse by weighted scores instead of reciprocal ranks; null: by reciprocal ranks."
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
    "mse",
    "adr-mse",
    "binary-cross-entropy",
]
"""Listwise losses over the passages of a query, from ``rankers.losses`` or sentence-transformers.

``kl-divergence`` uses the scores of a recipe's ``teacher``. All others use labels.
"""

DISTILS = "kl-divergence"
"""The loss that uses a teacher's scores."""

Weighing = Literal["none", "ndcg1", "ndcg2", "lambdarank", "ndcg2++"]
"""Weights of pairs in LambdaLoss (Wang et al. 2018)."""


class _Reranker(_Ranker):
    """Keys of rerankers."""

    loss: Literal[ListLoss, "multiple-negatives"] = Field(description="The loss of training.")
    weighing: Weighing = Field(default="ndcg2++", description="Weights of pairs in the loss `lambda`.")
    rerank: Rerank = Field(description="The ranking to reorder.")


class CrossEncoderRanker(_Reranker):
    """An encoder that reads query and passage together and returns one score."""

    architecture: Literal["cross-encoder"] = Field(description="The architecture of the ranker.")
    labels: Literal[1, 2] = Field(default=1, description="Outputs of the head; `score` combines two into one.")
    score: Literal["difference", "softmax"] = Field(
        default="difference",
        description="The score of two outputs: relevant minus not relevant, or the softmax of relevant.",
    )


RankerPrompt = Annotated[
    str, Field(description="The text that the model reads. If it is too long, only the passage is cut.")
]
Positive = Annotated[str, Field(description="The text of one token, for relevant.")]
Negative = Annotated[str, Field(description="The text of another token, for not relevant.")]


class PromptRanker(_Reranker):
    """Keys of language models that read query and passage in a prompt."""

    prompt: RankerPrompt
    positive: Positive
    negative: Negative
    score: str = Field(description="The score from the logits of the tokens.")

    @field_validator("prompt")
    @classmethod
    def _has_both_texts(cls, prompt: str) -> str:
        fields = [field for _, field, _, _ in Formatter().parse(prompt) if field is not None]
        if sorted(fields) != ["passage", "query"]:
            raise ValueError("state {query} and {passage}, each once, and nothing else in braces")
        return prompt

    @property
    def answers(self) -> tuple[str, ...]:
        """The tokens whose logits make the score."""
        return self.positive, self.negative


class Seq2SeqRanker(PromptRanker):
    """A T5 that reads query and passage in a prompt. The score is from the logits of the first output token."""

    architecture: Literal["seq2seq"] = Field(description="The architecture of the ranker.")
    score: Literal["difference", "softmax", "extra-id"] = Field(
        description="`difference`: logit of `positive` minus logit of `negative` (TWOLAR). `softmax`: softmax over "
        "both (monoT5). `extra-id`: the logit of an otherwise unused token (RankT5)."
    )
    prompt: RankerPrompt = "Query: {query} Document: {passage} Relevant:"
    positive: Positive = "true"
    negative: Negative = "false"
    extra_token: str = Field(default="<extra_id_10>", description="The token of the score `extra-id`.")

    @property
    def answers(self) -> tuple[str, ...]:
        """The tokens whose logits make the score."""
        return (self.extra_token,) if self.score == "extra-id" else super().answers


class DecoderRanker(PromptRanker):
    """A causal language model that reads query and passage in a prompt. The score is from the logits of the next token.

    Qwen3-Reranker (Zhang et al. 2025) uses the logits of yes and no.
    """

    architecture: Literal["decoder"] = Field(description="The architecture of the ranker.")
    score: Literal["difference", "softmax"] = Field(
        default="difference",
        description="`difference`: logit of `positive` minus logit of `negative`. `softmax`: softmax over both.",
    )
    prompt: RankerPrompt = "Query: {query}\nDocument: {passage}\nRelevant:"
    positive: Positive = " yes"
    negative: Negative = " no"


class BiEncoderRanker(_Ranker):
    """One vector per query and per passage, compared exhaustively."""

    architecture: Literal["bi-encoder"] = Field(description="The architecture of the ranker.")
    loss: Literal[ListLoss, "multiple-negatives", "cached-multiple-negatives"] = Field(
        description="The loss of training."
    )
    weighing: Weighing = Field(default="ndcg2++", description="Weights of pairs in the loss `lambda`.")
    temperature: float = Field(default=0.05, gt=0, description="The loss divides similarities by it.")
    query_prefix: str = Field(default="", description="Text before every query.")
    passage_prefix: str = Field(default="", description="Text before every passage.")
    pooling: PoolingMode | None = Field(
        default=None,
        description="Pooling of token vectors. null: as in the model's files, or mean. With `last` every text ends "
        "with the tokenizer's end-of-text token.",
    )
    depth: Count = Field(default=1000, description="Passages kept per query.")
    rerank: Rerank | None = Field(
        default=None, description="Rerank a first stage by similarity instead of searching the corpus; null: search."
    )


Reranker = CrossEncoderRanker | Seq2SeqRanker | DecoderRanker
RankerSpec = Annotated[Reranker | BiEncoderRanker, Field(discriminator="architecture")]
