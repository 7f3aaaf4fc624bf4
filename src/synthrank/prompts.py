"""Prompt files: front matter, then the turns of a conversation in Jinja.

    ---
    task: passage
    inputs: [query]
    ---
    # system
    You write passages for a search collection.
    # user
    Question: {{ query }}

Turns that are said once for each item of a list name the item and the list in their heading; those that follow each
other with the same words are said together, item after item:

    # user for passage in passages
    [{{ passage.number }}] {{ passage.text }}
    # assistant for passage in passages
    Received passage [{{ passage.number }}].

Declared inputs must equal the placeholders, the lists of headings among them and the items not, and rendering refuses
an undefined one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from synthrank.errors import PromptError
from synthrank.prompt_heads import read_head
from synthrank.records import Message

ROLES = ("system", "user", "assistant")
_HEADING = re.compile(rf"^# ({'|'.join(ROLES)})(?: for ([a-z_]+) in ([a-z_]+))?[ \t]*$", re.MULTILINE)
_NEARLY_HEADING = re.compile(rf"^# ({'|'.join(ROLES)}) for .*$", re.MULTILINE)


class Turn(NamedTuple):
    """A turn of a prompt; ``item`` and ``items`` are empty where it is said once."""

    role: str
    item: str
    items: str
    template: Template


@dataclass(frozen=True)
class Prompt:
    """A prompt that was read and checked."""

    path: Path
    task: str
    inputs: frozenset[str]
    turns: tuple[Turn, ...]
    structured: bool = False

    def render(self, **values: object) -> tuple[Message, ...]:
        """Return the conversation with the placeholders filled.

        Raises:
            PromptError: a value is missing, unknown, or cannot be rendered.
        """
        if self.inputs != values.keys():
            raise PromptError(f"{self.path}: given {sorted(values)}, but the prompt's inputs are {sorted(self.inputs)}")
        try:
            return tuple(self._said(values))
        except TemplateError as error:
            raise PromptError(f"{self.path}: cannot be rendered ({error})") from error

    def _said(self, values: dict[str, Any]) -> Iterator[Message]:
        for (item, items), group in groupby(self.turns, key=lambda turn: (turn.item, turn.items)):
            turns = list(group)
            for scope in ({**values, item: value} for value in values[items]) if items else (values,):
                yield from (Message(turn.role, turn.template.render(scope).strip()) for turn in turns)


def read_prompt(path: Path) -> Prompt:
    """Read and check a prompt file.

    Raises:
        PromptError: no front matter, no turn, a turn that is no template, or inputs that differ from the placeholders.
    """
    head, body = read_head(path)
    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    turns = _turns(path, body)
    try:
        placeholders = {
            name
            for _, item, items, text in turns
            for name in (meta.find_undeclared_variables(environment.parse(text)) - {item}) | {items} - {""}
        }
        said = tuple(
            Turn(role, item, items, environment.from_string(text.strip())) for role, item, items, text in turns
        )
    except TemplateError as error:
        raise PromptError(f"{path}: line {getattr(error, 'lineno', '?')}: not a template ({error})") from error
    if placeholders != set(head.inputs):
        raise PromptError(f"{path}: inputs: declares {sorted(head.inputs)}, but the text uses {sorted(placeholders)}")
    if hidden := placeholders & {item for _, item, _, _ in turns}:
        raise PromptError(f"{path}: {min(hidden)!r} is an input and the item of a heading; give the item another name")
    return Prompt(path, head.task, frozenset(head.inputs), said, head.structured)


def _turns(path: Path, body: str) -> list[tuple[str, str, str, str]]:
    """Return (role, item, list, text) of each turn."""
    parts = _HEADING.split(body)
    if parts[0].strip() or len(parts) == 1:
        raise PromptError(f"{path}: text outside a turn; begin each turn with a line '# system' or '# user'")
    if wrong := _NEARLY_HEADING.search("\n".join(parts[4::4])):
        raise PromptError(f"{path}: {wrong[0]!r} is no heading; write '# {wrong[1]} for item in items', in lower case")
    headed = zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4], strict=True)
    return [(role, item or "", items or "", text) for role, item, items, text in headed]
