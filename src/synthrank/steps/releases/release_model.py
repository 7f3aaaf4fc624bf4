"""Step release_model: publish a trained ranker as a folder that other libraries load."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from synthrank.config.base import load
from synthrank.config.models import HubModel, ModelSpec
from synthrank.config.rankers import RankerSpec
from synthrank.data.files import atomic_path, write_json
from synthrank.data.scores import Score, read_scores
from synthrank.errors import ModelError
from synthrank.steps.releases.cards import (
    CardPart,
    entity_yaml,
    figures,
    llm_parts,
    part,
    recipe_of,
    write_card,
    write_checksums,
)
from synthrank.steps.releases.usage import library, usage

KEPT = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "loss.csv")
"""Weights, configuration, vocabulary, SentencePiece models, chat templates and losses. These files cannot contain code,
unlike the pickles in which torch saves weights and training states."""


@dataclass(frozen=True, slots=True)
class SystemMeans:
    """Means of a system on a test set, in the order of the card's measures."""

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
        bases: the entity files of the rankers that training started from, the last one first.
        pretrained: the entity file of the pretrained model.
        recipe: the recipe's name, with ``@N`` if N replaces the file's number of queries.
        spec: the recipe's entity file.
        stats: the counts of the training set.
        llm: the entity file of the LLM that generated or ranked its passages; empty without an LLM.
        weights: the entity file of the LLM's model, if the LLM runs in-process.
        seed: the training seed.
        metrics: the scores of this model on every suite.
        template: the template of the card.
        release: the folder to write.

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
            parts=dict(_list_parts(ranker, bases, pretrained, recipe, spec, llm, weights)),
            stats=dict(figures(json.loads(stats.read_text(encoding="utf-8")))),
            selection=_read_selection(checkpoint),
            measures=measures,
            scores=list(_read_means(scores, measures)),
        )
        write_checksums(folder)


def _copy(checkpoint: Path, folder: Path) -> None:
    """Copy the files of the model, and the record of its training without the paths of this machine."""
    if not any(checkpoint.rglob("*.safetensors")):
        raise ModelError(f"{checkpoint}: no safetensors; a release needs the weights of a trained model")
    names = {path.relative_to(checkpoint) for pattern in KEPT for path in checkpoint.rglob(pattern) if path.is_file()}
    for name in sorted(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkpoint / name, folder / name)
    record = folder / "training.json"
    if record.is_file():
        write_json(record, _drop_paths(json.loads(record.read_text(encoding="utf-8"))))


def _read_selection(checkpoint: Path) -> Any:
    """Return the record of the selection of a model's settings, if there was one."""
    record = checkpoint / "selection.json"
    return json.loads(record.read_text(encoding="utf-8")) if record.is_file() else None


def _drop_paths(value: Any) -> Any:
    """Return the record of a training without the paths of local models."""
    if isinstance(value, dict):
        return {name: _drop_paths(item) for name, item in value.items() if name != "path"}
    return value


def _list_parts(
    ranker: Path,
    bases: Iterable[Path],
    pretrained: Path,
    recipe: str,
    spec: Path,
    llm: Iterable[Path],
    weights: Iterable[Path],
) -> Iterator[CardPart]:
    yield part("The ranker", RankerSpec, ranker)
    yield from (part("The base ranker", RankerSpec, path) for path in bases)
    yield part("The pretrained model", ModelSpec, pretrained)
    yield f"The recipe `{recipe}`", entity_yaml(recipe_of(recipe, spec))
    yield from llm_parts(llm, weights)


def _read_means(scores: Iterable[Score], measures: Iterable[str]) -> Iterator[SystemMeans]:
    """Yield one row per test set and system, in the order of the scores."""
    cells: dict[tuple[str, str], dict[str, list[float]]] = {}
    for score in scores:
        of_system = cells.setdefault((score.testset, score.ranker), {})
        if score.value is not None:
            of_system.setdefault(score.measure, []).append(score.value)
    for (testset, system), values in cells.items():
        means = tuple(f"{fmean(values[name]):.4f}" if name in values else "" for name in measures)
        yield SystemMeans(testset, system, max(map(len, values.values())), means)
