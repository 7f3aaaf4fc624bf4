"""How a ranker is trained: its optimiser, the grid that its settings are chosen from, its adapters."""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from synthrank.specs.base import Count, Entity, RetrieverName, Share
from synthrank.specs.measures import MeasureName, cutoff_of


class Optimiser(Entity):
    """AdamW and its schedule, as the trainers name them."""

    learning_rate: float = Field(gt=0)
    epochs: float | None = Field(
        default=None, gt=0, description="Passes over the training set: a set twice as large gets twice the updates."
    )
    max_updates: Count | None = Field(
        default=None,
        description="Updates of every training of this ranker, in place of `epochs`: it goes round the training set as "
        "often as needed, so that training sets of different sizes are compared at equal updates.",
    )
    batch_size: Count = Field(
        description="Training groups a step, of all GPUs together: their number must divide it. Where there are "
        "several, the last batch of an epoch is filled up with the epoch's first groups."
    )
    accumulation: Count = Field(default=1, description="Steps whose gradients are added up before an update.")
    warmup: Share = Field(default=0.1, description="Share of the updates in which the rate rises.")
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: Literal["linear", "constant", "cosine"] = "linear"
    max_grad_norm: float = 1.0
    gradient_checkpointing: bool = Field(
        default=False, description="Compute activations twice to keep fewer: less memory, about a third more time."
    )
    save_every: Count | None = Field(
        default=None,
        description="Updates between two states that a killed training resumes from; one that is told to end (SIGTERM) "
        "keeps the state of its last update too. Null keeps none.",
    )

    @model_validator(mode="after")
    def _has_one_duration(self) -> "Optimiser":
        if (self.epochs is None) == (self.max_updates is None):
            raise ValueError("state either epochs or max_updates, how long a training lasts")
        return self

    def updates(self, rows: int) -> int:
        """Return how many updates a training on so many rows makes; the last batch of an epoch may be a smaller one."""
        if self.epochs is None:
            return self.max_updates or 0
        batches = math.ceil(rows / self.batch_size)
        return max(1, math.ceil(math.ceil(batches / self.accumulation) * self.epochs))


class Selection(Entity):
    """A grid of settings that every recipe tries, and how the best is chosen on the corpus's development split.

    Each learning rate is trained once, by the schedule of the optimiser, and measured at each of the stated points.
    The model of the best point is kept; of equal ones that of fewer updates, then that of the lower rate.
    """

    measure: MeasureName = Field(default="nDCG@10", description="As ir_measures names it; the highest mean is chosen.")
    learning_rates: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        min_length=1, description="Each is tried in place of `optimiser.learning_rate`."
    )
    epochs: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(), description="Points of each training, in epochs of its own training set."
    )
    updates: tuple[Count, ...] = Field(
        default=(), description="The same in updates, in place of `epochs`: equal for training sets of all sizes."
    )
    retriever: RetrieverName = Field(
        description="The first stage whose candidates are reordered, whatever the architecture: to encode the whole "
        "collection for each point would take longer than training."
    )
    depth: Count = Field(default=100, description="Candidates a query.")
    queries: Count | None = Field(
        default=None, description="At most this many development queries, the first of a seeded order."
    )
    seed: int = Field(default=13, description="Seed of that order.")

    @model_validator(mode="after")
    def _has_one_kind_of_points(self) -> "Selection":
        if bool(self.epochs) == bool(self.updates):
            raise ValueError("state either epochs or updates, the points at which a training is measured")
        for key, values in (("learning_rates", self.learning_rates), (self.unit, self.points)):
            if list(values) != sorted(set(values)):
                raise ValueError(f"{key}: state each value once, in rising order")
        return self

    @model_validator(mode="after")
    def _looks_no_deeper_than_the_candidates(self) -> "Selection":
        if (cutoff_of(self.measure) or 0) > self.depth:
            raise ValueError(
                f"measure {self.measure} looks deeper than depth {self.depth}; state a measure to that depth"
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
    """Low-rank adapters (LoRA, Hu et al. 2022): the model's own weights stay, small matrices beside them are trained.

    Each adapted linear layer W gets W + alpha / rank * B A. The product is added to the weights before a checkpoint is
    saved, so that a checkpoint is an ordinary model.
    """

    rank: Count = Field(description="Rows of A and columns of B.")
    alpha: float = Field(gt=0, description="B A is multiplied by alpha / rank.")
    dropout: Share = Field(default=0.0, description="Share of an adapter's inputs that training drops.")
    targets: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="Names of the linear layers that get an adapter, such as q_proj; null for all but the head.",
    )
