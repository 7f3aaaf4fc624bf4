"""Imports of the steps of a stage, direct and through the package, inside functions too."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
STAGES = sorted(path.stem for path in (ROOT / "rules").glob("*.smk") if path.stem not in ("common", "root", "running"))


def steps_of(stage: str) -> list[str]:
    """Return the dotted names of a stage's steps."""
    rules = re.findall(r"^ *rule (\w+):", (ROOT / f"rules/{stage}.smk").read_text(encoding="utf-8"), re.MULTILINE)
    return [f"synthrank.steps.{stage}.{name}" for name in sorted(rules)]


@cache
def imported_by(stage: str) -> frozenset[str]:
    """Return every module that a stage's steps import, including the standard library."""
    found = {name for path, inside in _files_behind(stage) for name, _ in _imports(path, inside)}
    return frozenset(name for name in found if not name.startswith("synthrank.") or _file(name))


@cache
def looked_for_by(stage: str) -> frozenset[str]:
    """Return every module that a stage's steps search by name to use files that are not Python."""
    calls = [
        node
        for path, _ in _files_behind(stage)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("find_spec")
    ]
    return frozenset(str(node.args[0].value) for node in calls if isinstance(node.args[0], ast.Constant))


@cache
def _files_behind(stage: str) -> list[tuple[Path, bool]]:
    """Return the package's files that a stage's steps run, and whether their functions may be called.

    Importing a module also runs its parent packages, whose functions are not called.
    """
    waiting = [(name, True) for name in ("synthrank.cli", *steps_of(stage))]
    seen: set[tuple[str, bool]] = set()
    while waiting:
        name, inside = waiting.pop()
        path = _file(name)
        if path is None or (name, inside) in seen or (name, True) in seen:
            continue
        seen.add((name, inside))
        waiting.append((name.rpartition(".")[0], False))
        waiting.extend((found, True) for found, first_party in _imports(path, inside) if first_party)
    return [(path, inside) for name, inside in sorted(seen) if (path := _file(name))]


def _imports(path: Path, inside: bool) -> Iterator[tuple[str, bool]]:
    """Yield each module that a file imports, and whether it belongs to the package."""
    waiting: list[ast.AST] = [*_tree(path).body]
    while waiting:
        node = waiting.pop()
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module.split(".")[0] == "synthrank":  # a name imported from a package may be one of its modules
                names += [f"{node.module}.{alias.name}" for alias in node.names]
        yield from ((name, name.split(".")[0] == "synthrank") for name in names)
        if inside or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting.extend(ast.iter_child_nodes(node))


@cache
def _file(name: str) -> Path | None:
    """Return the file of a module of the package, or None for a name in a module."""
    base = SRC.joinpath(*name.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if name and path.is_file()), None)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
