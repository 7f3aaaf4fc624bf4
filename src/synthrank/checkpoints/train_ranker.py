"""Step train_ranker: train one ranker on one training set with one seed."""

import csv
import json
from pathlib import Path
from typing import Any

from synthrank.checkpoints.selecting import join_selected, train_selected
from synthrank.errors import BudgetError
from synthrank.files import atomic_path, atomic_text, read_jsonl, sha256_of, write_json
from synthrank.rankers import train
from synthrank.rankers.base import Training, TrainingLog
from synthrank.rankers.development import open_development
from synthrank.rankers.distributed import is_first, joined
from synthrank.rankers.states import remove_states, state_of
from synthrank.records import Group
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec


def train_ranker(
    *, trainset: Path, spec: Path, base: Path, seed: int, development: list[Path], checkpoint: Path
) -> None:
    """Train and save the model as safetensors, with ``training.json`` and ``loss.csv`` beside it.

    Where the ranker has ``selection``, its whole grid is tried, and all three are those of the point that is best on
    the development split; ``selection.json`` tells of every point.

    If ``optimiser.save_every`` is set, states are kept in ``.seed-N.state-HASH`` beside the checkpoint; after a kill,
    the same command resumes from the last whole one, and gives the same weights. At the end they are removed.

    A ranker with ``gpus`` above 1 is trained by as many processes that torchrun starts; the first one writes.

    Args:
        trainset: the training groups.
        spec: the ranker's entity file.
        base: the folder of the model to start from.
        seed: the training seed.
        development: where the ranker has ``selection``, what it chooses on: queries and qrels of the development
            split, the passages of its corpus, and the run whose candidates are reordered; else empty.
        checkpoint: written: the folder of the trained model.

    Raises:
        BudgetError: the training set is empty.
    """
    ranker: RankerSpec = load(RankerSpec, spec)
    with joined(ranker.gpus):
        groups = list(read_jsonl(trainset, Group))
        if not groups:
            raise BudgetError(f"{trainset}: no training group; nothing can be learnt from it")
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
            made = {"ranker": spec.stem, "settings": settings, "base": _base(ranker, base), "seed": seed}
            write_json(folder / "training.json", made | {"groups": len(groups)} | _measured(log))
        remove_states(checkpoint)


def _base(ranker: RankerSpec, base: Path) -> dict[str, Any]:
    """Return what training started from: its names, and what its folder says of itself."""
    told: dict[str, Any] = ranker.base.model_dump(mode="json", exclude_none=True)
    for name in ("source.json", "training.json"):
        if (base / name).is_file():
            told["source"] = json.loads((base / name).read_text(encoding="utf-8"))
    return told


def _measured(log: TrainingLog) -> dict[str, Any]:
    """Return what the training took; time and memory differ from run to run."""
    return {
        "updates": log.updates,
        "resumed_at": log.resumed_at,
        "pairs": log.pairs,
        "pairs_cut": log.pairs_cut,
        "rows_masked": log.rows_masked,
        "seconds_per_update": round(log.seconds_per_update, 4),
        "peak_memory_mb": round(log.peak_memory_mb, 1),
    }
