"""Check of the targets on the command line against the experiment."""

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from synthrank.config.base import NONE, read_yaml
from synthrank.config.distillation import pair_recipes_with_llms
from synthrank.config.recipes import base_and_size
from synthrank.config.study import Study
from synthrank.errors import ConfigError

_OF_AN_EXPERIMENT = re.compile(r"results/(?:([^/]+)/)?((?:tables|figures)/.+|report\.html)")
_TABLE = re.compile(r"results/(?:[^/]+/)?tables/([^/]+)\.(?:csv|md)")
ALWAYS = ("id", "ood", "cost", "replies")
"""Tables that need no section."""
SECTIONS = {
    "claims": "claims",
    "enrichment": "enrichment",
    "sizes": "sizes",
    "validity": "validity",
    "leaks": "validity",
    "bias": "bias",
    "twolar": "twolar",
    "ablation": "twolar",
    "rankings": "twolar",
}
"""The section of the experiment that a table needs."""
PAGES = dict.fromkeys(("claims", "enrichment", "sizes", "validity", "bias"), "docs/passage-study.md") | {
    "twolar": "docs/distillation-study.md"
}
"""The page that describes a section."""


def check_targets(study: Study, words: Iterable[str]) -> None:
    """Refuse targets that the experiment cannot make.

    Args:
        study: the study.
        words: the command line. While rules are read, Snakemake does not provide the targets.

    Raises:
        ConfigError: a target is a table, figure or report of an experiment with another name, a table that does not
            exist or whose section is missing, or a path in which recipe and LLM do not fit together.
    """
    for word in words:
        found = _OF_AN_EXPERIMENT.fullmatch(word)
        if found is None:
            _check_llm(study, word)
        elif found[1] == study.experiment.name:
            _check_section(study, word)
        else:
            maker = next((path for path in _experiments(study.folder) if _name(path) == found[1]), None)
            made = f"--configfile {maker} makes it" if maker else f"no experiment under {study.folder}/ has this name"
            raise ConfigError(f"{word}: {made}; this one makes results/{study.experiment.folder}{found[2]}")


def _check_section(study: Study, word: str) -> None:
    """Refuse a table that does not exist, or whose section the experiment lacks."""
    found = _TABLE.fullmatch(word)
    if found is None:
        return
    name = found[1].partition("-")[0]
    section = SECTIONS.get(name)
    if section is None and name not in ALWAYS:
        known = [*ALWAYS, *(table for table, key in SECTIONS.items() if getattr(study.experiment, key) is not None)]
        raise ConfigError(f"{word}: no table {found[1]!r}; tables of this experiment: {', '.join(known)}")
    if section is not None and getattr(study.experiment, section) is None:
        raise ConfigError(
            f"{word}: the experiment has no {section!r} section, so {found[1]}.csv cannot be built; "
            f"see {PAGES[section]}"
        )


def _check_llm(study: Study, word: str) -> None:
    """Refuse a recipe without the LLM that it needs, and an LLM for a recipe that uses none."""
    parts = word.split("/")
    if parts[0] != "results":
        return
    for recipe, llm in pairwise(parts):
        if base_and_size(recipe)[0] not in study.entities["recipes"] or llm not in (NONE, *study.entities["llms"]):
            continue
        for _, fitting in pair_recipes_with_llms(study, [base_and_size(recipe)[0]], study.experiment.llms):
            if llm == NONE and fitting != NONE:
                raise ConfigError(f"{word}: recipe {recipe} needs an LLM; use …/{recipe}/{fitting}/…")
            if llm != NONE and fitting == NONE:
                raise ConfigError(f"{word}: recipe {recipe} uses no LLM; use …/{recipe}/{NONE}/…")


def _experiments(folder: Path) -> list[Path]:
    return [*sorted(folder.glob("*.yaml")), *sorted((folder / "experiments").glob("*.yaml"))]


def _name(path: Path) -> str | None:
    """Return the name in an experiment's file, None if it has no name, and an empty string if it is not a mapping."""
    content = read_yaml(path)
    return content.get("name") if isinstance(content, dict) else ""
