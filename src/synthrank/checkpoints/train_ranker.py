"""Step train_ranker: train one ranker on one training set with one seed."""

import csv
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import atomic_path, atomic_text, read_jsonl, write_json
from synthrank.rankers import train
from synthrank.records import Group
from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec


def train_ranker(*, trainset: Path, spec: Path, base: Path, seed: int, checkpoint: Path) -> None:
    """Train and save the model as safetensors, with ``training.json`` (settings) and ``loss.csv`` beside it.

    Args:
        trainset: the training groups.
        spec: the ranker's entity file.
        base: the folder of the model to start from.
        seed: the training seed.
        checkpoint: written: the folder of the trained model.

    Raises:
        BudgetError: the training set is empty.
    """
    ranker: RankerSpec = load(RankerSpec, spec)
    groups = list(read_jsonl(trainset, Group))
    if not groups:
        raise BudgetError(f"{trainset}: no training group; nothing can be learnt from it")
    with atomic_path(checkpoint) as folder:
        log = train(ranker, base, groups, seed, folder)
        with atomic_text(folder / "loss.csv") as stream:
            csv.writer(stream, lineterminator="\n").writerows([("update", "loss"), *log.losses])
        write_json(
            folder / "training.json",
            {
                "ranker": spec.stem,
                "settings": ranker.model_dump(mode="json"),
                "seed": seed,
                "groups": len(groups),
                "updates": log.updates,
            },
        )
