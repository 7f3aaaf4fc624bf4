"""How an entity file is read: frozen models, unknown keys forbidden, errors of one line."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from synthrank.errors import ConfigError

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
"""An entity's name: its file's stem, lower-case kebab with dots for versions, so that it fills one path component."""

NONE = "none"
"""The name that fills a path component where no recipe or no LLM was involved; no entity may have it."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 as 64 hexadecimal digits."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Names:
    """Marks a key whose value is the name, or the names, of entities of a kind."""

    kind: str


ModelName = Annotated[Name, Names("models")]
CorpusName = Annotated[Name, Names("corpora")]
PromptName = Annotated[Name, Names("prompts")]
ParadigmName = Annotated[Name, Names("paradigms")]
AugmentationName = Annotated[Name, Names("augmentations")]
LlmName = Annotated[Name, Names("llms")]
PoolName = Annotated[Name, Names("pools")]
RankingName = Annotated[Name, Names("rankings")]
RetrieverName = Annotated[Name, Names("retrievers")]
RecipeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*(@[1-9][0-9]*)?$"), Names("recipes")]
"""A recipe, or with ``@N`` the same recipe with N queries of each paradigm."""
RankerName = Annotated[Name, Names("rankers")]
SuiteName = Annotated[Name, Names("suites")]
TestsetName = Annotated[Name, Names("testsets")]
PublishedName = Annotated[Name, Names("published")]


class Entity(BaseModel):
    """Base of every entity: immutable, and a misspelt key is an error."""

    # A model within another is built with it: by itself only where it is validated by itself.
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), defer_build=True)


def references(entity: Entity, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (key, kind, name) for every name of another entity that this one uses, nested ones included."""
    for key, field in type(entity).model_fields.items():
        value = getattr(entity, key)
        # The mark of a key that may be null, or of a list's items, stands inside the annotation.
        inner = (mark for part in get_args(field.annotation) for mark in getattr(part, "__metadata__", ()))
        kinds = [mark.kind for mark in (*field.metadata, *inner) if isinstance(mark, Names)]
        nested = value.items() if isinstance(value, dict) else (("", item) for item in _each(value))
        for name, item in nested:
            if isinstance(item, Entity):
                yield from references(item, f"{prefix}{key}.{name}{'.' if name else ''}")
            elif item is not None:
                yield from ((prefix + key, kind, item) for kind in kinds)


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class _Loader(yaml.CSafeLoader):
    """YAML that refuses a key given twice, which plain YAML silently lets win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", node.value[place][0].start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Return the value of a YAML file.

    Raises:
        ConfigError: the file is absent, is not UTF-8, or is not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)  # noqa: S506  # a CSafeLoader
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); expected a YAML file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{place}: not YAML ({getattr(error, 'problem', error)})") from error


def load(kind: Any, path: Path) -> Any:
    """Read one entity file as ``kind``, a model or a union of models told apart by a key.

    Raises:
        ConfigError: one line with the file, the key, the value and what would be right.
    """
    return validate(kind, read_yaml(path), str(path))


def validate(kind: Any, value: Any, origin: str) -> Any:
    """Return ``value`` as ``kind``; ``origin`` names its file in the error."""
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        raise ConfigError(_one_line(error, origin, kind)) from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what validates a kind: to build it takes longer than to validate a file."""
    return TypeAdapter(kind)


def _one_line(error: ValidationError, origin: str, kind: Any) -> str:
    """Return the first problem as ``file: key: what is wrong; what would be right``."""
    first = error.errors()[0]
    tags = TypeAdapter(kind).json_schema().get("discriminator", {}).get("mapping", {})
    key = ".".join(str(part) for place, part in enumerate(first["loc"]) if place or part not in tags)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return f"{origin}: {key}: unknown key; known keys here: {', '.join(_siblings(kind, first['loc']))}{more}"
    if first["type"] == "missing":
        return f"{origin}: {key}: is missing; it must be stated{more}"
    if first["type"] == "union_tag_not_found":
        known = _node(kind, first["loc"])["discriminator"]["mapping"]
        return f"{origin}: {_tag_key(key, first)}: is missing; known values: {', '.join(known)}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "union_tag_invalid":
        context = first["ctx"]
        message = f"known values: {context['expected_tags']}"
        return f"{origin}: {_tag_key(key, first)}: got {context['tag']!r}; {message}{more}"
    return f"{origin}: {key or 'file'}: got {first['input']!r}; {message[0].lower() + message[1:]}{more}"


def _tag_key(key: str, error: Any) -> str:
    """Return the key that tells which of several models is meant, after the key of what it stands in."""
    return ".".join(filter(None, [key, error["ctx"]["discriminator"].strip("'")]))


def _siblings(kind: Any, location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that are allowed where the last part of ``location`` stands."""
    return sorted(_node(kind, location[:-1]).get("properties", {}))


def _node(kind: Any, location: tuple[int | str, ...]) -> dict[str, Any]:
    """Return the JSON Schema of what stands at a location."""
    schema = TypeAdapter(kind).json_schema()
    definitions = schema.get("$defs", {})

    def resolve(node: dict[str, Any]) -> dict[str, Any]:
        return resolve(definitions[node["$ref"].rsplit("/", 1)[1]]) if "$ref" in node else node

    node = resolve(schema)
    for part in location:
        tag = node.get("discriminator", {}).get("mapping", {}).get(str(part))
        if tag:
            node = resolve({"$ref": tag})
        elif "properties" in node and part in node["properties"]:
            node = resolve(node["properties"][str(part)])
        elif "items" in node:
            node = resolve(node["items"])
        if "anyOf" in node:
            node = resolve(next(option for option in node["anyOf"] if option.get("type") != "null"))
    return node
