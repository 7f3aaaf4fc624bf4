"""Shared parts of the input functions of all stages."""

import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from synthrank.config.base import NONE, Entity
from synthrank.config.draws import Draws
from synthrank.config.recipes import base_and_size
from synthrank.config.study import Study
from synthrank.data.paths import CHECKPOINT, MODEL, QUERIES

RAW = "@raw"
"""Marks the queries of an augmentation before its filters."""


class Wildcards(Protocol):
    """The wildcards of a job, as attributes."""

    def __getattr__(self, name: str) -> str: ...


Paths = Callable[[Wildcards], list[str]]
"""An input function of a rule."""

Row = Mapping[str, str | int]
"""Names that a path is made of, such as those of a test set and a retriever."""

Rows = Callable[[Wildcards], Sequence[Row]]
"""Returns the rows from which :meth:`~synthrank.workflow.inputs.templates.Templates.each` makes paths."""


class StageInputs:
    """Input functions of one stage, for a study."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.draws = Draws(study)

    def spec(self, kind: str, name: str) -> str:
        """Return the path of an entity file."""
        return f"{self.study.folder}/{kind}/{name}.yaml"

    def bases_of(self, recipes: Iterable[str]) -> list[str]:
        """Return the names of the files of recipes, each once; one named with ``@N`` has its base's."""
        return list(dict.fromkeys(base_and_size(name)[0] for name in recipes))

    def measured(self, systems: Iterable[tuple[str, str]]) -> list[Row]:
        """Return the measured draw of the training set of each recipe and LLM, which is the first seed's."""
        first = self.study.experiment.seeds[0]
        return [
            {"recipe": recipe, "llm": llm, "draw": self.draws.of_trainset(recipe, first)} for recipe, llm in systems
        ]

    def ranker_model(self, ranker: str, recipe: str, llm: str, seed: int | str) -> str:
        """Return the folder of a ranker's model: its checkpoint, or its base if the recipe is ``none``."""
        if recipe != NONE:
            return f"results/{CHECKPOINT(recipe=recipe, llm=llm, ranker=ranker, seed=seed)}"
        base = self.study.entities["rankers"][ranker].base
        if base.model:
            return f"results/{MODEL(model=base.model)}"
        return f"results/{CHECKPOINT(recipe=base.recipe, llm=NONE, ranker=base.ranker, seed=seed)}"

    def seeds_of(self, recipe: str, ranker: str, seeds: Iterable[int] = ()) -> tuple[int, ...]:
        """Return the seeds with which a system is measured: the given seeds or, by default, the experiment's.

        An untrained ranker is measured only once if seeds do not change it, that is, if it has no randomly initialised
        head (as a cross-encoder may have) and no base that was trained in this project.
        """
        asked = tuple(seeds) or self.study.experiment.seeds
        spec = self.study.entities["rankers"][ranker]
        is_fixed = recipe == NONE and spec.base.model is not None and spec.architecture != "cross-encoder"
        return asked[:1] if is_fixed else asked

    def systems_on(
        self,
        testsets: Sequence[str],
        systems: Iterable[tuple[str, str]],
        rankers: Sequence[str],
        seeds: Iterable[int] = (),
    ) -> list[Row]:
        """Return a row per recipe and LLM, ranker, seed and test set, by default for all seeds."""
        asked = tuple(seeds)
        return [
            {"testset": testset, "recipe": recipe, "llm": llm, "ranker": ranker, "seed": seed}
            for recipe, llm in systems
            for ranker in rankers
            for seed in self.seeds_of(recipe, ranker, asked)
            for testset in testsets
        ]

    def prompt_file(self, name: str) -> str:
        """Return the path of a prompt file."""
        return str(self.study.prompt_file(name))


def named(wildcard: str, names: Callable[[Wildcards], Iterable[str]]) -> Rows:
    """Return a row for each of several names."""
    return lambda wildcards: [{wildcard: name} for name in names(wildcards)]


def drop_repeated(rows: Iterable[Row]) -> list[Row]:
    """Return rows in their order, each once."""
    return [dict(items) for items in dict.fromkeys(tuple(row.items()) for row in rows)]


def as_param(settings: dict[str, Any]) -> str:
    """Return settings as a param of a rule.

    If a rule depends only on a part of an entity file, the file is an ``ancient`` input and the part a param. For
    example, a new depth of search does not encode a corpus again, and a new depth of reranking does not train again.
    """
    return json.dumps(settings, sort_keys=True)


def freeze(section: Entity) -> tuple[Any, ...]:
    """Return a section and its subsections as named tuples.

    Snakemake compares only builtin values of params, so a changed entity object would not rerun a job.
    """
    values = {key: getattr(section, key) for key in type(section).model_fields}
    nested = {key: freeze(item) if isinstance(item, Entity) else item for key, item in values.items()}
    return namedtuple(type(section).__name__, nested)(**nested)


def settings_of(section: Callable[[Wildcards], Entity]) -> Callable[[Wildcards], tuple[Any, ...]]:
    """Return a param function for a section of the experiment. A changed section reruns the job."""
    return lambda wildcards: freeze(section(wildcards))


def by_attempt(amount: int) -> Callable[[Wildcards, int], int]:
    """Return a resource function that gives ``amount`` times the number of the attempt."""

    def resource(wildcards: Wildcards, attempt: int) -> int:
        return amount * attempt

    return resource


def part_of(jobs: int) -> str:
    """Return the pattern of ``{part}``, the folder of a shard's file, which is empty for a single job."""
    return r"shards/\d+-of-\d+/" if jobs > 1 else r"(?:)"


def shard_of(wildcards: Wildcards) -> str:
    """Return the shard that ``{part}`` names, or the only shard if it is empty."""
    return wildcards.part.removeprefix("shards/").removesuffix("/") or "1-of-1"


def keep_existing(files: Iterable[str]) -> list[str]:
    """Return the files that the workflow makes, and the user's files that exist.

    Without the missing files a dry run succeeds. The job that reads a missing file names it in its error.
    """
    return [name for name in files if name.startswith("results/") or Path(name).exists()]


def exemplars_of(study: Study, corpus: str, augmentation: str) -> list[str]:
    """Return the file of the exemplars in prompts for an augmentation's queries, if there are exemplars."""
    shows = getattr(study.entities["augmentations"][augmentation], "exemplars", None)
    return [f"results/{QUERIES(corpus=corpus, augmentation=augmentation)}/exemplars.jsonl"] if shows else []
