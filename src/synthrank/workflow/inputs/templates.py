"""Paths of a rule as templates over the fields of the entities that its wildcards name."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synthrank.config.base import NONE, kind_named
from synthrank.config.study import Study
from synthrank.workflow.inputs.base import Row, Rows, Wildcards

FIELD = re.compile(r"\{(\w+(?:\.\w+)*)\}")
"""``{wildcard}``, or ``{wildcard.field}`` for a field of the entity that the wildcard names."""

_FIELD_OR_BRACE = re.compile(r"\{\{|\}\}|" + FIELD.pattern)
"""A field, or two braces, which are one brace of the path."""

KINDS = {"corpus": "corpora"}
"""The kind of entity that a wildcard names, if it is not the wildcard's plural."""

Bound = tuple[Any, str | None]
"""A value, and the kind of entity that it names if it names one."""


class Templates:
    """Makes input functions of a study's entities.

    In a template ``{wildcard}`` is the value of a wildcard and ``{wildcard.field}`` a field of the entity of this name.
    A field that names another entity leads on to it: ``{recipe.teacher.model}`` is the model of the recipe's teacher.
    ``{study.field}`` is a field of the study itself. A field that holds a list gives as many paths, in its order; a
    field that the entity lacks or that is null gives none, and so does any field of ``none``.
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def __call__(self, *templates: str | Path, given: str = "") -> Callable[[Wildcards], list[str]]:
        """Return an input function for paths such as ``results/models/{retriever.model}``.

        Args:
            templates: paths with ``{wildcard}`` and ``{wildcard.field}`` in them.
            given: a field such as ``ranker.selection``. If it is absent or null, the function returns no paths.

        Returns:
            A function of a job's wildcards, called by Snakemake. It returns the paths of the templates in order.
        """

        def paths(wildcards: Wildcards) -> list[str]:
            def value(name: str) -> Any:
                return getattr(wildcards, name)

            if given and not self._paths(f"{{{given}}}", value):
                return []
            return [path for template in templates for path in self._paths(str(template), value)]

        return paths

    def each(self, rows: Rows, *templates: str) -> Callable[[Wildcards], list[str]]:
        """Return an input function for paths over rows of names.

        Args:
            rows: takes a job's wildcards and returns mappings such as ``{"testset": "nfcorpus", "retriever": "bm25"}``.
            templates: paths over the names of a row, and over wildcards that the row does not have. A template with a
                name that neither has gives no path.

        Returns:
            A function of a job's wildcards, called by Snakemake. It returns the paths of all templates row by row.
        """

        def paths(wildcards: Wildcards) -> list[str]:
            return [
                path
                for row in rows(wildcards)
                for template in templates
                for path in self._paths(template, _value_of(row, wildcards))
            ]

        return paths

    def _paths(self, template: str, value: Callable[[str], Any]) -> list[str]:
        """Return a template with every combination of the values of its fields; fields of one list go together."""
        found: list[dict[str, Bound]] = [{}]
        known: set[str] = set()
        for match in _FIELD_OR_BRACE.finditer(template):
            parts = match[1].split(".") if match[1] else []
            for end in range(1, len(parts) + 1):
                dotted = ".".join(parts[:end])
                if dotted not in known:
                    known.add(dotted)
                    found = [row | {dotted: item} for row in found for item in self._values(row, parts[:end], value)]
        return [_FIELD_OR_BRACE.sub(lambda match, row=row: _fill(match, row), template) for row in found]  # type: ignore[misc]

    def _values(self, row: Mapping[str, Bound], parts: Sequence[str], value: Callable[[str], Any]) -> Iterator[Bound]:
        """Yield the values of a name, or of a field of an entity that the row has."""
        *owners, name = parts
        if not owners:
            found = self._study if name == "study" else value(name)
            if found is not None:
                yield found, None if name == "study" else KINDS.get(name, f"{name}s")
            return
        owner, kind = row[".".join(owners)]
        if owner == NONE:
            return
        if kind:
            owner = self._study.entities[kind][owner]
        for item in _listed(getattr(owner, name, None)):
            yield item, kind_named(type(owner), name)


def _fill(match: re.Match[str], row: Mapping[str, Bound]) -> str:
    """Return the value of a field, or the brace of two."""
    return str(row[match[1]][0]) if match[1] else match[0][0]


def _value_of(row: Row, wildcards: Wildcards) -> Callable[[str], Any]:
    return lambda name: row[name] if name in row else getattr(wildcards, name, None)


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)
