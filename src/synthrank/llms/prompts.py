"""Prompt files: front matter, then the turns of a conversation in Jinja.

    ---
    task: passage
    inputs: [query]
    ---
    # system
    You write passages for a search collection.
    # user
    Question: {{ query }}

A heading may name an item and a list: its turn is repeated for each item. Consecutive turns with the same item and list
are repeated together:

    # user for passage in passages
    [{{ passage.number }}] {{ passage.text }}
    # assistant for passage in passages
    Received passage [{{ passage.number }}].

The declared inputs must equal the placeholders, including the lists in headings and without the items. Rendering
refuses an undefined placeholder.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import SandboxedEnvironment

from synthrank.config.prompt_heads import read_head
from synthrank.data.records import Message
from synthrank.errors import PromptError

ROLES = ("system", "user", "assistant")
_HEADING = re.compile(rf"^# ({'|'.join(ROLES)})(?: for ([a-z_]+) in ([a-z_]+))?[ \t]*$", re.MULTILINE)
_NEARLY_HEADING = re.compile(rf"^# ({'|'.join(ROLES)}) for .*$", re.MULTILINE)


class Turn(NamedTuple):
    """A turn of a prompt; ``item`` and ``items`` are empty if it is not repeated."""

    role: str
    item: str
    items: str
    template: Template


@dataclass(frozen=True)
class Prompt:
    """A checked prompt."""

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
            return tuple(self._rendered(values))
        except TemplateError as error:
            raise PromptError(f"{self.path}: cannot be rendered ({error})") from error

    def _rendered(self, values: dict[str, Any]) -> Iterator[Message]:
        for (item, items), group in groupby(self.turns, key=lambda turn: (turn.item, turn.items)):
            turns = list(group)
            for scope in ({**values, item: value} for value in values[items]) if items else (values,):
                yield from (Message(turn.role, turn.template.render(scope).strip()) for turn in turns)


def read_prompt(path: Path) -> Prompt:
    """Read and check a prompt file.

    Raises:
        PromptError: the file has no front matter or no turn, a turn is not a valid template, or the inputs differ from
            the placeholders.
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
        compiled = tuple(
            Turn(role, item, items, environment.from_string(text.strip())) for role, item, items, text in turns
        )
    except TemplateError as error:
        raise PromptError(f"{path}:{getattr(error, 'lineno', 1)}: not a template ({error})") from error
    except (RecursionError, SyntaxError, ValueError) as error:  # Jinja's reader and Python's compiler have limits
        raise PromptError(f"{path}: not a template (an expression is too long or nested too deeply)") from error
    if placeholders != set(head.inputs):
        raise PromptError(f"{path}: inputs are {sorted(head.inputs)}, but the text uses {sorted(placeholders)}")
    if hidden := placeholders & {item for _, item, _, _ in turns}:
        raise PromptError(f"{path}: {min(hidden)!r} is an input and the item of a heading; rename the item")
    return Prompt(path, head.task, frozenset(head.inputs), compiled, head.structured)


def _turns(path: Path, body: str) -> list[tuple[str, str, str, str]]:
    """Return (role, item, list, text) of each turn, the text after as many empty lines as the file has before it."""
    found = [*_HEADING.finditer(body)]
    if not found or body[: found[0].start()].strip():
        raise PromptError(f"{path}: text outside a turn; start each turn with a line '# system' or '# user'")
    if wrong := _NEARLY_HEADING.search(_HEADING.sub("", body)):
        raise PromptError(f"{path}: invalid heading {wrong[0]!r}; write '# {wrong[1]} for item in items' in lower case")
    ends = [*(heading.start() for heading in found[1:]), len(body)]
    return [
        (
            heading[1],
            heading[2] or "",
            heading[3] or "",
            "\n" * body.count("\n", 0, heading.end()) + body[heading.end() : end],
        )
        for heading, end in zip(found, ends, strict=True)
    ]
