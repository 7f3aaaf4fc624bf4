"""Check that what people read is plain English: docs/style.yaml lists refused phrases, docs/style.md explains them.

Reads pages, docstrings, comments, strings of at least three words (in tests only messages), names of tests, comments
and descriptions of YAML files and the help of the Makefile. Vale does the same with more syntax, but is not on the
package index as a program.
"""

import argparse
import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs/style.yaml"
PATTERNS = (
    "*.md", "docs/**/*.md", "results/README.md", "config/**/*.md", ".github/**/*.md", "Makefile", "Snakefile",
    "rules/*.smk", "scripts/*.py", "src/**/*.py", "benchmarks/*.py", "docs/hooks/*.py", "tests/**/*.py",
    "config/**/*.yaml", "envs/*.yaml", "profiles/**/*.yaml", ".github/**/*.yml", "src/**/*.css", "src/**/*.js",
)  # fmt: skip
LEFT_OUT = re.compile(r"config/prompts/|docs/experiments/.*/(?!README)|docs/style\.")
"""Prompts are part of an experiment; kept tables have the words of their commit; the style pages quote phrases."""
WORDS = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Text:
    """A text that people read: file, line, and its words on one line."""

    path: str
    line: int
    words: str


def read_texts(root: Path, under: str = "") -> Iterator[Text]:
    """Yield the texts of a project's folder, of files whose path begins with ``under``."""
    for pattern in PATTERNS:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root).as_posix()
            if LEFT_OUT.match(name) or not name.startswith(under) or not path.is_file():
                continue
            source = path.read_text(encoding="utf-8")
            for line, text in _texts_of(path, source):
                if words := re.sub(r"\s+", " ", re.sub(r"`+[^`]*`+|https?://\S+", "CODE", text)).strip():
                    yield Text(name, line, words.lower())


def _texts_of(path: Path, source: str) -> Iterable[tuple[int, str]]:
    match path.suffix:
        case ".md":
            return _paragraphs(source)
        case ".py":
            return [*_comments(source), *_strings(source, data="tests" in path.parts)]
        case ".smk":
            return [*_comments(source), *_docstrings_of_rules(source)]
        case ".yaml" | ".yml":
            return [*_comment_lines(source), *_statements(source)]
        case ".css" | ".js":
            return _block_comments(source)
        case _:
            return [*_comment_lines(source), *_help(source)]


def _paragraphs(source: str) -> Iterator[tuple[int, str]]:
    fence, start, lines = "", 1, list[str]()
    for number, line in enumerate([*source.splitlines(), ""], start=1):
        if fence:
            fence = "" if line.strip().startswith(fence) else fence
            continue
        opened = re.match(r"\s*(```+|~~~+)", line)
        starts = re.match(r"\s*([-*|>#]|\d+\. )", line)
        if opened or starts or not line.strip():
            yield start, " ".join(lines)
            lines, start = [], number
        if opened:
            fence = opened[1]
        elif line.strip() and not line.startswith("<!--"):
            lines.append(re.sub(r"\]\([^)]*\)", "]", line.strip(" -*|>#")))
    yield start, " ".join(lines)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    start, lines, last = 0, list[str](), -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not re.match(r"#\s*(type:|noqa|fmt:|!|pragma)", token.string):
            if token.start[0] != last + 1:
                yield start, " ".join(lines)
                start, lines = token.start[0], []
            lines.append(token.string.lstrip("# "))
            last = token.start[0]
    yield start, " ".join(lines)


def _strings(source: str, *, data: bool) -> Iterator[tuple[int, str]]:
    """Yield docstrings, messages and names of tests; with ``data``, leave out strings that are data of a test."""
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    shown = {
        id(text)
        for node in ast.walk(tree)
        for text in [getattr(node, "value", None) if isinstance(node, ast.Expr) else getattr(node, "msg", None)]
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.lineno, node.name.removeprefix("test_").replace("_", " ")
        elif data and id(node) not in shown:
            continue
        elif isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "CODE" for part in node.values]
            yield from _worded(node.lineno, "".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield from _worded(node.lineno, node.value)


def _worded(line: int, text: str) -> Iterator[tuple[int, str]]:
    if len(WORDS.findall(text)) >= 3 and " " in text.strip():
        for place, part in enumerate(re.split(r"\n\s*\n", text)):
            yield line + text[: text.find(part)].count("\n") if place else line, part


def _docstrings_of_rules(source: str) -> Iterator[tuple[int, str]]:
    for found in re.finditer(r'"""(.*?)"""', source, re.DOTALL):
        yield from _worded(source[: found.start()].count("\n") + 1, found[1])


def _comment_lines(source: str) -> Iterator[tuple[int, str]]:
    start, lines = 1, list[str]()
    for number, line in enumerate([*source.splitlines(), ""], start=1):
        if found := re.match(r"\s*#+ ?(?! yaml-language-server)(.*)", line):
            lines.append(found[1])
            continue
        yield start, " ".join(lines)
        start, lines = number + 1, []
        if found := re.search(r"\s# (.*)$", line):
            yield number, found[1]


def _statements(source: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), start=1):
        if found := re.match(r"\s*(?:statement|description|title|label): (.*)$", line):
            yield number, found[1]


def _block_comments(source: str) -> Iterator[tuple[int, str]]:
    for found in re.finditer(r"/\*(.*?)\*/|^\s*//(.*)$", source, re.DOTALL | re.MULTILINE):
        yield source[: found.start()].count("\n") + 1, found[1] or found[2]


def _help(source: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.splitlines(), start=1):
        if found := re.search(r"##+ (.*)$", line):
            yield number, found[1]


def find_refused(root: Path, under: str = "") -> Iterator[tuple[Text, str, str]]:
    """Yield (text, the refused words, the plain form) for what no exception allows.

    Raises:
        SystemExit: an exception of style.yaml fits no text.
    """
    stated = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    refused = [(re.compile(expression), plain) for expression, plain in stated["refused"].items()]
    unused = {(item["file"], item["words"].lower()) for item in stated["allowed"]}
    allowed = set(unused)
    for text in read_texts(root, under):
        for expression, plain in refused:
            for found in expression.finditer(text.words):
                around = text.words[max(0, found.start() - 80) : found.end() + 80]
                fitting = {(file, words) for file, words in allowed if file == text.path and words in around}
                unused -= fitting
                if not fitting:
                    yield text, found[0].strip(), plain
    if unused and root == ROOT and not under:
        raise SystemExit(f"docs/style.yaml: exceptions that fit no text: {sorted(unused)}")


def main() -> None:
    """Print what is refused, and end with 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="another folder of the project, such as an older commit"
    )
    parser.add_argument("--under", default="", help="only files whose path begins so")
    parser.add_argument("--count", action="store_true", help="numbers per phrase in place of the texts")
    options = parser.parse_args()
    found = list(find_refused(options.root, options.under))
    if options.count:
        counts = Counter((words, plain) for _, words, plain in found)
        lines = [f"{count:5} {words} ({plain})" for (words, plain), count in counts.most_common()]
    else:
        lines = [f"{text.path}:{text.line}: {words!r}; write {plain}" for text, words, plain in found]
    sys.stdout.writelines(f"{line}\n" for line in [*lines, f"{len(found)} refused phrases"])
    raise SystemExit(bool(found))


if __name__ == "__main__":
    main()
