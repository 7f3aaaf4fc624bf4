"""Read and check all entities under ``config/`` and the experiment that combines them.

This module reads no data and imports no heavy library, because every job on a cluster parses the workflow again.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from synthrank.config.augmentations import AugmentationSpec
from synthrank.config.base import NAMING, NONE, load, references, validate
from synthrank.config.consistency.corpora import corpora_problems
from synthrank.config.consistency.experiment import experiment_problems
from synthrank.config.consistency.prompts import prompt_problems
from synthrank.config.consistency.recipes import recipe_problems
from synthrank.config.consistency.splits import development_problems
from synthrank.config.corpora import TRAIN, CorpusSpec
from synthrank.config.depths import depth_problems
from synthrank.config.experiment import Bias, Claims, Enrichment, Experiment, Sizes, Twolar, Validity
from synthrank.config.llms import LlmSpec
from synthrank.config.models import ModelSpec
from synthrank.config.paradigms import AskedParadigm, HumanParadigm, ParadigmSpec
from synthrank.config.pools import PoolSpec
from synthrank.config.prompt_heads import read_head
from synthrank.config.published import PublishedSpec
from synthrank.config.rankers import RankerSpec
from synthrank.config.rankings import RankingSpec
from synthrank.config.recipes import OrderRecipe, PairsRecipe, RecipeSpec, Sized, base_and_size
from synthrank.config.retrievers import RetrieverSpec
from synthrank.config.sections import describe_missing
from synthrank.config.testsets import SuiteSpec, TestsetSpec
from synthrank.config.yaml_files import find_line
from synthrank.errors import ConfigError, suggest

KINDS: Mapping[str, Any] = MappingProxyType(
    {
        "augmentations": AugmentationSpec,
        "corpora": CorpusSpec,
        "llms": LlmSpec,
        "models": ModelSpec,
        "paradigms": ParadigmSpec,
        "pools": PoolSpec,
        "published": PublishedSpec,
        "rankers": RankerSpec,
        "rankings": RankingSpec,
        "recipes": RecipeSpec,
        "retrievers": RetrieverSpec,
        "suites": SuiteSpec,
        "testsets": TestsetSpec,
    }
)
"""The model of the files in each folder of ``config/``."""

CHECKS = (
    corpora_problems,
    recipe_problems,
    experiment_problems,
    development_problems,
    prompt_problems,
    depth_problems,
)
"""Checks across files. Each yields one line per problem."""

_SINGULAR = {"corpora": "corpus", "llms": "LLM", "testsets": "test set", "published": "file of results"}

SectionT = TypeVar("SectionT")


class Study:
    """All entities and the experiment, checked."""

    def __init__(self, folder: Path, experiment: Mapping[str, Any], origin: str = "experiment") -> None:
        """Read every entity file under ``folder`` and check that all names in them exist.

        Args:
            folder: the configuration folder, ``config``.
            experiment: the content of the experiment's file.
            origin: the experiment's file, for messages.

        Raises:
            ConfigError: a file is invalid or has an unknown name, or files do not fit together.
            PromptError: a prompt file has no valid head.
        """
        if not folder.is_dir():
            raise ConfigError(f"{folder.resolve()}: no such folder; start in the folder with config/ and Snakefile")
        self.folder = folder
        self.origin = origin
        # Snakemake reads 1e-2, also on its command line, as text.
        self.experiment: Experiment = validate(Experiment, dict(experiment), origin, strict=False)
        self.entities: dict[str, dict[str, Any]] = {kind: self._read(kind) for kind in KINDS}
        self.entities["recipes"] |= dict(self._sized())
        names = sorted(path.stem for path in (folder / "prompts").glob("*.md"))
        self.prompts = {name: read_head(self.prompt_file(name))[0] for name in names}
        if unknown := list(self._unknown_names()):
            raise ConfigError("\n".join(unknown))
        for problem in chain.from_iterable(check(self) for check in CHECKS):
            raise ConfigError(re.sub("^experiment(?=: )", lambda _: origin, problem))

    def _read(self, kind: str) -> dict[str, Any]:
        found = {}
        for path in sorted((self.folder / kind).glob("*.yaml")):
            if path.stem == NONE or not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", path.stem):
                raise ConfigError(f"{path}: invalid name {path.stem!r}; {NAMING} ({NONE!r} is reserved)")
            found[path.stem] = load(KINDS[kind], path)
        return found

    def _sized(self) -> Iterable[tuple[str, Sized]]:
        """Yield (name, recipe) for every recipe that some file names with ``@N``."""
        recipes = self.entities["recipes"]
        names = {name for *_, kind, name in self._references() if kind == "recipes"}
        sizes = self.experiment.sizes
        for name in sorted(names.union(sizes.names if sizes else ())):
            base, size = base_and_size(name)
            if size and isinstance(recipes.get(base), Sized):
                yield name, recipes[base].sized(size)

    def _unknown_names(self) -> Iterable[str]:
        """Yield one line per name that no file has."""
        for file, key, kind, name in self._references():
            names: Iterable[str] = self.prompts if kind == "prompts" else self.entities[kind]
            base, size = base_and_size(name)
            if name in names:
                continue
            place = f"{file}{find_line(file, key.split('.'))}: {key}"
            if size and base in names:
                other = self.entities[kind][base].kind
                yield f"{place}: a recipe of kind {other} has no other sizes, but is named {name!r}; use {base!r}"
            else:
                known = suggest(name, (item for item in names if "@" not in item))
                yield f"{place}: no {_SINGULAR.get(kind, kind[:-1])} named {name!r} in {self.folder / kind}{known}"

    def _references(self) -> Iterable[tuple[str, str, str, str]]:
        """Yield (file, key, kind, name) for every name in an entity or the experiment."""
        for item in references(self.experiment):
            yield self.origin, *item
        for folder, entities in self.entities.items():
            for stem, entity in entities.items():
                if "@" in stem:  # has the names of its base
                    continue
                for item in references(entity):
                    yield f"{self.folder}/{folder}/{stem}.yaml", *item

    def prompt_file(self, name: str) -> Path:
        """Return the path of a prompt file."""
        return self.folder / "prompts" / f"{name}.md"

    def writes(self, paradigm: str) -> bool:
        """Return whether a language model writes the passages of a paradigm."""
        return isinstance(self.entities["paradigms"][paradigm], AskedParadigm)

    def is_generated(self, recipe: str) -> bool:
        """Return whether a language model generates or ranks any passage of a recipe's training set."""
        spec = self.entities["recipes"][recipe]
        if isinstance(spec, Sized):
            return any(self.writes(paradigm) for paradigm in spec.paradigms)
        return isinstance(spec, OrderRecipe)

    def is_human(self, recipe: str) -> bool:
        """Return whether a recipe trains only on human passages."""
        spec = self.entities["recipes"][recipe]
        return isinstance(spec, PairsRecipe) and all(
            isinstance(self.entities["paradigms"][paradigm], HumanParadigm) for paradigm in spec.paradigms
        )

    @property
    def recipes(self) -> list[str]:
        """Every recipe of the passage study once: the recipes of all tables, then the recipes of single tables."""
        experiment = self.experiment
        enrichment = experiment.enrichment
        return list(
            dict.fromkeys(
                [
                    *experiment.recipes,
                    *(name for claim in experiment.stated_claims for name in claim.recipes),
                    *((enrichment.base, *enrichment.enriched) if enrichment else ()),
                    *([enrichment.control] if enrichment and enrichment.control else []),
                    *(experiment.sizes.names if experiment.sizes else ()),
                ]
            )
        )

    @property
    def reference_recipe(self) -> str | None:
        """The first recipe of the experiment that trains only on human passages, or None."""
        return next((name for name in self.experiment.recipes if self.is_human(name)), None)

    def generated(self, recipes: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """Return each (corpus, paradigm) whose passages language models write.

        Args:
            recipes: names of recipes. By default all recipes of the passage study.
        """
        names = self.recipes if recipes is None else recipes
        return list(
            dict.fromkeys(
                (recipe.corpus, paradigm)
                for recipe in (self.entities["recipes"][name] for name in names)
                if isinstance(recipe, Sized)
                for paradigm in recipe.paradigms
                if self.writes(paradigm)
            )
        )

    def testsets_of(self, *suites: str) -> dict[str, TestsetSpec]:
        """Return the test sets of suites by name."""
        names = (name for suite in suites for name in self.entities["suites"][suite].testsets)
        return {name: self.entities["testsets"][name] for name in names}

    @cached_property
    def testsets(self) -> dict[str, TestsetSpec]:
        """The test sets of all suites that the experiment names, in any of its sections, by name."""
        parts = (self.experiment, self.experiment.bias, self.experiment.twolar)
        return self.testsets_of(*(suite for part in parts if part for suite in part.suites))

    def passages_as(self, corpus: str) -> str:
        """Return the prefix of a corpus's passages, ``passages`` or ``queries``, as all its test sets state it."""
        stated = (item.passages_as for item in self.entities["testsets"].values() if item.corpus == corpus)
        return next(stated, "passages")

    # Optional sections of the experiment. Each property raises a ConfigError if the section is missing.

    @property
    def claims(self) -> Claims:
        """The claims that the experiment tests."""
        return self._require(self.experiment.claims, "claims")

    @property
    def enrichment(self) -> Enrichment:
        """The section about adding passages to human ones."""
        return self._require(self.experiment.enrichment, "enrichment")

    @property
    def sizes(self) -> Sizes:
        """The recipes that the experiment compares at several sizes."""
        return self._require(self.experiment.sizes, "sizes")

    @property
    def validity(self) -> Validity:
        """The section ``validity``: statistics of training sets and their overlap with test sets."""
        return self._require(self.experiment.validity, "validity")

    @property
    def bias(self) -> Bias:
        """The section about the preference of rankers for generated passages."""
        return self._require(self.experiment.bias, "bias")

    @property
    def twolar(self) -> Twolar:
        """The experiment's distillation study."""
        return self._require(self.experiment.twolar, "twolar")

    def _require(self, section: SectionT | None, key: str) -> SectionT:
        if section is None:
            raise ConfigError(describe_missing(self.origin, key, self.experiment.folder))
        return section

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures of every run: those of the experiment, then those of its distillation study."""
        twolar = self.experiment.twolar
        return tuple(dict.fromkeys([*self.experiment.measures, *(twolar.measures if twolar else ())]))

    # Names

    def pattern(self, kind: str, /, *extra: str, **having: str | tuple[str, ...]) -> str:
        """Return a regular expression that matches exactly the names of a kind and ``extra``.

        ``having`` keeps only entities whose keys have one of these values, as in ``kind="bm25"``.
        """
        wanted = {key: (value,) if isinstance(value, str) else value for key, value in having.items()}
        entities = self.entities[kind].items()
        fits = (name for name, entity in entities if all(getattr(entity, key) in wanted[key] for key in wanted))
        return _alternatives([*fits, *extra])

    def ranker_pattern(self, *, reorder: bool) -> str:
        """Return a regular expression that matches exactly the rerankers, or exactly the rankers that search."""
        rankers = self.entities["rankers"].items()
        return _alternatives(name for name, ranker in rankers if (ranker.rerank is not None) == reorder)

    @cached_property
    def split_pattern(self) -> str:
        """A regular expression that matches every split of every corpus and the training split."""
        stated = {split for corpus in self.entities["corpora"].values() for split in corpus.splits}
        return _alternatives({TRAIN, *stated})

    @cached_property
    def ablation_pattern(self) -> str:
        """A regular expression that matches exactly the ablations of the experiment's distillation study."""
        return _alternatives(self.experiment.twolar.ablations if self.experiment.twolar else ())


def _alternatives(names: Iterable[str]) -> str:
    """Return a pattern of exactly these names. Without names it never matches."""
    return "|".join(re.escape(name) for name in sorted(names)) or r"(?!)"
