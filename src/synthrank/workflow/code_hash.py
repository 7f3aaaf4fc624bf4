"""A short hash of a job's code, which makes a job rerun if and only if its code changes.

Snakemake does not track the modules that a step imports, and it does not ignore comments. The hash covers the syntax
trees of the step and of every synthrank module that it imports directly or indirectly, also inside functions. It
ignores docstrings, comments and positions.

Every job on a cluster parses the workflow twice, which takes a second for all modules. Therefore the results are cached
in ``__pycache__`` by the content of each file.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from synthrank.data.files import write_json
from synthrank.errors import ConfigError

PACKAGE = "synthrank"
SRC = Path(__file__).resolve().parents[2]

Facts = list[str]
"""The hash of a file's syntax tree, followed by the dotted names that it imports from the package."""


class Codes:
    """Hashes of the code of scripts over one source folder. Each file is read once."""

    def __init__(self, src: Path = SRC) -> None:
        self._src = src
        tag = sys.implementation.cache_tag  # syntax trees differ between versions of Python
        self._kept = src / PACKAGE / "__pycache__" / f"fingerprints.{tag}.json"
        self._by = _hash(Path(__file__).read_bytes())
        self._old = self._read_kept()
        self._facts: dict[str, Facts] = {}
        self._files: dict[Path, tuple[list[Path], bytes]] = {}
        self._modules = {_dotted(path.relative_to(src)): path for path in (src / PACKAGE).rglob("*.py")}

    def of(self, *files: Path) -> str:
        """Return 16 hexadecimal digits that change if and only if the code of ``files`` or of their imports changes.

        Raises:
            ConfigError: a file or a synthrank module that it imports is missing or is not Python.
        """
        return _hash(b"".join(self._file(path)[1] for path in self.modules(*files)))[:16]

    def modules(self, *files: Path) -> list[Path]:
        """Return ``files``, followed by the sorted files of all synthrank modules that they import."""
        found: set[Path] = set()
        waiting = list(files)
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting.extend(self._file(path)[0])
        return [*files, *sorted(found.difference(files))]

    def keep(self) -> None:
        """Write the cache for the next process if it has changed and the folder is writable."""
        if self._facts != self._old:
            with suppress(OSError):
                write_json(self._kept, {"by": self._by, "facts": self._facts})

    def _read_kept(self) -> dict[str, Facts]:
        """Return the cache of an earlier process, or an empty one if it is missing, invalid or of another version."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._kept.read_text(encoding="utf-8"))
            if kept["by"] == self._by:
                return dict(kept["facts"])
        return {}

    def _file(self, path: Path) -> tuple[list[Path], bytes]:
        """Return the files that a file imports, and its contribution to a hash."""
        if path not in self._files:
            try:
                content = path.read_bytes()
                key = _hash(content)
                self._facts[key] = self._old.get(key) or _facts_of(content)
            except (OSError, SyntaxError, ValueError) as error:
                raise ConfigError(
                    f"{path}: cannot be read as Python ({error}); every rule needs its step and the imported modules"
                ) from error
            code, *names = self._facts[key]
            name = path.relative_to(self._src).as_posix() if path.is_relative_to(self._src) else path.name
            imported = [file for dotted in names for file in self._files_of(dotted)]
            self._files[path] = imported, f"{name}\0{code}\0".encode()
        return self._files[path]

    def _files_of(self, dotted: str) -> list[Path]:
        """Return the files that run when a dotted name is imported: the module and its parent packages."""
        names = accumulate(dotted.split("."), "{}.{}".format)
        return [self._modules[name] for name in names if name in self._modules]


def codes_of(steps: Iterable[Path], runner: Path, src: Path = SRC) -> dict[str, str]:
    """Return the code hash of each step with ``runner``, by the name of its module, and write the cache.

    Raises:
        ConfigError: a file or a synthrank module that it imports is missing or is not Python.
    """
    codes = Codes(src)
    found = {step.stem: codes.of(step, runner) for step in sorted(steps)}
    codes.keep()
    return found


def _dotted(module: Path) -> str:
    parts = module.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _facts_of(content: bytes) -> Facts:
    tree = ast.parse(content)
    names = sorted(set(_imported_names(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [item for item in node.body if not _is_text(item)] or [ast.Pass()]
    return [_hash(ast.dump(tree).encode()), *names]


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield every dotted name that is imported from the package."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name imported from a package may be a module.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.split(".")[0] == PACKAGE)


def _is_text(node: ast.stmt) -> bool:
    """Return whether a statement is only a string: a docstring, or the description of the name above it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
