"""Read entity files as frozen models. Unknown keys are errors, and each error is one line with file, line and key."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from synthrank.config.yaml_files import find_line, parse_yaml
from synthrank.errors import ConfigError, closest, suggest
from synthrank.runtime.text_files import read_text

_NAME = r"^[a-z0-9]+([.-][a-z0-9]+)*$"
_SIZED_NAME = r"^[a-z0-9]+([.-][a-z0-9]+)*(@[1-9][0-9]*)?$"
_SHA256 = r"^[0-9a-f]{64}$"
ONE_LINE = r"^\S[^\n]*$"
URL = r"^https?://\S+$"

Name = Annotated[str, StringConstraints(pattern=_NAME)]
"""An entity's name: the stem of its file. It is one component of a path, in lower case, with hyphens or dots."""

NAMING = "use lower-case letters and digits, with single hyphens or dots between them"

NONE = "none"
"""The component of a path that has no recipe or no LLM. It is reserved: an entity cannot have this name."""

Sha256 = Annotated[str, StringConstraints(pattern=_SHA256)]
"""A SHA-256 as 64 hexadecimal digits."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Names:
    """Mark a key whose value is the name of an entity, or a list of names."""

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
RecipeName = Annotated[str, StringConstraints(pattern=_SIZED_NAME), Names("recipes")]
"""A recipe. ``NAME@N`` is the same recipe with N queries per paradigm."""
RankerName = Annotated[Name, Names("rankers")]
SuiteName = Annotated[Name, Names("suites")]
TestsetName = Annotated[Name, Names("testsets")]
PublishedName = Annotated[Name, Names("published")]


class Entity(BaseModel):
    """Base of every entity: immutable, and a misspelt key is an error."""

    # defer_build: pydantic builds a nested model with its parent, and separately only if it is validated separately.
    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), defer_build=True, allow_inf_nan=False
    )


def references(entity: Entity, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield (key, kind, name) for every name of another entity in this entity and its nested ones."""
    for key in type(entity).model_fields:
        value = getattr(entity, key)
        kind = kind_named(type(entity), key)
        nested = value.items() if isinstance(value, dict) else (("", item) for item in _each(value))
        for name, item in nested:
            if isinstance(item, Entity):
                yield from references(item, f"{prefix}{key}.{name}{'.' if name else ''}")
            elif kind and item is not None:
                yield prefix + key, kind, item


def kind_named(model: type, key: str) -> str | None:
    """Return the kind of entities that a key of a model names, or None."""
    field = getattr(model, "model_fields", {}).get(key)
    if field is None:
        return None
    # If a key may be null or is a list, its mark is inside the annotation.
    inner = (mark for part in get_args(field.annotation) for mark in getattr(part, "__metadata__", ()))
    return next((mark.kind for mark in (*field.metadata, *inner) if isinstance(mark, Names)), None)


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def read_yaml(path: Path) -> Any:
    """Return the value of a YAML file.

    Raises:
        ConfigError: the file is missing, is not UTF-8, or is not YAML, or a value has two readings. The message has the
            line.
    """
    return parse_yaml(read_text(path, ConfigError, "a YAML file"), str(path))


def load(kind: Any, path: Path) -> Any:
    """Read an entity file as ``kind``, a model or a discriminated union of models.

    Raises:
        ConfigError: the file is invalid. The message has one line per error.
    """
    return validate(kind, read_yaml(path), str(path))


