"""What every release holds beside its data: a card, and checksums of all files."""

from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from synthrank.files import atomic_text, sha256_of
from synthrank.specs.base import Entity

CARD, CHECKSUMS = "README.md", "sha256.txt"

TOLD_OF_LLMS = ("backend", "model", "dtype", "sampling", "thinking_budget")
"""What others must know of a language model; where it is served, and by whose key, is not for them."""


def write_card(folder: Path, template: str, **values: Any) -> None:
    """Write the card of a release out of a template in Jinja."""
    environment = Environment(  # noqa: S701  # a card is Markdown
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    with atomic_text(folder / CARD) as stream:
        stream.write(environment.from_string(template).render(values))


def write_checksums(folder: Path) -> None:
    """Write the SHA-256 of every file of a release as ``sha256sum --check`` reads it; called last."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with atomic_text(folder / CHECKSUMS) as stream:
        stream.writelines(f"{sha256_of(folder / name)}  {name}\n" for name in names)


def as_yaml(entity: Entity, *keys: str) -> str:
    """Return an entity as YAML, keys left at their defaults included: all of it but nulls, or these keys alone.

    A path of a folder of one's own is left out: it says nothing to others, and may say whose machine it was.
    """
    said = entity.model_dump(mode="json", exclude_none=True, include=set(keys) or None, exclude={"path"})
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=110).strip()
