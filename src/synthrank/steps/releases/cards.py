"""The card of a release, which lists its ingredients, and the checksums of all its files."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined
from jinja2.filters import do_mark_safe as as_markdown

from synthrank.config.base import Entity, load
from synthrank.config.llms import LlmSpec
from synthrank.config.models import ModelSpec
from synthrank.config.recipes import RecipeSpec, Sized, base_and_size
from synthrank.data.files import atomic_text, sha256_of

_MARKDOWN = re.compile(r"[\\`*\[\]<>|&~$]|(?<![^\W_])_|_(?![^\W_])")
"""Characters with a meaning in Markdown. An underscore inside a word is text."""

CARD, CHECKSUMS = "README.md", "sha256.txt"

PUBLIC_LLM_KEYS = ("backend", "model", "dtype", "sampling", "thinking_budget")
"""The published keys of a language model; its server and the name of its API key stay private."""

_NOT_FOR_A_TABLE = ("by_query", "snapshots")
"""Counts per query, and names that a card lists elsewhere."""

CardPart = tuple[str, str]
"""The label of an ingredient on a card, and its settings as YAML."""


def write_card(folder: Path, template: Path, **values: Any) -> None:
    """Write the card of a release.

    Args:
        folder: the release.
        template: a Jinja template. Its filter ``numbers`` makes a table of names and numbers; ``ingredients`` makes the
            section of the release's ingredients; ``fenced`` makes a block of code. Markdown in all other values is
            escaped, because names of models and generators come from strangers; ``safe`` marks Markdown.
        values: the values of the template's variables.
    """
    environment = Environment(  # noqa: S701  # a card is Markdown
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, finalize=_as_text
    )
    environment.filters |= {"numbers": _numbers, "ingredients": _ingredients, "fenced": _fenced}
    with atomic_text(folder / CARD) as stream:
        stream.write(environment.from_string(template.read_text(encoding="utf-8")).render(values))


def _as_text(value: Any) -> Any:
    """Return a text on one line with its Markdown escaped, and any other value unchanged."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(value.split()) if "\n" in value or "\r" in value else value)


def _fenced(text: str, language: str = "", least: int = 3) -> str:
    """Return a block of code, whose fence is longer than any run of backticks in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(least, longest + 1)
    return as_markdown(f"{fence}{language}\n{text}\n{fence}")  # nothing ends the block


def _numbers(values: Mapping[str, Any], of_what: str) -> str:
    rows = (f"| {_as_text(name.replace('_', ' '))} | {_as_text(value)} |\n" for name, value in values.items())
    return as_markdown(f"| {of_what} | |\n|---|---|\n{''.join(rows)}")  # all cells are escaped


def _ingredients(parts: Mapping[str, str]) -> str:
    sections = (f"{what}:\n\n{_fenced(settings, 'yaml')}\n" for what, settings in parts.items())
    return as_markdown("\n".join(sections))  # settings are in blocks of code


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every file of a release in the format of ``sha256sum --check``; call this last."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with atomic_text(folder / CHECKSUMS) as stream:
        stream.writelines(f"{sha256_of(folder / name)}  {name}\n" for name in names)


def entity_yaml(entity: Entity, *keys: str) -> str:
    """Return an entity as YAML, defaults included and nulls left out: all keys, or only the given ones.

    The path of a local folder is left out: it is meaningless elsewhere, and may name the machine or its owner.
    """
    values = entity.model_dump(mode="json", exclude_none=True, include=set(keys) or None, exclude={"path"})
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110).strip()


def part(what: str, kind: Any, path: Path, *keys: str) -> CardPart:
    """Return one ingredient with all keys of its file, or only the given ones, defaults included."""
    return f"{what} `{path.stem}`", entity_yaml(load(kind, path), *keys)


def llm_parts(llm: Iterable[Path], weights: Iterable[Path]) -> Iterator[CardPart]:
    """Yield the language model of a release, if it has one, and its weights, if it runs in-process."""
    yield from (part("The language model", LlmSpec, path, *PUBLIC_LLM_KEYS) for path in llm)
    yield from (part("Its weights", ModelSpec, path) for path in weights)


def recipe_of(name: str, path: Path) -> RecipeSpec:
    """Return the recipe of an entity file; a name with ``@N`` sets the number of queries to N."""
    recipe: RecipeSpec = load(RecipeSpec, path)
    size = base_and_size(name)[1]
    return recipe.sized(size) if size and isinstance(recipe, Sized) else recipe


def figures(counts: Mapping[str, Any]) -> Iterator[tuple[str, int | float]]:
    """Yield (name, value) of every count of a step; the value of a list is its length.

    Args:
        counts: the content of its JSON file; numbers of a nested object are named ``outer: inner``.
    """
    for name, value in counts.items():
        if name in _NOT_FOR_A_TABLE:
            continue
        if isinstance(value, Mapping):
            yield from ((f"{name}: {inner}", number) for inner, number in figures(value))
        elif isinstance(value, float):
            yield name, round(value, 4)
        elif isinstance(value, int):
            yield name, value
        elif isinstance(value, list):
            yield name, len(value)
