"""What every release holds beside its data: a card, which says what it was made from, and checksums of all files."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from synthrank.files import atomic_text, sha256_of
from synthrank.specs.base import Entity, load
from synthrank.specs.llms import LlmSpec
from synthrank.specs.models import ModelSpec
from synthrank.specs.recipes import RecipeSpec, Sized, base_and_size

CARD, CHECKSUMS = "README.md", "sha256.txt"

TOLD_OF_LLMS = ("backend", "model", "dtype", "sampling", "thinking_budget")
"""What others must know of a language model; where it is served, and by whose key, is not for them."""

_NOT_FOR_A_TABLE = ("by_query", "snapshots")
"""What counts say query by query, and names that a card gives elsewhere."""

Part = tuple[str, str]
"""What a card calls an ingredient, and its settings as YAML."""


def write_card(folder: Path, template: Path, **values: Any) -> None:
    """Write the card of a release.

    Args:
        folder: the release.
        template: a template of Jinja, in which ``numbers`` makes a table of names and numbers, and ``ingredients`` the
            section on what the release was made from.
        values: what it names.
    """
    environment = Environment(  # noqa: S701  # a card is Markdown
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {"numbers": _numbers, "ingredients": _ingredients}
    with atomic_text(folder / CARD) as stream:
        stream.write(environment.from_string(template.read_text(encoding="utf-8")).render(values))


def _numbers(values: Mapping[str, Any], of_what: str) -> str:
    rows = (f"| {name.replace('_', ' ')} | {value} |\n" for name, value in values.items())
    return f"| {of_what} | |\n|---|---|\n{''.join(rows)}"


def _ingredients(parts: Mapping[str, str]) -> str:
    return "\n".join(f"{what}:\n\n```yaml\n{settings}\n```\n" for what, settings in parts.items())


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every file of a release as ``sha256sum --check`` reads it; called last."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with atomic_text(folder / CHECKSUMS) as stream:
        stream.writelines(f"{sha256_of(folder / name)}  {name}\n" for name in names)


def as_yaml(entity: Entity, *keys: str) -> str:
    """Return an entity as YAML, keys left at their defaults included: all of it but nulls, or these keys alone.

    The path of a local folder is left out: it says nothing to others, and may name the machine or its owner.
    """
    values = entity.model_dump(mode="json", exclude_none=True, include=set(keys) or None, exclude={"path"})
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110).strip()


def part(what: str, kind: Any, path: Path, *keys: str) -> Part:
    """Return one ingredient, all keys of its file or these alone, defaults included."""
    return f"{what} `{path.stem}`", as_yaml(load(kind, path), *keys)


def llm_parts(llm: Iterable[Path], weights: Iterable[Path]) -> Iterator[Part]:
    """Yield the language model of a release, where it has one, and the weights of one that runs in-process."""
    yield from (part("The language model", LlmSpec, path, *TOLD_OF_LLMS) for path in llm)
    yield from (part("Its weights", ModelSpec, path) for path in weights)


def recipe_of(name: str, path: Path) -> RecipeSpec:
    """Return a recipe out of its entity file; one named with ``@N`` with its number of queries."""
    recipe: RecipeSpec = load(RecipeSpec, path)
    size = base_and_size(name)[1]
    return recipe.sized(size) if size and isinstance(recipe, Sized) else recipe


def figures(counts: Mapping[str, Any]) -> Iterator[tuple[str, int | float]]:
    """Yield (name, value) of every number that a step counted; a list counts as its length.

    Args:
        counts: the object of its JSON file; numbers of a nested object are named ``outer: inner``.
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
