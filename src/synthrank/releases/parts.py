"""What a release was made from, as its card says it: each ingredient's name and all that its entity file says."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from synthrank.releases.folder import TOLD_OF_LLMS, as_yaml
from synthrank.specs.base import load
from synthrank.specs.llms import LlmSpec
from synthrank.specs.models import ModelSpec
from synthrank.specs.recipes import RecipeSpec, Sized, base_and_size

SECTION = """\
{% for what, settings in parts.items() %}
{{ what }}:

```yaml
{{ settings }}
```

{% endfor %}
"""
"""The part of a card's template that shows the ingredients, given as ``parts``."""

NUMBERS = """\
{% macro numbers(of_what, rows) %}
| {{ of_what }} | |
|---|---|
{% for name, value in rows.items() %}
| {{ name | replace("_", " ") }} | {{ value }} |
{% endfor %}
{% endmacro %}
"""
"""A macro of a card's template: a table of names and numbers."""

Part = tuple[str, str]
"""What a card calls an ingredient, and its settings as YAML."""


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
