"""The head of a prompt file: how the reply is read, and what the text is given.

It is read by itself while the configuration is checked; :mod:`synthrank.prompts` reads the whole file.
"""

import re
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from synthrank.errors import ConfigError, PromptError
from synthrank.specs.base import Entity, validate


class FrontMatter(Entity):
    """The head of a prompt file."""

    task: Literal[
        "passage", "listwise", "setwise", "pairwise", "pointwise", "query-likelihood", "queries", "graded"
    ] = Field(description="How the reply is read.")
    inputs: tuple[str, ...] = Field(description="The placeholders of the text.")
    structured: bool = Field(
        default=False, description="Ask the provider to keep the reply to the task's JSON Schema, where it can."
    )


def read_head(path: Path) -> tuple[FrontMatter, str]:
    """Return the head of a prompt file and the text below it.

    Raises:
        PromptError: the file cannot be read, or has no head, or its head is not what it must be.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: cannot be read ({error}); expected a UTF-8 prompt file") from error
    parts = re.split(r"^---[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"{path}: no front matter; begin the file with --- task and inputs ---")
    try:
        return validate(FrontMatter, yaml.safe_load(parts[1]), str(path)), parts[2]
    except (yaml.YAMLError, ConfigError) as error:
        raise PromptError(str(error) if isinstance(error, ConfigError) else f"{path}: {error}") from error
