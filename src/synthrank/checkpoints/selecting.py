"""How settings are chosen on a development split: every point of a grid is measured there, and the best model kept."""

import gc
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from synthrank.files import write_json
from synthrank.measures import measure_run
from synthrank.rankers import open_ranker, train
from synthrank.rankers.base import Training, TrainingLog
from synthrank.rankers.development import Development
from synthrank.specs.rankers import RankerSpec, Rerank
from synthrank.specs.training import Selection

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """A point of the grid, and the mean of the measure there.

    ``epochs`` is what its updates are of the training, None where that is as long as ``optimiser.max_updates``.
    """

    learning_rate: float
    epochs: float | None
    updates: int
    value: float


@dataclass(frozen=True, slots=True)
class Selected:
    """What a selection came to: the training whose point was chosen, that point, and all points."""

    log: TrainingLog
    chosen: Trial
    trials: tuple[Trial, ...]

    def record(self, selection: Selection, development: Development) -> dict[str, Any]:
        """Return what ``selection.json`` says.

        Args:
            selection: the grid.
            development: what the points were measured on.
        """
        last = {item.learning_rate: item.updates for item in self.trials}  # of each training the last point
        return {
            "split": development.name,
            "queries": len(development.qrels),
            "measure": selection.measure,
            "retriever": selection.retriever,
            "depth": selection.depth,
            "trainings": len(selection.learning_rates),
            "updates_to_last_point": sum(last.values()),
            "trials": [asdict(item) | {"chosen": item == self.chosen} for item in self.trials],
        }


def train_selected(
    spec: RankerSpec, selection: Selection, job: Training, development: Development, checkpoint: Path
) -> Selected:
    """Train by every rate of the grid, measure every point on the development split, and write the best model.

    Args:
        spec: the ranker.
        selection: its grid.
        job: the training, with the same seed for every rate; with ``state``, a killed selection resumes there: rates
            that are done are not trained again, and the training that was cut short resumes from its own state.
        development: what points are measured on.
        checkpoint: the new folder.
    """
    checkpoint.mkdir(parents=True)
    work = job.state or checkpoint / ".trials"
    done = []
    for folder, tried in _rates(spec, selection, work):
        record = folder.with_suffix(".json")
        if not record.is_file():
            made = _trained(tried, job, folder)
            shutil.rmtree(folder / "end")
            trials = _measured(tried, selection, made, job.seed, development, folder)
            write_json(record, {"log": asdict(made), "trials": [asdict(item) for item in trials]})
        told = json.loads(record.read_text(encoding="utf-8"))
        trials = [Trial(**item) for item in told["trials"]]
        done.append((folder, _log_of(told["log"]), trials))
        _keep(folder, best(trials))
    chosen = best([item for *_, trials in done for item in trials])
    folder, made = next((folder, made) for folder, made, trials in done if chosen in trials)
    shutil.copytree(folder / f"update-{chosen.updates}", checkpoint, dirs_exist_ok=True)
    if job.state is None:
        shutil.rmtree(work)
    losses = tuple(pair for pair in made.losses if pair[0] <= chosen.updates)
    made = replace(made, losses=losses, updates=chosen.updates)
    return Selected(made, chosen, tuple(item for *_, trials in done for item in trials))


def join_selected(spec: RankerSpec, selection: Selection, job: Training, work: Path) -> None:
    """Take part in the trainings of :func:`train_selected` as another process than the one that measures and writes.

    Args:
        spec: the ranker.
        selection: its grid.
        job: the training.
        work: the folder of the states, or any that is absent.
    """
    for folder, tried in _rates(spec, selection, job.state or work):
        # The first process writes a rate's record after its training, in which this process takes part.
        if not folder.with_suffix(".json").is_file():
            _trained(tried, job, folder)


def _rates(spec: RankerSpec, selection: Selection, work: Path) -> Iterator[tuple[Path, RankerSpec]]:
    """Yield, for each rate, the folder of its models and the ranker that has it."""
    for place, rate in enumerate(selection.learning_rates, 1):
        optimiser = spec.optimiser.model_copy(update={"learning_rate": rate})
        yield work / f"rate-{place}", spec.model_copy(update={"optimiser": optimiser})


def best(trials: Sequence[Trial]) -> Trial:
    """Return the trial of the highest value; of equal ones that of fewer updates, then that of the lower rate."""
    return min(trials, key=lambda item: (-item.value, item.updates, item.learning_rate))


def _trained(spec: RankerSpec, job: Training, folder: Path) -> TrainingLog:
    """Train by one rate, and leave the model of each point in ``folder``, and that of the last update as ``end``."""
    state = None if job.state is None else folder / "state"
    made = train(spec, replace(job, state=state, points=folder), folder / "end")
    gc.collect()  # trainer and model hold each other, and the device's memory until they are collected
    return made


def _measured(
    spec: RankerSpec, selection: Selection, made: TrainingLog, seed: int, development: Development, folder: Path
) -> list[Trial]:
    """Return the trials of one rate, in the order of their updates."""
    as_reranker = spec.model_copy(
        update={"rerank": Rerank(retriever=selection.retriever, depth=selection.depth), "selection": None}
    )
    trials = []
    for updates in sorted(int(path.name.removeprefix("update-")) for path in folder.glob("update-*")):
        ranker = open_ranker(as_reranker, folder / f"update-{updates}", seed)
        run = ranker.rank(development.collection)
        value = fmean(value for *_, value in measure_run(run, development.qrels, [selection.measure], 1))
        epochs = spec.optimiser.epochs and round(spec.optimiser.epochs * updates / made.updates, 4)
        trials.append(Trial(spec.optimiser.learning_rate, epochs, updates, value))
        log.info("rate %g, update %d: %s %.4f", spec.optimiser.learning_rate, updates, selection.measure, value)
    return trials


def _keep(folder: Path, chosen: Trial) -> None:
    """Remove of one rate's folder all but its best model: the states of its training too."""
    for path in folder.iterdir():
        if path.name != f"update-{chosen.updates}":
            shutil.rmtree(path)


def _log_of(told: Mapping[str, Any]) -> TrainingLog:
    return TrainingLog(**{**told, "losses": tuple((update, loss) for update, loss in told["losses"])})
