"""Write the reference pages of the site as it is built: entity files, rules, modules.

They are made of the JSON Schemas of ``config/schemas``, of the rules' docstrings and of the modules themselves, and
never lie in the repository, so none can be out of step.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = PROJECT / "src"
RULE = re.compile(r"^(?:use )?rule (?:\w+ as )?(\w+)(?: with)?:\n((?:(?:    .*)?\n)*)", re.MULTILINE)
ORDER = ("experiment", "corpora", "testsets", "suites", "paradigms", "llms", "recipes", "rankers", "models")
"""Kinds that come first; the others follow by name."""

Schema = dict[str, Any]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference pages to those of the folder."""
    for name, text in pages().items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    return files


def pages() -> dict[str, str]:
    """Return the text of every page by its path under ``reference/``."""
    found = {"index.md": _index(), "rules.md": _rules()}
    found |= {f"config/{path.stem}.md": _kind(path) for path in (PROJECT / "config/schemas").glob("*.json")}
    return found | {f"modules/{name}.md": text for name, text in _modules()}


def _index() -> str:
    kinds = sorted((path.stem for path in (PROJECT / "config/schemas").glob("*.json")), key=_place)
    lines = [
        "# Reference",
        "",
        "Made from the project's own files as the site is built: what every key of an entity file means, which rules "
        "the workflow has, what each module holds.",
        "",
        "| folder | what a file of it is |",
        "|---|---|",
        *(f"| [{_folder(kind)}](config/{kind}.md) | {_told(kind)} |" for kind in kinds),
        "",
        "[Rules](rules.md) lists the steps of the workflow by stage. Modules, by package:",
        "",
        *(f"- [{name}](modules/{name}.md)" for name, _ in _modules()),
    ]
    return "\n".join(lines) + "\n"


def _place(kind: str) -> tuple[int, str]:
    return (ORDER.index(kind) if kind in ORDER else len(ORDER)), kind


def _folder(kind: str) -> str:
    return "config/config.yaml" if kind == "experiment" else f"config/{kind}/"


def _told(kind: str) -> str:
    """Return the first sentence of a kind's model, or the names of its variants."""
    schema = json.loads((PROJECT / f"config/schemas/{kind}.json").read_text(encoding="utf-8"))
    if "description" in schema:
        return _one_line(schema["description"].split("\n\n")[0])
    return "by `" + schema["discriminator"]["propertyName"] + "`: " + ", ".join(schema["discriminator"]["mapping"])


# Entity files


def _kind(path: Path) -> str:
    """Return the page of a kind: one table for each variant, then one for each section within it."""
    schema: Schema = json.loads(path.read_text(encoding="utf-8"))
    parts = schema.get("$defs", {})
    kind = path.stem
    where = "`config/config.yaml` and its siblings" if kind == "experiment" else f"`config/{kind}/NAME.yaml`"
    lines = [f"# {_folder(kind).rstrip('/')}", "", f"What {where} may say. A key that is not listed is an error.", ""]
    mapping = schema.get("discriminator", {}).get("mapping", {})
    variants = {value: reference.rsplit("/", 1)[1] for value, reference in mapping.items()}
    for value, name in variants.items():
        key = schema["discriminator"]["propertyName"]
        lines += _table(f"`{key}: {value}`", name, parts[name], parts)
    if not variants:
        lines += _table("Keys", schema.get("title", kind), schema, parts)
    for name, part in parts.items():
        if name not in variants.values():
            lines += _table(name, name, part, parts)
    return "\n".join(lines)


def _table(heading: str, name: str, part: Schema, parts: dict[str, Schema]) -> list[str]:
    lines = [f"## {heading} {{ #{name.lower()} }}", "", *part.get("description", "").splitlines(), ""]
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key, value in part.get("properties", {}).items():
        default = "**required**" if key in part.get("required", []) else _default(value)
        meaning = _one_line(value.get("description", ""))
        lines.append(f"| `{key}` | {_type(value, parts)} | {default} | {meaning} |")
    return [*lines, ""]


def _default(value: Schema) -> str:
    if "default" not in value:
        return ""
    text = json.dumps(value["default"], ensure_ascii=False)
    return "its own defaults" if text.startswith("{") and text != "{}" else f"`{text}`"


def _type(value: Schema, parts: dict[str, Schema]) -> str:
    """Return a type in words; a section is a link to its table."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})" if "properties" in parts.get(name, {}) else _type(parts[name], parts)
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return " or ".join(f"`{item}`" for item in value["enum"])
    options = value.get("anyOf") or value.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_type(item, parts) for item in options))
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}), parts)}"
    if value.get("type") == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"by name: {_type(value['additionalProperties'], parts)}"
    words = {"integer": "whole number", "boolean": "true or false", "string": "text", "null": "null"}
    return words.get(value.get("type", ""), value.get("type", "any")) + _bounds(value)


def _bounds(value: Schema) -> str:
    if value.get("format") == "date":
        return " (a date)"
    low = [f"{sign} {value[key]:g}" for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">")) if key in value]
    high = [f"{sign} {value[key]:g}" for key, sign in (("maximum", "≤"), ("exclusiveMaximum", "<")) if key in value]
    return f" {', '.join([*low, *high])}" if low or high else ""


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# Rules


def _rules() -> str:
    lines = [
        "# Rules",
        "",
        "Each rule runs `scripts/RULE.py`, which runs the function `RULE` of `synthrank.STAGE.RULE`.",
    ]
    for path in sorted((PROJECT / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        told_of = re.compile(r'^    """(.*?)"""', re.DOTALL | re.MULTILINE)
        found = [(name, told_of.search(body)) for name, body in RULE.findall(text)]
        if not found:
            continue
        title = text.split('"""')[1].splitlines()[0].removeprefix("Stage ")
        lines += ["", f"## {title.rstrip('.')}", "", "| rule | what it does |", "|---|---|"]
        lines += [f"| `{name}` | {_one_line(told[1]) if told else ''} |" for name, told in found]
    return "\n".join(lines) + "\n"


# Modules


def _modules() -> Iterator[tuple[str, str]]:
    """Yield a page for each package, and one for the modules that are in none."""
    top = SOURCES / "synthrank"
    yield "synthrank", _module_page("synthrank", sorted(path for path in top.glob("*.py") if path.stem != "__init__"))
    for folder in sorted(path.parent for path in top.glob("*/__init__.py")):
        yield folder.name, _module_page(f"synthrank.{folder.name}", sorted(folder.glob("*.py")))


def _module_page(title: str, paths: list[Path]) -> str:
    lines = [f"# {title}", ""]
    for path in paths:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) and path.stem != "__main__":
            lines += [f"::: {_dotted(path)}", ""]
    return "\n".join(lines) + "\n"


def _dotted(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
