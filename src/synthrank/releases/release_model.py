"""Step release_model: a trained ranker as a folder that other libraries load."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from synthrank.errors import ModelError
from synthrank.files import atomic_path, write_json
from synthrank.releases.cards import (
    Part,
    as_yaml,
    figures,
    llm_parts,
    part,
    recipe_of,
    write_card,
    write_checksums,
)
from synthrank.releases.usage import library, usage
from synthrank.scores import Score, read_scores
from synthrank.specs.base import load
from synthrank.specs.models import HubModel, ModelSpec
from synthrank.specs.rankers import RankerSpec

KEPT = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "loss.csv")
"""Weights, configuration, vocabulary, SentencePiece models, chat templates and the losses. None can hold code, as the
pickles can in which torch keeps weights and the states of a training."""


@dataclass(frozen=True, slots=True)
class Row:
    """The means of a system on a test set, in the order of the card's measures."""

    testset: str
    system: str
    queries: int
    values: tuple[str, ...]


def release_model(
    *,
    checkpoint: Path,
    ranker: Path,
    bases: list[Path],
    pretrained: Path,
    recipe: str,
    spec: Path,
    stats: Path,
    llm: list[Path],
    weights: list[Path],
    seed: int,
    metrics: list[Path],
    template: Path,
    release: Path,
) -> None:
    """Write a folder that can be published: the checkpoint's files, a card, checksums.

    Args:
        checkpoint: the folder of the trained model.
        ranker: the ranker's entity file.
        bases: the entity files of the rankers that it started from, the last one first.
        pretrained: the entity file of the model that it all began with.
        recipe: the recipe's name, with ``@N`` where another number of queries than the file's was taken.
        spec: its entity file.
        stats: what was counted while the training set was made.
        llm: the entity file of the LLM that wrote or ordered passages of it, where one did.
        weights: the entity file of its model, where it runs in-process.
        seed: the training seed.
        metrics: the scores of this model on every suite.
        template: that of the card.
        release: written: the folder.

    Raises:
        ModelError: the checkpoint has no safetensors.
    """
    settings: RankerSpec = load(RankerSpec, ranker)
    start: ModelSpec = load(ModelSpec, pretrained)
    scores = [score for path in metrics for score in read_scores(path)]
    measures = list(dict.fromkeys(score.measure for score in scores))
    with atomic_path(release) as folder:
        _copy(checkpoint, folder)
        write_card(
            folder,
            template,
            architecture=settings.architecture,
            library=library(settings),
            usage=usage(settings),
            max_length=settings.max_length,
            eval_length=settings.eval_length,
            ranker=ranker.stem,
            recipe=recipe,
            llm="".join(path.stem for path in llm),
            seed=seed,
            repo=start.repo if isinstance(start, HubModel) else "",
            parts=dict(_parts(ranker, bases, pretrained, recipe, spec, llm, weights)),
            stats=dict(figures(json.loads(stats.read_text(encoding="utf-8")))),
            selection=_selection(checkpoint),
            measures=measures,
            scores=list(_rows(scores, measures)),
        )
        write_checksums(folder)


def _copy(checkpoint: Path, folder: Path) -> None:
    """Copy what a model is loaded from, and the record of its training without the paths of this machine."""
    if not any(checkpoint.rglob("*.safetensors")):
        raise ModelError(f"{checkpoint}: no safetensors; there is nothing to release")
    names = {path.relative_to(checkpoint) for pattern in KEPT for path in checkpoint.rglob(pattern) if path.is_file()}
    for name in sorted(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint / name, folder / name)
    record = folder / "training.json"
    if record.is_file():
        write_json(record, _without_paths(json.loads(record.read_text(encoding="utf-8"))))


def _selection(checkpoint: Path) -> Any:
    """Return how the settings of a model were chosen, where they were."""
    told = checkpoint / "selection.json"
    return json.loads(told.read_text(encoding="utf-8")) if told.is_file() else None


def _without_paths(value: Any) -> Any:
    """Return the record of a training without the folders that models of one's own were taken from."""
    if isinstance(value, dict):
        return {name: _without_paths(item) for name, item in value.items() if name != "path"}
    return value


def _parts(
    ranker: Path,
    bases: Iterable[Path],
    pretrained: Path,
    recipe: str,
    spec: Path,
    llm: Iterable[Path],
    weights: Iterable[Path],
) -> Iterator[Part]:
    yield part("The ranker", RankerSpec, ranker)
    yield from (part("The ranker that it started from,", RankerSpec, path) for path in bases)
    yield part("The pretrained model", ModelSpec, pretrained)
    yield f"The recipe `{recipe}`", as_yaml(recipe_of(recipe, spec))
    yield from llm_parts(llm, weights)


def _rows(scores: Iterable[Score], measures: Iterable[str]) -> Iterator[Row]:
    """Yield one row a test set and system, in the order of the scores."""
    cells: dict[tuple[str, str], dict[str, list[float]]] = {}
    for score in scores:
        of_system = cells.setdefault((score.testset, score.ranker), {})
        if score.value is not None:
            of_system.setdefault(score.measure, []).append(score.value)
    for (testset, system), values in cells.items():
        means = tuple(f"{fmean(values[name]):.4f}" if name in values else "" for name in measures)
        yield Row(testset, system, max(map(len, values.values())), means)
