"""Count the mutations of tests/mutations.yaml that tests detect: ``python benchmarks/mutations.py``.

Each mutation changes one line in a separate git worktree. Its tests run there until one fails, as forks of a process
that has imported the libraries. The failing test must pass without the mutation. Results are written to
build/mutations-COMMIT.csv; the same command resumes an interrupted run. Exits with 1 if a mutation survives, and
refuses a mutation whose line does not exist.
"""

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

PROJECT = Path(__file__).resolve().parents[1]
sys.path.append(str(PROJECT / "tests/support"))

from warm import warm_folder  # noqa: E402

MUTATIONS = PROJECT / "tests/mutations.yaml"
SECONDS = 900
"""A test that runs longer counts as failed: the mutation made it hang."""


class Mutation(NamedTuple):
    """A mutation: a description, the old and the new text, and the tests that should fail."""

    what: str
    old: str
    new: str
    tests: list[str]


def read_mutations(path: Path = MUTATIONS) -> list[Mutation]:
    """Return the mutations of a file."""
    return [Mutation(**item) for item in yaml.safe_load(path.read_text(encoding="utf-8"))]


def place_of(mutation: Mutation, texts: Mapping[Path, str]) -> Path:
    """Return the only file that contains the text of a mutation.

    Args:
        mutation: the mutation.
        texts: of the source files, as :func:`read_source` gives them.

    Raises:
        ValueError: no file contains it, or it occurs several times.
    """
    found = [path for path, text in texts.items() for _ in range(text.count(mutation.old))]
    if len(found) != 1:
        raise ValueError(
            f"{mutation.what}: {mutation.old!r} occurs {len(found)} times in the source; expected one occurrence"
        )
    return found[0]


def read_source(tree: Path) -> dict[Path, str]:
    """Return the text of every source file of a worktree."""
    return {path: path.read_text(encoding="utf-8") for path in sorted((tree / "src").rglob("*.py"))}


def failure(tree: Path, tests: Iterable[str]) -> str | None:
    """Return the first failing test of a worktree, all tests if they hang, or None if they pass.

    Raises:
        RuntimeError: no test ran.
    """
    command = [warm_folder() / "python", "-m", "pytest", "-qx", "-rfE", "-n0", "-p", "no:cacheprovider", *tests]
    own = {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=tree, env={**os.environ, **own}, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return " ".join(tests)
    found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1) or bool(done.returncode) != bool(found):
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found[1] if found else None


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check a commit out into a temporary folder."""
    git = ["git", "-C", str(PROJECT), "worktree"]
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        tree = Path(folder) / "tree"
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), commit], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def results(mutations: list[Mutation], tree: Path, known: Collection[str]) -> Iterator[tuple[str, str, float]]:
    """Yield each mutation without a result, the failing test or an empty string, and the seconds it took.

    Raises:
        RuntimeError: the test also fails without the mutation.
    """
    texts = read_source(tree)
    places = {item.what: place_of(item, texts) for item in mutations}
    for item in mutations:
        if item.what in known:
            continue
        path, begin = places[item.what], time.monotonic()
        path.write_text(texts[path].replace(item.old, item.new), encoding="utf-8")
        failed = failure(tree, [name for name in item.tests if (tree / name.partition("::")[0]).is_file()])
        path.write_text(texts[path], encoding="utf-8")
        if failed and failure(tree, [failed]):
            raise RuntimeError(f"{failed} fails without the mutation: {item.what}")
        yield item.what, failed or "", time.monotonic() - begin


def main() -> None:
    """Run the mutations without a result, and print the survivors and the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commit", default="HEAD", help="the commit to test")
    commit = subprocess.run(
        ["git", "-C", str(PROJECT), "rev-parse", "--short", parser.parse_args().commit],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    mutations, kept = read_mutations(), PROJECT / f"build/mutations-{commit}.csv"
    kept.parent.mkdir(exist_ok=True)
    known: dict[str, str] = {}
    if kept.exists():
        with kept.open(newline="", encoding="utf-8") as stream:
            known = {what: failed for what, failed, _ in csv.reader(stream)}
    with worktree(commit) as tree, kept.open("a", newline="", encoding="utf-8") as stream:
        for what, failed, seconds in results(mutations, tree, known):
            known[what] = failed
            csv.writer(stream).writerow([what, failed, f"{seconds:.1f}"])
            stream.flush()
            print(f"{seconds:6.1f} s  {what}: {failed or 'SURVIVED'}", flush=True)
    survived = [item.what for item in mutations if not known[item.what]]
    print(f"{commit}: {len(mutations) - len(survived)} of {len(mutations)} mutations are killed")
    if survived:
        sys.exit("survived: " + "; ".join(survived))


if __name__ == "__main__":
    main()
