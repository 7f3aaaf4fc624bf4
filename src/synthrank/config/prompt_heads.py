"""The head of a prompt file, with the format of the reply and the inputs of the text.

The check of the configuration reads only the head. :mod:`synthrank.llms.prompts` reads the whole file.
"""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from synthrank.config.base import Entity, validate
from synthrank.config.yaml_files import parse_yaml
from synthrank.errors import ConfigError, PromptError
from synthrank.runtime.text_files import read_text


class FrontMatter(Entity):
    """The head of a prompt file."""

    task: Literal[
        "passage", "listwise", "setwise", "pairwise", "pointwise", "query-likelihood", "queries", "graded"
    ] = Field(description="The task, which defines the format of the reply.")
    inputs: tuple[str, ...] = Field(description="The placeholders of the text.")
    structured: bool = Field(
        default=False, description="Request a reply that matches the task's JSON Schema, if the provider supports it."
    )


def read_head(path: Path) -> tuple[FrontMatter, str]:
    """Return the head of a prompt file and the text below it, after as many empty lines as the head has.

    So lines of the text have the numbers of the file.

    Raises:
        PromptError: the file cannot be read, or its head is missing or invalid.
    """
    text = read_text(path, PromptError, "a prompt file")
    parts = re.split(r"^---[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"{path}: no front matter; start the file with a block --- task: … inputs: … ---")
    try:
        head = parse_yaml(parts[1], str(path), first=parts[0].count("\n") + 1)
        return validate(FrontMatter, head, str(path)), "\n" * (text.count("\n") - parts[2].count("\n")) + parts[2]
    except ConfigError as error:
        raise PromptError(str(error)) from error
