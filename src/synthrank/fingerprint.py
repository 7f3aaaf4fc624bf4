"""What a job's code is, as a short hash: the reason a job reruns when its code changes, and only then.

Snakemake sees neither the modules that a script imports nor that a comment is no change. The hash covers the script and
every first-party module it imports, directly or through others, inside functions too, taken from the syntax tree
without docstrings, comments and positions.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from synthrank.errors import ConfigError

PACKAGE = "synthrank"
SRC = Path(__file__).resolve().parents[1]


def code_of(script: Path, src: Path = SRC) -> str:
    """Return 16 hexadecimal digits that change exactly when the behaviour behind ``script`` may change.

    Args:
        script: a Python file that imports from the package.
        src: the folder that holds the package.

    Raises:
        ConfigError: the script, or a first-party module it imports, does not exist or is not Python.
    """
    digest = hashlib.sha256()
    for path in _reachable(script, src):
        name = path.relative_to(src).as_posix() if path.is_relative_to(src) else path.name
        digest.update(f"{name}\0{_normalised(path)}\0".encode())
    return digest.hexdigest()[:16]


def modules_of(script: Path, src: Path = SRC) -> list[Path]:
    """Return the first-party files behind ``script``, the script first, the others sorted."""
    return _reachable(script, src)


def _reachable(script: Path, src: Path) -> list[Path]:
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_first_party_imports(path, src))
    return [script, *sorted(found - {script})]


@cache
def _first_party_imports(path: Path, src: Path) -> tuple[Path, ...]:
    return tuple(file for name in _imported_names(_tree(path)) for file in _files(name, src))


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # A name imported from a package may itself be a module.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(name: str, src: Path) -> Iterator[Path]:
    """Yield the files that importing the dotted ``name`` runs: the module and its parent packages."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return
    for length in range(1, len(parts) + 1):
        module = src.joinpath(*parts[:length])
        for path in (module / "__init__.py", module.with_suffix(".py")):
            if path.is_file():
                yield path


@cache
def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as error:
        raise ConfigError(f"{path}: cannot be fingerprinted ({error}); every rule needs its script there") from error


@cache
def _normalised(path: Path) -> str:
    tree = _tree(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [item for item in node.body if not _is_text(item)] or [ast.Pass()]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a string standing alone: a docstring, or the description of the name above it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
