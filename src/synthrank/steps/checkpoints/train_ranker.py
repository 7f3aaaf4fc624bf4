"""Step train_ranker: train one ranker on one training set with one seed."""

import csv
import json
from pathlib import Path
from typing import Any

from synthrank.config.base import load
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import atomic_path, atomic_text, read_jsonl, sha256_of, write_json
from synthrank.data.records import Group
from synthrank.errors import BudgetError
from synthrank.rankers import train
from synthrank.rankers.base import Training, TrainingLog
from synthrank.rankers.development import open_development
from synthrank.rankers.distributed import is_first, join_processes
from synthrank.rankers.resume import remove_states, state_of
from synthrank.steps.checkpoints.selecting import join_selected, train_selected


def train_ranker(
    *, trainset: Path, spec: Path, base: Path, seed: int, development: list[Path], checkpoint: Path
) -> None:
    """Train and save the model as safetensors, with ``training.json`` and ``loss.csv`` next to it.

    If the ranker has ``selection``, the step tries its whole grid and keeps the point that is best on the development
    split. ``selection.json`` lists every point.

    If ``optimiser.save_every`` is set, the step saves states in ``.seed-N.state-HASH`` next to the checkpoint. The
    same command resumes an interrupted training from the last complete state and gives the same weights. The states
    are removed at the end.

    A ranker with ``gpus`` above 1 is trained by that number of processes, which torchrun starts; the first one writes.

    Args:
        trainset: the training groups.
        spec: the ranker's entity file.
        base: the folder of the base model.
        seed: the training seed.
        development: if the ranker has ``selection``, the files of the development split: queries, qrels, the passages
            of its corpus, and the run whose candidates are reordered. Otherwise empty.
        checkpoint: the folder of the trained model to write.

    Raises:
        BudgetError: the training set is empty.
    """
    ranker: RankerSpec = load(RankerSpec, spec)
    with join_processes(ranker.gpus):
        groups = list(read_jsonl(trainset, Group))
        if not groups:
            raise BudgetError(f"{trainset}: the training set is empty; expected at least one group")
        settings, grid, state = ranker.training_settings, ranker.selection, None
        if ranker.optimiser.save_every:
            what = json.dumps([settings, [sha256_of(path) for path in development]], sort_keys=True)
            state = state_of(checkpoint, what, trainset, base, seed)
        job = Training(base, groups, seed, state)
        if not is_first():
            if grid is None:
                train(ranker, job, checkpoint)
            else:
                join_selected(ranker, grid, job, checkpoint)
            return
        remove_states(checkpoint, but=state)
        with atomic_path(checkpoint) as folder:
            if grid is None:
                log = train(ranker, job, folder)
            else:
                split = open_development(*development, depth=grid.depth, most=grid.queries, seed=grid.seed)
                selected = train_selected(ranker, grid, job, split, folder)
                log = selected.log
                write_json(folder / "selection.json", selected.record(grid, split))
            with atomic_text(folder / "loss.csv") as stream:
                csv.writer(stream, lineterminator="\n").writerows([("update", "loss"), *log.losses])
            made = {"ranker": spec.stem, "settings": settings, "base": _describe_base(ranker, base), "seed": seed}
            write_json(folder / "training.json", made | {"groups": len(groups)} | _describe_training(log))
        remove_states(checkpoint)


def _describe_base(ranker: RankerSpec, base: Path) -> dict[str, Any]:
    """Return the base model's names and the record in its folder."""
    record: dict[str, Any] = ranker.base.model_dump(mode="json", exclude_none=True)
    for name in ("source.json", "training.json"):
        if (base / name).is_file():
            record["source"] = json.loads((base / name).read_text(encoding="utf-8"))
    return record


def _describe_training(log: TrainingLog) -> dict[str, Any]:
    """Return the counts, time and memory of the training; time and memory differ between runs."""
    return {
        "updates": log.updates,
        "resumed_at": log.resumed_at,
        "pairs": log.pairs,
        "pairs_cut": log.pairs_cut,
        "rows_masked": log.rows_masked,
        "seconds_per_update": round(log.seconds_per_update, 4),
        "peak_memory_mb": round(log.peak_memory_mb, 1),
    }
