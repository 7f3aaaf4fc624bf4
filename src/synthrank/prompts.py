"""Prompt files: front matter, then the turns of a conversation in Jinja.

    ---
    task: passage
    inputs: [query]
    ---
    # system
    You write passages for a search collection.
    # user
    Question: {{ query }}

Declared inputs must equal the placeholders, and rendering refuses an undefined one.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment
from pydantic import Field

from synthrank.errors import ConfigError, PromptError
from synthrank.records import Message
from synthrank.specs.base import Entity, validate

ROLES = ("system", "user", "assistant")
_HEADING = re.compile(rf"^# ({'|'.join(ROLES)})[ \t]*$", re.MULTILINE)


class FrontMatter(Entity):
    """The head of a prompt file."""

    task: Literal["passage"] = Field(description="How the reply is read.")
    inputs: tuple[str, ...] = Field(description="The placeholders of the text.")
    structured: bool = Field(
        default=False, description="Ask the provider to keep the reply to the task's JSON Schema, where it can."
    )


@dataclass(frozen=True)
class Prompt:
    """A prompt that was read and checked."""

    path: Path
    task: str
    inputs: frozenset[str]
    turns: tuple[tuple[str, Template], ...]
    structured: bool = False

    def render(self, **values: object) -> tuple[Message, ...]:
        """Return the conversation with the placeholders filled.

        Raises:
            PromptError: a value is missing, unknown, or cannot be rendered.
        """
        if self.inputs != values.keys():
            raise PromptError(f"{self.path}: given {sorted(values)}, but the prompt's inputs are {sorted(self.inputs)}")
        try:
            return tuple(Message(role, template.render(values).strip()) for role, template in self.turns)
        except TemplateError as error:
            raise PromptError(f"{self.path}: cannot be rendered ({error})") from error


def read_prompt(path: Path) -> Prompt:
    """Read and check a prompt file.

    Raises:
        PromptError: no front matter, no turn, a turn that is no template, or inputs that differ from the placeholders.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{path}: cannot be read ({error}); expected a UTF-8 prompt file") from error
    head, body = _split(path, text)
    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    parts = _HEADING.split(body)
    if parts[0].strip() or len(parts) == 1:
        raise PromptError(f"{path}: text outside a turn; begin each turn with a line '# system' or '# user'")
    turns = list(zip(parts[1::2], parts[2::2], strict=True))
    try:
        placeholders = {name for _, turn in turns for name in meta.find_undeclared_variables(environment.parse(turn))}
        templates = tuple((role, environment.from_string(turn.strip())) for role, turn in turns)
    except TemplateError as error:
        raise PromptError(f"{path}: line {getattr(error, 'lineno', '?')}: not a template ({error})") from error
    if placeholders != set(head.inputs):
        raise PromptError(f"{path}: inputs: declares {sorted(head.inputs)}, but the text uses {sorted(placeholders)}")
    return Prompt(path, head.task, frozenset(head.inputs), templates, head.structured)


def _split(path: Path, text: str) -> tuple[FrontMatter, str]:
    parts = re.split(r"^---[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise PromptError(f"{path}: no front matter; begin the file with --- task and inputs ---")
    try:
        return validate(FrontMatter, yaml.safe_load(parts[1]), str(path)), parts[2]
    except (yaml.YAMLError, ConfigError) as error:
        raise PromptError(str(error) if isinstance(error, ConfigError) else f"{path}: {error}") from error
