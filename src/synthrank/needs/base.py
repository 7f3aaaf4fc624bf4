"""What the needs of every stage share."""

import json
from collections import namedtuple
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from synthrank.draws import Draws
from synthrank.specs.base import NONE, Entity
from synthrank.specs.recipes import base_and_size
from synthrank.specs.testsets import TestsetSpec
from synthrank.study import Study

RAW = "@raw"
"""Marks the queries of an augmentation before its filters."""


class Wildcards(Protocol):
    """The wildcards of a job, as attributes."""

    def __getattr__(self, name: str) -> str: ...


Paths = Callable[[Wildcards], list[str]]
"""An input function of a rule."""


class StageNeeds:
    """The needs of one stage, read from a study."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.draws = Draws(study)

    def spec(self, kind: str, name: str) -> str:
        """Return the path of an entity file."""
        return f"{self.study.folder}/{kind}/{name}.yaml"

    def recipe_files(self, names: Iterable[str]) -> list[str]:
        """Return the entity files of recipes, each once; one named with ``@N`` has its base's."""
        return [self.spec("recipes", name) for name in dict.fromkeys(base_and_size(name)[0] for name in names)]

    def ranker_model(self, ranker: str, recipe: str, llm: str, seed: int | str) -> str:
        """Return the folder of a ranker's model: what a recipe made of it, or its base where the recipe is none."""
        if recipe != NONE:
            return f"results/checkpoints/{recipe}/{llm}/{ranker}/seed-{seed}"
        base = self.study.entities["rankers"][ranker].base
        if base.model:
            return f"results/models/{base.model}"
        return f"results/checkpoints/{base.recipe}/{NONE}/{base.ranker}/seed-{seed}"

    def seeds_of(self, recipe: str, ranker: str, seeds: Iterable[int] = ()) -> tuple[int, ...]:
        """Return the seeds that a system is measured with: those given, or the experiment's.

        An untrained ranker that no seed moves is measured once: it has neither a new head, which a cross-encoder may
        draw, nor a base that was trained here.
        """
        asked = tuple(seeds) or self.study.experiment.seeds
        spec = self.study.entities["rankers"][ranker]
        is_fixed = recipe == NONE and spec.base.model is not None and spec.architecture != "cross-encoder"
        return asked[:1] if is_fixed else asked

    def development_of(self, corpus: str, retriever: str) -> list[str]:
        """Return queries, qrels, passages and a retriever's run of the split that choices look at."""
        split = self.study.entities["corpora"][corpus].development
        folder = f"results/corpora/{corpus}"
        run = f"results/runs/corpora/{corpus}/{retriever}/{split}.trec"
        return [f"{folder}/{split}/queries.jsonl", f"{folder}/{split}/qrels.txt", f"{folder}/passages.jsonl", run]

    def of_testsets(self, testsets: Iterable[TestsetSpec], file: str) -> list[str]:
        """Return a file of each test set: ``queries.jsonl`` or ``qrels.txt``, or ``passages.jsonl`` of its corpus."""
        folders = (spec.corpus if file == "passages.jsonl" else f"{spec.corpus}/{spec.split}" for spec in testsets)
        return [f"results/corpora/{folder}/{file}" for folder in folders]

    def prompt_file(self, name: str) -> str:
        """Return the path of a prompt file."""
        return str(self.study.prompt_file(name))


def as_param(settings: dict[str, Any]) -> str:
    """Return settings as a param of a rule.

    Of a rule that depends on a part of an entity file alone the file is an ``ancient`` input, and that part a param:
    what a search keeps must not make a collection be encoded again, nor what is reordered a model be trained again.
    """
    return json.dumps(settings, sort_keys=True)


def compared(section: Entity) -> tuple[Any, ...]:
    """Return a section as a named tuple, sections in it alike.

    Of params Snakemake compares builtin values alone: an entity as it is would rerun nothing where it changes.
    """
    values = {key: getattr(section, key) for key in type(section).model_fields}
    nested = {key: compared(item) if isinstance(item, Entity) else item for key, item in values.items()}
    return namedtuple(type(section).__name__, nested)(**nested)


def by_attempt(amount: int) -> Callable[[Wildcards, int], int]:
    """Return what a job gets of a resource: ``amount``, and as much again at every attempt after the first."""

    def resource(wildcards: Wildcards, attempt: int) -> int:
        return amount * attempt

    return resource


def there(files: Iterable[str]) -> list[str]:
    """Return the files without those data of one's own that are not there yet.

    So a dry run plans what needs them, and the job that reads them names the one that is missing.
    """
    return [name for name in files if name.startswith("results/") or Path(name).exists()]
