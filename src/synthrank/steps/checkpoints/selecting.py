"""Choose training settings on a development split: measure every point of a grid and keep the best model."""

import gc
import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from synthrank.config.rankers import RankerSpec, Rerank
from synthrank.config.training import Selection
from synthrank.data.files import write_json
from synthrank.rankers import open_ranker, train
from synthrank.rankers.base import Training, TrainingLog
from synthrank.rankers.development import Development
from synthrank.stats.measures import measure_run

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """A point of the grid and its mean value of the measure.

    ``epochs`` is the number of updates in epochs, None if ``optimiser.max_updates`` sets the length of the training.
    """

    learning_rate: float
    epochs: float | None
    updates: int
    value: float


@dataclass(frozen=True, slots=True)
class Selected:
    """Result of a selection: the log of the chosen training, the chosen point, and all points."""

    log: TrainingLog
    chosen: Trial
    trials: tuple[Trial, ...]

    def record(self, selection: Selection, development: Development) -> dict[str, Any]:
        """Return the content of ``selection.json``.

        Args:
            selection: the grid.
            development: the development split on which the points were measured.
        """
        last = {item.learning_rate: item.updates for item in self.trials}  # the last point of each training
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
    """Train with every rate of the grid, measure every point on the development split, and write the best model.

    Args:
        spec: the ranker.
        selection: its grid.
        job: the training; every rate uses its seed. If it has ``state``, an interrupted selection resumes there:
            finished rates are not trained again, and the interrupted training resumes from its own state.
        development: the development split on which the points are measured.
        checkpoint: the folder to create.
    """
    checkpoint.mkdir(parents=True)
    work = job.state or checkpoint / ".trials"
    done = []
    for folder, tried in _vary_rates(spec, selection, work):
        record = folder.with_suffix(".json")
        if not record.is_file():
            made = _train(tried, job, folder)
            shutil.rmtree(folder / "end")
            trials = _measure(tried, selection, made, job.seed, development, folder)
            write_json(record, {"log": asdict(made), "trials": [asdict(item) for item in trials]})
        stored = json.loads(record.read_text(encoding="utf-8"))
        trials = [Trial(**item) for item in stored["trials"]]
        done.append((folder, _log_of(stored["log"]), trials))
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
    """Take part in the trainings of :func:`train_selected` as a process that does not measure and write.

    Args:
        spec: the ranker.
        selection: its grid.
        job: the training.
        work: the folder for the trainings if ``job`` has no ``state``.
    """
    for folder, tried in _vary_rates(spec, selection, job.state or work):
        # The first process writes a rate's record after its training, in which this process takes part.
        if not folder.with_suffix(".json").is_file():
            _train(tried, job, folder)


def _vary_rates(spec: RankerSpec, selection: Selection, work: Path) -> Iterator[tuple[Path, RankerSpec]]:
    """Yield (folder of the models, ranker with this rate) per learning rate."""
    for place, rate in enumerate(selection.learning_rates, 1):
        optimiser = spec.optimiser.model_copy(update={"learning_rate": rate})
        yield work / f"rate-{place}", spec.model_copy(update={"optimiser": optimiser})


def best(trials: Sequence[Trial]) -> Trial:
    """Return the trial with the highest value; break ties by fewer updates, then by the lower rate."""
    return min(trials, key=lambda item: (-item.value, item.updates, item.learning_rate))


def _train(spec: RankerSpec, job: Training, folder: Path) -> TrainingLog:
    """Train with one rate; write the model of each point into ``folder``, and the final model as ``end``."""
    state = None if job.state is None else folder / "state"
    made = train(spec, replace(job, state=state, points=folder), folder / "end")
    gc.collect()  # trainer and model refer to each other and hold device memory until they are collected
    return made


def _measure(
    spec: RankerSpec, selection: Selection, made: TrainingLog, seed: int, development: Development, folder: Path
) -> list[Trial]:
    """Return the trials of one rate in the order of their updates."""
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
    """Remove everything from a rate's folder except its best model, including the states of its training."""
    for path in folder.iterdir():
        if path.name != f"update-{chosen.updates}":
            shutil.rmtree(path)


def _log_of(stored: Mapping[str, Any]) -> TrainingLog:
    return TrainingLog(**{**stored, "losses": tuple((update, loss) for update, loss in stored["losses"])})
