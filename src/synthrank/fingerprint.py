"""What a job's code is, as a short hash: the reason a job reruns when its code changes, and only then.

Snakemake sees neither the modules that a script imports nor that a comment is no change. The hash covers the script and
every first-party module it imports, directly or through others, inside functions too, taken from the syntax tree
without docstrings, comments and positions.

Every job on a cluster parses the workflow twice, and to parse 300 modules takes a second each time. So what was found
is kept beside Python's own bytecode, by the content of each file.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from synthrank.errors import ConfigError
from synthrank.files import write_json

PACKAGE = "synthrank"
SRC = Path(__file__).resolve().parents[1]

Facts = list[str]
"""Of a file's content: the SHA-256 of its syntax tree, then the dotted names below the package that it imports."""


class Codes:
    """Fingerprints of scripts over one source folder, each file of which is read once."""

    def __init__(self, src: Path = SRC) -> None:
        self._src = src
        tag = sys.implementation.cache_tag  # a syntax tree is another one under another version of Python
        self._kept = src / PACKAGE / "__pycache__" / f"fingerprints.{tag}.json"
        self._by = _hash(Path(__file__).read_bytes())
        self._old = self._read_kept()
        self._facts: dict[str, Facts] = {}
        self._files: dict[Path, tuple[list[Path], bytes]] = {}
        self._modules = {_dotted(path.relative_to(src)): path for path in (src / PACKAGE).rglob("*.py")}

    def of(self, script: Path) -> str:
        """Return 16 hexadecimal digits that change exactly when the behaviour behind ``script`` may change.

        Raises:
            ConfigError: the script, or a first-party module it imports, does not exist or is not Python.
        """
        return _hash(b"".join(self._file(path)[1] for path in self.modules(script)))[:16]

    def modules(self, script: Path) -> list[Path]:
        """Return the first-party files behind ``script``, the script first, the others sorted."""
        found: set[Path] = set()
        waiting = [script]
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting.extend(self._file(path)[0])
        return [script, *sorted(found - {script})]

    def keep(self) -> None:
        """Keep what was found for the next process, where the folder can be written and there is anything new."""
        if self._facts != self._old:
            with suppress(OSError):
                write_json(self._kept, {"by": self._by, "facts": self._facts})

    def _read_kept(self) -> dict[str, Facts]:
        """Return what an earlier process found by the same code; nothing where the file is absent, cut or not ours."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(self._kept.read_text(encoding="utf-8"))
            if kept["by"] == self._by:
                return dict(kept["facts"])
        return {}

    def _file(self, path: Path) -> tuple[list[Path], bytes]:
        """Return the files that a file imports, and what it adds to a fingerprint."""
        if path not in self._files:
            try:
                content = path.read_bytes()
                key = _hash(content)
                self._facts[key] = self._old.get(key) or _facts_of(content)
            except (OSError, SyntaxError, ValueError) as error:
                raise ConfigError(
                    f"{path}: cannot be fingerprinted ({error}); every rule needs its script there"
                ) from error
            code, *names = self._facts[key]
            name = path.relative_to(self._src).as_posix() if path.is_relative_to(self._src) else path.name
            imported = [file for dotted in names for file in self._files_of(dotted)]
            self._files[path] = imported, f"{name}\0{code}\0".encode()
        return self._files[path]

    def _files_of(self, dotted: str) -> list[Path]:
        """Return the files that importing a dotted name runs: the module and its parent packages."""
        names = accumulate(dotted.split("."), "{}.{}".format)
        return [self._modules[name] for name in names if name in self._modules]


def codes_of(scripts: Path, src: Path = SRC) -> dict[str, str]:
    """Return the fingerprint of every script of a folder, by the script's name, and keep them for the next process.

    Raises:
        ConfigError: a script, or a first-party module it imports, does not exist or is not Python.
    """
    codes = Codes(src)
    found = {script.name: codes.of(script) for script in sorted(scripts.glob("*.py"))}
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
    """Yield every dotted name below the package that is imported."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name imported from a package may itself be a module.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.split(".")[0] == PACKAGE)


def _is_text(node: ast.stmt) -> bool:
    """Whether a statement is a string standing alone: a docstring, or the description of the name above it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
