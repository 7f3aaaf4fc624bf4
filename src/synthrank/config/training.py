"""Training settings of a ranker: its optimiser, grid of settings and adapters."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.config.base import Count, Entity, RetrieverName, Share
from synthrank.config.measures import MeasureName, cutoff_of


class Optimiser(Entity):
    """AdamW and its schedule, with the names of the trainers of transformers."""

    learning_rate: float = Field(gt=0, description="Peak learning rate.")
    epochs: float | None = Field(
        default=None, gt=0, description="Passes over the training set; state this or `max_updates`."
    )
    max_updates: Count | None = Field(
        default=None,
        description="Updates of every training, instead of `epochs`. The training set is repeated as needed, so "
        "training sets of different sizes are compared with equal updates.",
    )
    batch_size: Count = Field(
        description="Training groups per step over all GPUs; a multiple of the number of GPUs. With several GPUs, the "
        "last batch of an epoch is filled with the epoch's first groups."
    )
    accumulation: Count = Field(default=1, description="Steps whose gradients are summed for one update.")
    warmup: Share = Field(default=0.1, description="The share of updates in which the learning rate rises.")
    weight_decay: float = Field(default=0.0, ge=0, description="Weight decay.")
    schedule: Literal["linear", "constant", "cosine"] = Field(
        default="linear", description="Schedule of the learning rate after the rise."
    )
    max_grad_norm: float = Field(default=1.0, description="Maximum norm of gradients; larger ones are scaled.")
    gradient_checkpointing: bool = Field(
        default=False, description="Recompute activations to use less memory; takes about a third more time."
    )
    save_every: Count | None = Field(
        default=None,
        description="Updates between saved states, from which a killed training resumes. After SIGTERM, training also "
        "saves its last state. null: save none.",
    )

    @model_validator(mode="after")
    def _has_one_duration(self) -> "Optimiser":
        if (self.epochs is None) == (self.max_updates is None):
            raise ValueError("state either epochs or max_updates")
        return self

    def updates(self, rows: int) -> int:
        """Return the number of updates of a training on ``rows`` groups. The last batch of an epoch may be smaller."""
        if self.epochs is None:
            return self.max_updates or 0
        batches = math.ceil(rows / self.batch_size)
        return max(1, math.ceil(math.ceil(batches / self.accumulation) * self.epochs))


class Selection(Entity):
    """A grid of settings. Each recipe tries all of them and chooses the best on its corpus's development split.

    Training runs once per learning rate, with the optimiser's schedule, and is evaluated at each stated point. The
    model of the best point is kept. Among equal points, fewer updates and then a lower rate win.
    """

    measure: MeasureName = Field(default="nDCG@10", description="The measure whose highest mean is chosen.")
    learning_rates: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="Learning rates to try instead of `optimiser.learning_rate`."
    )
    epochs: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(), description="Points of evaluation, in epochs of the recipe's training set."
    )
    updates: tuple[Count, ...] = Field(
        default=(),
        description="Points of evaluation in updates, instead of `epochs`, equal for all sizes of training sets.",
    )
    retriever: RetrieverName = Field(
        description="The first stage to rerank, for every architecture. To encode the whole corpus at each point would "
        "take longer than training."
    )
    depth: Count = Field(default=100, description="Candidates per query.")
    queries: Count | None = Field(
        default=None, description="The maximum number of development queries, taken from a seeded order; null: all."
    )
    seed: int = Field(default=13, description="Seed of the order of queries.")

    @model_validator(mode="after")
    def _has_one_kind_of_points(self) -> "Selection":
        if bool(self.epochs) == bool(self.updates):
            raise ValueError("state either epochs or updates")
        for key, values in (("learning_rates", self.learning_rates), (self.unit, self.points)):
            if list(values) != sorted(set(values)):
                raise ValueError(f"{key}: state each value once, in ascending order")
        return self

    @model_validator(mode="after")
    def _looks_no_deeper_than_the_candidates(self) -> "Selection":
        if (cutoff_of(self.measure) or 0) > self.depth:
            raise ValueError(
                f"the cutoff of measure {self.measure} exceeds depth {self.depth}; lower the cutoff or raise depth"
            )
        return self

    @property
    def unit(self) -> str:
        """The key that states the points."""
        return "epochs" if self.epochs else "updates"

    @property
    def points(self) -> tuple[float, ...]:
        """The points, in :attr:`unit`."""
        return self.epochs or self.updates


class Lora(Entity):
    """Low-rank adapters (LoRA, Hu et al. 2022): training changes small matrices next to the frozen weights.

    Each adapted linear layer W becomes W + alpha / rank * B A. The product is added to the weights before a checkpoint
    is saved, so a checkpoint is an ordinary model.
    """

    rank: Count = Field(description="Rows of A and columns of B.")
    alpha: float = Field(gt=0, description="B A is multiplied by alpha / rank.")
    dropout: Share = Field(default=0.0, description="Dropout of an adapter's inputs.")
    targets: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Linear layers with an adapter, such as q_proj; null: all except the head.",
    )
