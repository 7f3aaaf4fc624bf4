"""What a job's code is, as a short hash: the reason a job reruns when its code changes, and only then.

Snakemake sees neither the modules that a script imports nor that a comment is no change. The hash covers the script and
every first-party module it imports, directly or through others, inside functions too, taken from the syntax tree
without docstrings, comments and positions.

Every job on a cluster parses the workflow twice, and to parse 300 modules takes a second each time. So what was found
is kept beside Python's own bytecode, by the content of the files it was found in.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from synthrank.errors import ConfigError
from synthrank.files import write_json

PACKAGE = "synthrank"
SRC = Path(__file__).resolve().parents[1]


class Codes:
    """Fingerprints of scripts over one source folder, each file of which is read once."""

    def __init__(self, src: Path = SRC) -> None:
        self._src = src
        tag = sys.implementation.cache_tag  # a syntax tree is another one under another version of Python
        self._kept = src / PACKAGE / "__pycache__" / f"fingerprints.{tag}.json"
        self._old: dict[str, Any] | None = None
        self._imports: dict[str, list[str]] = {}
        self._codes: dict[str, str] = {}

    def of(self, script: Path) -> str:
        """Return what ``code_of`` returns."""
        paths = self.modules(script)
        contents = "".join(f"{self._name(path)}\0{_content(path)}\0" for path in paths)
        key = hashlib.sha256(contents.encode()).hexdigest()
        self._codes[key] = self._recall("codes", key) or self._compute(paths)
        return self._codes[key]

    def modules(self, script: Path) -> list[Path]:
        """Return the first-party files behind ``script``, the script first, the others sorted."""
        found: set[Path] = set()
        waiting = [script]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting.extend(file for name in self._imported(path) for file in _files(name, self._src))
        return [script, *sorted(found - {script})]

    def keep(self) -> None:
        """Keep what was found for the next process, where the folder can be written and there is anything new."""
        found = {"by": _content(Path(__file__)), "imports": self._imports, "codes": self._codes}
        if found != self._old:
            with suppress(OSError):
                write_json(self._kept, found)

    def _compute(self, paths: Iterable[Path]) -> str:
        digest = hashlib.sha256()
        for path in paths:
            digest.update(f"{self._name(path)}\0{_normalised(path)}\0".encode())
        return digest.hexdigest()[:16]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._src).as_posix() if path.is_relative_to(self._src) else path.name

    def _imported(self, path: Path) -> list[str]:
        """Return the dotted names below the package that a file imports."""
        content = _content(path)
        if content not in self._imports:
            kept = self._recall("imports", content)
            self._imports[content] = sorted(set(_imported_names(_tree(path)))) if kept is None else kept
        return self._imports[content]

    def _recall(self, what: str, key: str) -> Any:
        """Return what an earlier process found by the same code, None if it found nothing."""
        if self._old is None:
            self._old = {}
            with suppress(OSError, ValueError, KeyError, TypeError):  # absent, cut off, or not ours
                old = json.loads(self._kept.read_text(encoding="utf-8"))
                if old["by"] == _content(Path(__file__)):
                    self._old = old
        return self._old.get(what, {}).get(key)


def code_of(script: Path, src: Path = SRC) -> str:
    """Return 16 hexadecimal digits that change exactly when the behaviour behind ``script`` may change.

    Args:
        script: a Python file that imports from the package.
        src: the folder that holds the package.

    Raises:
        ConfigError: the script, or a first-party module it imports, does not exist or is not Python.
    """
    return Codes(src).of(script)


def codes_of(scripts: Path, src: Path = SRC) -> dict[str, str]:
    """Return the fingerprint of every script of a folder, by the script's name, and keep them for the next process.

    Raises:
        ConfigError: a script, or a first-party module it imports, does not exist or is not Python.
    """
    codes = Codes(src)
    found = {script.name: codes.of(script) for script in sorted(scripts.glob("*.py"))}
    codes.keep()
    return found


def modules_of(script: Path, src: Path = SRC) -> list[Path]:
    """Return the first-party files behind ``script``, the script first, the others sorted."""
    return Codes(src).modules(script)


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield every dotted name below the package that is imported."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name imported from a package may itself be a module.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.split(".")[0] == PACKAGE)


@cache
def _files(name: str, src: Path) -> tuple[Path, ...]:
    """Return the files that importing the dotted ``name`` runs: the module and its parent packages."""
    parts = name.split(".")
    modules = [src.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    paths = [path for module in modules for path in (module / "__init__.py", module.with_suffix(".py"))]
    return tuple(path for path in paths if path in _python_files(src))


@cache
def _python_files(src: Path) -> frozenset[Path]:
    """Every Python file of the package: asking for each by name took thousands of questions to the file system."""
    return frozenset((src / PACKAGE).rglob("*.py"))


@cache
def _content(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


@cache
def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(_read(path))
    except (SyntaxError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{path}: cannot be fingerprinted ({error}); every rule needs its script there")


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
