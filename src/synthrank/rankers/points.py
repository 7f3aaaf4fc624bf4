"""The points of a training at which a selection measures it: the model of each is written down."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from synthrank.errors import ConfigError
from synthrank.files import atomic_path
from synthrank.rankers.trainers import is_first
from synthrank.specs.rankers import RankerSpec


class PointsCallback(TrainerCallback):  # type: ignore[misc]  # the library is untyped
    """Writes the model at every point of ``selection``, as ``update-N`` of a folder.

    The model is written before the trainer's state of the same update: a training that is resumed finds the models of
    all points before its state.
    """

    def __init__(self, spec: RankerSpec, folder: Path, save: Callable[[Path], None]) -> None:
        """Take what is trained.

        Args:
            spec: the ranker, with ``selection``.
            folder: where the models go.
            save: writes the model into a new folder.
        """
        self._spec, self._folder, self._save = spec, folder, save
        self._due: set[int] = set()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Find the updates of the points.

        Raises:
            ConfigError: a point is beyond the end of the training.
        """
        self._due = points_of(self._spec, state.max_steps)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the model, if this is a point."""
        if state.global_step in self._due and is_first():
            with atomic_path(self._folder / f"update-{state.global_step}") as folder:
                self._save(folder)


def points_of(spec: RankerSpec, updates: int) -> set[int]:
    """Return the updates after which a training is measured.

    Args:
        spec: the ranker, with ``selection``; a point in epochs is the first update at which so many are over.
        updates: how many the training has.

    Raises:
        ConfigError: a point is beyond the end of the training.
    """
    selection = spec.selection
    if selection is None:
        return set()
    if selection.updates and selection.updates[-1] > updates:
        raise ConfigError(
            f"selection.updates: {selection.updates[-1]} is beyond the {updates} updates of this training; state "
            "points within it, or train longer"
        )
    if selection.updates:
        return set(selection.updates)
    # Rounded before it is rounded up: two thirds of 15 updates are 10, whatever the last digit of the product says.
    whole = spec.optimiser.epochs or 1.0  # the file is refused where it states points in epochs, and none here
    return {max(1, math.ceil(round(updates * item / whole, 6))) for item in selection.epochs}