def validate(kind: Any, value: Any, origin: str, *, strict: bool = True) -> Any:
    """Return ``value`` as ``kind``.

    Args:
        kind: a model or a discriminated union of models.
        value: the content of a file, of JSON's types.
        origin: the file, for messages. If it is a YAML file, messages also have the line.
        strict: whether to refuse true for 1 and the text "16" for 16; False for values that may have come as text.

    Raises:
        ConfigError: the value is invalid. The message has one line per error, unknown keys first.
    """
    try:
        return _adapter(kind).validate_json(json.dumps(value, default=str), strict=strict)
    except ValidationError as error:
        raise ConfigError("\n".join(_describe(error, kind, origin))) from None
    except (RecursionError, ValueError) as error:
        raise ConfigError(f"{origin}: a value contains itself or is nested too deeply; write it out") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the validator of a kind. To build it takes longer than to validate a file."""
    return TypeAdapter(kind)


def _describe(error: ValidationError, kind: Any, origin: str) -> list[str]:
    """Return one line per error: unknown keys, then the others in their order."""
    found = [(_locate(kind, (*item["loc"], *_tag_of(item))), item) for item in error.errors()]
    # A list with an invalid item is also reported as too short, and a union reports one error per option.
    above = {keys[:end] for (keys, _), _ in found for end in range(len(keys))}
    meant: set[tuple[int | str, ...]] = set()
    unknown: list[str] = []
    others: dict[Any, Any] = {}
    for (keys, _), item in found:
        if item["type"] == "extra_forbidden":
            siblings = _locate(kind, item["loc"][:-1])[1].get("properties", {})
            meant.add((*keys[:-1], closest(str(keys[-1]), siblings) or ""))
            place = f"{origin}{find_line(origin, keys)}"
            unknown.append(f"{place}: unknown key {_join(keys)!r}{suggest(str(keys[-1]), siblings)}")
    for (keys, node), item in found:
        if item["type"] != "extra_forbidden" and keys not in above | meant:
            others.setdefault(keys, f"{origin}{find_line(origin, keys)}: {_explain(keys, node, item)}")
    return [*unknown, *others.values()]


def _tag_of(item: Any) -> tuple[str, ...]:
    """Return the key that distinguishes the models of a union if it is missing or wrong."""
    return (item["ctx"]["discriminator"].strip("'"),) if item["type"].startswith("union_tag") else ()


def _join(keys: Sequence[int | str]) -> str:
    return ".".join(map(str, keys))


def _explain(keys: Sequence[int | str], node: dict[str, Any], item: Any) -> str:
    """Return what is wrong with a value and what would be right."""
    context, value, name = item.get("ctx", {}), item["input"], _join(keys) or "the file"
    match item["type"]:
        case "missing":
            return f"missing key {name!r}"
        case "union_tag_not_found":
            return f"missing key {name!r}; known values: {', '.join(node['discriminator']['mapping'])}"
        case "union_tag_invalid":
            return (
                f"{name}: unknown value {context['tag']!r}{suggest(context['tag'], node['discriminator']['mapping'])}"
            )
        case "literal_error" if isinstance(value, str):
            return f"{name}: unknown value {value!r}{suggest(value, map(str, node['enum']))}"
        case "too_short":
            return f"{name} needs at least {context['min_length']} {'item' if context['min_length'] == 1 else 'items'}"
        case "value_error":
            message = item["msg"].removeprefix("Value error, ")
            return f"{name}: {message}" if keys else message
        case "string_pattern_mismatch":
            right = _PATTERNS.get(context["pattern"], f"match {context['pattern']}")
            is_name = context["pattern"] in (_NAME, _SIZED_NAME)
            return f"{name}: invalid name {value!r}; {right}" if is_name else f"{name} must {right}; got {value!r}"
        case "tuple_type":
            example = "" if isinstance(value, dict) else f", e.g. [{value}]"
            return f"{name} must be a list{example}; got {value!r}"
    template = _MESSAGES.get(item["type"])
    right = template.format_map(context) if template else item["msg"][0].lower() + item["msg"][1:]
    return f"{name} {right}; got {value!r}"


_PATTERNS = {
    _NAME: NAMING,
    _SIZED_NAME: f"{NAMING}, and @N at the end for N queries",
    _SHA256: "be 64 hexadecimal digits in lower case",
    ONE_LINE: "be one line of text",
    URL: "be an address that starts with http:// or https://",
}
"""Descriptions of the patterns of names and texts."""

_MESSAGES = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "must be a mapping of keys to values"),
    "string_type": "must be text, in quotes if it looks like a number",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "finite_number": "must be a finite number",
}
"""Plain forms of pydantic's messages, by the type of the error."""


def _locate(kind: Any, location: Sequence[int | str]) -> tuple[tuple[int | str, ...], dict[str, Any]]:
    """Return the keys of an error's location, without the tags of unions, and the JSON Schema of what they lead to."""
    schema = _adapter(kind).json_schema()

    def resolve(node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        options = [option for option in node.get("anyOf", ()) if option.get("type") != "null"]
        return resolve(options[0]) if len(options) == 1 else node

    keys, node = [], resolve(schema)
    for part in location:
        union = node.get("discriminator", {})
        if tagged := union.get("mapping", {}).get(part):
            node = resolve({"$ref": tagged})
        elif part == union.get("propertyName"):
            keys.append(part)  # an error of the tag itself
        elif "anyOf" in node:
            options = [resolve(option) for option in node["anyOf"]]
            node = next((option for option in options if option.get("title") == part), {})
        elif part != "[key]":
            keys.append(part)
            of_names = next(iter(node.get("patternProperties", {}).values()), None) or node.get("additionalProperties")
            node = resolve(node.get("properties", {}).get(part) or node.get("items") or of_names or {})
    return tuple(keys), node
