"""A study: every entity under ``config/`` and the experiment that joins them, read and checked once.

Nothing here reads data or imports a heavy library: every job on a cluster parses the workflow again.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from synthrank.corpora_problems import corpora_problems
from synthrank.depths import depth_problems
from synthrank.development import development_problems
from synthrank.errors import ConfigError, known
from synthrank.experiment_problems import experiment_problems
from synthrank.prompt_heads import read_head
from synthrank.prompt_problems import prompt_problems
from synthrank.recipe_problems import recipe_problems
from synthrank.specs.augmentations import AugmentationSpec
from synthrank.specs.base import NONE, load, references, validate
from synthrank.specs.corpora import CorpusSpec
from synthrank.specs.experiment import Bias, Claims, Enrichment, Experiment, Sizes, Twolar, Validity
from synthrank.specs.llms import LlmSpec
from synthrank.specs.models import ModelSpec
from synthrank.specs.paradigms import Asked, HumanParadigm, ParadigmSpec
from synthrank.specs.pools import PoolSpec
from synthrank.specs.published import PublishedSpec
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.rankings import RankingSpec
from synthrank.specs.recipes import OrderRecipe, PairsRecipe, RecipeSpec, Sized, base_and_size
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.specs.testsets import SuiteSpec, TestsetSpec

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
"""What each folder of ``config/`` holds."""

CHECKS = (
    corpora_problems,
    recipe_problems,
    experiment_problems,
    development_problems,
    prompt_problems,
    depth_problems,
)
"""Each yields what does not fit together although every file is right by itself."""

Section = TypeVar("Section")


class Study:
    """All entities and the experiment, checked."""

    def __init__(self, folder: Path, experiment: Mapping[str, Any]) -> None:
        """Read every entity file under ``folder`` and check that all names they use exist.

        Args:
            folder: the configuration folder, ``config``.
            experiment: the content of the experiment's file.

        Raises:
            ConfigError: a file is not what its kind allows, or names something that does not exist.
            PromptError: a prompt file has no head, or a wrong one.
        """
        if not folder.is_dir():
            raise ConfigError(f"{folder.resolve()}: no such folder; start where config and Snakefile lie")
        self.folder = folder
        self.experiment: Experiment = validate(Experiment, dict(experiment), "experiment")
        self.entities: dict[str, dict[str, Any]] = {kind: self._read(kind) for kind in KINDS}
        self.entities["recipes"] |= dict(self._sized())
        names = sorted(path.stem for path in (folder / "prompts").glob("*.md"))
        self.prompts = {name: read_head(self.prompt_file(name))[0] for name in names}
        for problem in chain(self._unknown_names(), *(check(self) for check in CHECKS)):
            raise ConfigError(problem)

    def _read(self, kind: str) -> dict[str, Any]:
        found = {}
        for path in sorted((self.folder / kind).glob("*.yaml")):
            if path.stem == NONE or not re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", path.stem):
                raise ConfigError(f"{path}: {path.stem!r} cannot be a name; use lower-case kebab, and not {NONE!r}")
            found[path.stem] = load(KINDS[kind], path)
        return found

    def _sized(self) -> Iterable[tuple[str, Sized]]:
        """Yield every recipe that is named with ``@N`` somewhere, with its number of queries."""
        recipes = self.entities["recipes"]
        names = {name for _, kind, name in self._references() if kind == "recipes"}
        sizes = self.experiment.sizes
        for name in sorted(names.union(sizes.names if sizes else ())):
            base, size = base_and_size(name)
            if size and isinstance(recipes.get(base), Sized):
                yield name, recipes[base].sized(size)

    def _unknown_names(self) -> Iterable[str]:
        """Yield one line for each name that points nowhere."""
        for origin, kind, name in self._references():
            names: Iterable[str] = self.prompts if kind == "prompts" else self.entities[kind]
            base, size = base_and_size(name)
            if name in names:
                continue
            if size and base in names:
                other = self.entities[kind][base].kind
                yield f"{origin}: got {name!r}; a recipe of kind {other} has no other sizes, take {base!r}"
            else:
                files = known(item for item in names if "@" not in item)
                yield f"{origin}: got {name!r}; no such file in {self.folder / kind} ({files})"

    def _references(self) -> Iterable[tuple[str, str, str]]:
        """Yield (where it is said, kind, name) for every name that an entity or the experiment uses."""
        for key, kind, name in references(self.experiment):
            yield f"experiment: {key}", kind, name
        for folder, entities in self.entities.items():
            for stem, entity in entities.items():
                for key, kind, name in references(entity):
                    yield f"{self.folder}/{folder}/{stem}.yaml: {key}", kind, name

    def prompt_file(self, name: str) -> Path:
        """Return the path of a prompt file."""
        return self.folder / "prompts" / f"{name}.md"

    def writes(self, paradigm: str) -> bool:
        """Tell whether a language model writes the passages of a paradigm."""
        return isinstance(self.entities["paradigms"][paradigm], Asked)

    def is_generated(self, recipe: str) -> bool:
        """Tell whether a language model wrote or ordered any passage of a recipe's training set."""
        spec = self.entities["recipes"][recipe]
        if isinstance(spec, Sized):
            return any(self.writes(paradigm) for paradigm in spec.paradigms)
        return isinstance(spec, OrderRecipe)

    def is_human(self, recipe: str) -> bool:
        """Tell whether a recipe trains on human passages alone."""
        spec = self.entities["recipes"][recipe]
        return isinstance(spec, PairsRecipe) and all(
            isinstance(self.entities["paradigms"][paradigm], HumanParadigm) for paradigm in spec.paradigms
        )

    @property
    def recipes(self) -> list[str]:
        """Every recipe of the passage study, each once: those compared in all tables, then those of single tables."""
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
        """The first recipe of the experiment that trains on human passages alone; none if there is no such."""
        return next((name for name in self.experiment.recipes if self.is_human(name)), None)

    def generated(self, recipes: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """Return (corpus, paradigm) of all passages that language models write, each once.

        Args:
            recipes: for these; for all of the passage study by default.
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
        """Return the test sets of suites by name, each once."""
        names = (name for suite in suites for name in self.entities["suites"][suite].testsets)
        return {name: self.entities["testsets"][name] for name in names}

    def passages_as(self, corpus: str) -> str:
        """Return whose prefix stands before the passages of a corpus: its test sets say the same."""
        stated = (item.passages_as for item in self.entities["testsets"].values() if item.corpus == corpus)
        return next(stated, "passages")

    # Sections of the experiment that some tables need and others do not: each raises a ConfigError where it is missing.

    @property
    def claims(self) -> Claims:
        """The claims that the experiment tests."""
        return _stated(self.experiment.claims, "claims")

    @property
    def enrichment(self) -> Enrichment:
        """What the experiment adds to human passages."""
        return _stated(self.experiment.enrichment, "enrichment")

    @property
    def sizes(self) -> Sizes:
        """The recipes that the experiment compares at several sizes."""
        return _stated(self.experiment.sizes, "sizes")

    @property
    def validity(self) -> Validity:
        """What the experiment measures of training sets."""
        return _stated(self.experiment.validity, "validity")

    @property
    def bias(self) -> Bias:
        """Where the experiment measures what rankers prefer."""
        return _stated(self.experiment.bias, "bias")

    @property
    def twolar(self) -> Twolar:
        """The experiment's distillation study."""
        return _stated(self.experiment.twolar, "twolar")

    @property
    def measures(self) -> tuple[str, ...]:
        """What every run is measured by, for all tables: the experiment's measures, then its distillation study's."""
        twolar = self.experiment.twolar
        return tuple(dict.fromkeys([*self.experiment.measures, *(twolar.measures if twolar else ())]))

    # Names

    def pattern(self, kind: str, *extra: str) -> str:
        """Return the regular expression that matches exactly the names of a kind."""
        return _alternatives([*self.entities[kind], *extra])

    def pattern_of(self, kind: str, model: type) -> str:
        """Return the regular expression that matches exactly the entities of a kind that are of one model."""
        return _alternatives(name for name, entity in self.entities[kind].items() if isinstance(entity, model))

    def ranker_pattern(self, *, reorder: bool) -> str:
        """Return the regular expression that matches exactly the rankers that reorder a first stage, or the others."""
        rankers = self.entities["rankers"].items()
        return _alternatives(name for name, ranker in rankers if (ranker.rerank is not None) == reorder)

    @cached_property
    def split_pattern(self) -> str:
        """The regular expression that matches every split of every corpus."""
        return _alternatives({split for corpus in self.entities["corpora"].values() for split in corpus.splits})

    @cached_property
    def ablation_pattern(self) -> str:
        """The regular expression that matches exactly the ablations of the experiment's distillation study."""
        return _alternatives(self.experiment.twolar.ablations if self.experiment.twolar else ())


_NEEDED = MappingProxyType(
    {
        "bias": "results/tables/bias.csv needs it",
        "claims": "results/tables/claims.csv needs it",
        "enrichment": "results/tables/enrichment.csv needs it",
        "sizes": "results/tables/sizes.csv needs it",
        "twolar": "results/tables/twolar.csv, ablation-NAME.csv and rankings.csv need it",
        "validity": "results/validity/, results/tables/validity.csv and leaks.csv need it",
    }
)


def _stated(section: Section | None, key: str) -> Section:
    if section is None:
        raise ConfigError(f"experiment: {key}: is missing; {_NEEDED[key]}")
    return section


def _alternatives(names: Iterable[str]) -> str:
    """Return a pattern of exactly these names; one that never matches if there are none."""
    return "|".join(re.escape(name) for name in sorted(names)) or r"(?!)"
