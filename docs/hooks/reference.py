"""Write the reference pages of the site during the build: entity files, rules, modules.

The pages come from the JSON Schemas in ``config/schemas``, the rules' docstrings and the modules. They are not in the
repository, so they cannot be outdated.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = PROJECT / "src"
RULE = re.compile(r"^ *rule (\w+):\n\s+\"\"\"(.*?)\"\"\"", re.DOTALL | re.MULTILINE)
ORDER = ("experiment", "corpora", "testsets", "suites", "paradigms", "llms", "recipes", "rankers", "models")
"""Kinds that come first; the others follow by name."""

Schema = dict[str, Any]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference pages to those of the folder."""
    for name, text in make_pages().items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    return files


def make_pages() -> dict[str, str]:
    """Return the text of every page by its path under ``reference/``."""
    found = {"index.md": _make_index(), "rules.md": _make_rule_page()}
    found |= {f"config/{path.stem}.md": _make_kind_page(path) for path in (PROJECT / "config/schemas").glob("*.json")}
    return found | {f"modules/{name}.md": text for name, text in _make_module_pages()}


def _make_index() -> str:
    kinds = sorted((path.stem for path in (PROJECT / "config/schemas").glob("*.json")), key=_get_sort_key)
    lines = [
        "# Reference",
        "",
        "Generated from the project's files during the build: the meaning of every key of an entity file, the rules "
        "the workflow has, what each module holds.",
        "",
        "| folder | what a file of it is |",
        "|---|---|",
        *(f"| [{_name_folder(kind)}](config/{kind}.md) | {_describe_kind(kind)} |" for kind in kinds),
        "",
        "[Rules](rules.md) lists the steps of the workflow by stage. Modules, by package:",
        "",
        *(f"- [{name}](modules/{name}.md)" for name, _ in _make_module_pages()),
    ]
    return "\n".join(lines) + "\n"


def _get_sort_key(kind: str) -> tuple[int, str]:
    return (ORDER.index(kind) if kind in ORDER else len(ORDER)), kind


def _name_folder(kind: str) -> str:
    return "config/config.yaml" if kind == "experiment" else f"config/{kind}/"


def _describe_kind(kind: str) -> str:
    """Return the first sentence of a kind's model, or the names of its variants."""
    schema = json.loads((PROJECT / f"config/schemas/{kind}.json").read_text(encoding="utf-8"))
    if "description" in schema:
        return _join_lines(schema["description"].split("\n\n")[0])
    return "by `" + schema["discriminator"]["propertyName"] + "`: " + ", ".join(schema["discriminator"]["mapping"])


# Entity files


def _make_kind_page(path: Path) -> str:
    """Return the page of a kind: one table for each variant, then one for each section within it."""
    schema: Schema = json.loads(path.read_text(encoding="utf-8"))
    parts = schema.get("$defs", {})
    kind = path.stem
    where = "`config/config.yaml` and its siblings" if kind == "experiment" else f"`config/{kind}/NAME.yaml`"
    lines = [
        f"# {_name_folder(kind).rstrip('/')}",
        "",
        f"Keys of {where}. A key that is not listed is an error.",
        "",
    ]
    mapping = schema.get("discriminator", {}).get("mapping", {})
    variants = {value: reference.rsplit("/", 1)[1] for value, reference in mapping.items()}
    for value, name in variants.items():
        key = schema["discriminator"]["propertyName"]
        lines += _make_table(f"`{key}: {value}`", name, parts[name], parts)
    if not variants:
        lines += _make_table("Keys", schema.get("title", kind), schema, parts)
    for name, part in parts.items():
        if name not in variants.values():
            lines += _make_table(name, name, part, parts)
    return "\n".join(lines)


def _make_table(heading: str, name: str, part: Schema, parts: dict[str, Schema]) -> list[str]:
    lines = [f"## {heading} {{ #{name.lower()} }}", "", *part.get("description", "").splitlines(), ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, value in part.get("properties", {}).items():
        default = "**required**" if key in part.get("required", []) else _format_default(value)
        meaning = _join_lines(value.get("description", ""))
        lines.append(f"| `{key}` | {_format_type(value, parts)} | {default} | {meaning} |")
    return [*lines, ""]


def _format_default(value: Schema) -> str:
    if "default" not in value:
        return ""
    text = json.dumps(value["default"], ensure_ascii=False)
    return "its own defaults" if text.startswith("{") and text != "{}" else f"`{text}`"


def _format_type(value: Schema, parts: dict[str, Schema]) -> str:
    """Return a type in words; a section is a link to its table."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})" if "properties" in parts.get(name, {}) else _format_type(parts[name], parts)
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{item}`" for item in value["enum"])
    options = value.get("anyOf") or value.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_format_type(item, parts) for item in options))
    if value.get("type") == "array":
        return f"list of {_format_type(value.get('items', {}), parts)}"
    if value.get("type") == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"by name: {_format_type(value['additionalProperties'], parts)}"
    words = {"integer": "whole number", "boolean": "true or false", "string": "text", "null": "null"}
    return words.get(value.get("type", ""), value.get("type", "any")) + _format_bounds(value)


def _format_bounds(value: Schema) -> str:
    if value.get("format") == "date":
        return " (a date)"
    low = [f"{sign} {value[key]:g}" for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">")) if key in value]
    high = [f"{sign} {value[key]:g}" for key, sign in (("maximum", "≤"), ("exclusiveMaximum", "<")) if key in value]
    return f" {', '.join([*low, *high])}" if low or high else ""


def _join_lines(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# Rules


def _make_rule_page() -> str:
    lines = [
        "# Rules",
        "",
        "Each rule runs the function of its name: `RULE` of `synthrank.steps.STAGE.RULE`, by `scripts/step.py`.",
    ]
    for path in sorted((PROJECT / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        found = RULE.findall(text)
        if not found:
            continue
        title = text.split('"""')[1].splitlines()[0].removeprefix("Stage ")
        lines += ["", f"## {title.rstrip('.')}", "", "| rule | what it does |", "|---|---|"]
        lines += [f"| `{name}` | {_join_lines(told)} |" for name, told in found]
    return "\n".join(lines) + "\n"


# Modules


def _make_module_pages() -> Iterator[tuple[str, str]]:
    """Yield a page for each package, packages within packages included."""
    for package in sorted((SOURCES / "synthrank").rglob("__init__.py")):
        name = _name_module(package)
        modules = (f"::: {_name_module(path)}\n" for path in sorted(package.parent.glob("*.py")))
        yield name, "\n".join([f"# {name}\n", *modules])


def _name_module(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
