"""Prose of reStructuredText pages as a tree of sections, read with docutils.

The pages are written for Sphinx, whose roles and directives docutils does not know. As Sphinx does it, the two
look-ups of docutils are replaced while a page is parsed: every role becomes its text, a directive whose content is
prose (a note, a warning, a version note) keeps it, and every other one is dropped with what it holds. Nothing is
included from other files and nothing is run.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Directive, Parser, directives, roles
from docutils.parsers.rst.directives.misc import Replace, Unicode
from docutils.utils import new_document, unescape

from synthrank.errors import DataError


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, the prose right under it (a block is a paragraph or a list item), and its subsections."""

    heading: str
    blocks: tuple[str, ...]
    sections: tuple["Section", ...] = ()

    def prose(self) -> tuple[str, ...]:
        """Return the blocks of the section and of all below it."""
        return self.blocks + tuple(block for section in self.sections for block in section.prose())


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its path inside the archive, and the section that carries its title."""

    path: str
    root: Section


class _Dropped(Directive):
    """A directive that holds no prose: code, lists of pages, API descriptions, pictures, tables."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        return []


class _Prose(Directive):
    """A directive whose whole content is prose."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        holder = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, holder)
        return [holder]


class _Titled(_Prose):
    """A directive with a title of its own, which is left out."""

    required_arguments = 1
    final_argument_whitespace = True


class _Version(_Titled):
    """A version note: ``.. versionadded:: 1.2 text``; the text may go on below."""

    def run(self) -> list[nodes.Node]:
        notes = super().run()
        for text in self.arguments[0].split(None, 1)[1:]:
            inline, _ = self.state.inline_text(text, self.lineno)
            notes.insert(0, nodes.container("", nodes.paragraph("", "", *inline)))
        return notes


_DIRECTIVES: dict[str, type[Directive]] = {
    **dict.fromkeys(("note", "warning", "tip", "important", "caution", "danger", "hint", "attention", "error"), _Prose),
    **dict.fromkeys(("container", "compound", "highlights", "epigraph", "rst-class", "only"), _Prose),
    **dict.fromkeys(("admonition", "topic"), _Titled),
    **dict.fromkeys(("versionadded", "versionchanged", "versionremoved", "deprecated"), _Version),
    "replace": Replace,
    "unicode": Unicode,
}
_TARGET = re.compile(r"^(?P<text>.+?)\s*<(?P<target>[^<>]+)>$", re.DOTALL)


def _role(name: str, raw: str, text: str, *_: Any, **__: Any) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return the text of any role; a bare ``:ref:`` or ``:doc:`` is kept to be resolved to the title it names."""
    text = unescape(text)
    titled = _TARGET.match(text)
    if titled:
        return [nodes.inline(raw, titled["text"])], []
    if name in ("ref", "doc"):
        return [nodes.inline(raw, text, target=text.lower() if name == "ref" else text.rsplit("/", 1)[-1])], []
    if text.startswith("~"):
        text = text.rsplit(".", 1)[-1]
    # SQLAlchemy writes _orm.Session for a class it shows as Session, Celery @send_task for app.send_task
    return [nodes.inline(raw, re.sub(r"^(_\w+\.|@-?)(?=\w)", "", text.lstrip("!~.")))], []


@contextmanager
def _sphinx_tolerated() -> Iterator[None]:
    """Let docutils take every role and directive while the block runs."""
    before = directives.directive, roles.role
    directives.directive = lambda name, *_: (_DIRECTIVES.get(name.lower(), _Dropped), [])
    roles.role = lambda name, *_: (lambda _name, *rest, **more: _role(name, *rest, **more), [])  # type: ignore
    try:
        yield
    finally:
        directives.directive, roles.role = before


def read_pages(folder: Path, paths: Iterable[str]) -> list[Page]:
    """Return the pages at ``paths`` under ``folder``, references between them replaced by the titles they name.

    Raises:
        DataError: a page is not UTF-8 or cannot be read.
    """
    settings = get_default_settings(Parser)
    # 5 is above every level docutils reports at: Sphinx pages are full of what it takes for mistakes
    settings.report_level = settings.halt_level = 5
    settings.warning_stream = False
    settings.file_insertion_enabled = settings.raw_enabled = False
    documents, parser = {}, Parser()
    with _sphinx_tolerated():
        for path in paths:
            documents[path] = new_document(path, settings)
            parser.parse(_text(folder / path), documents[path])
    titles: dict[str, str] = {}
    for path, document in documents.items():
        titles.update(_labels(document))
        first = next(iter(document.findall(nodes.title)), None)
        if first is not None:
            titles.setdefault(Path(path).stem, _inline(first, {}))
    return [Page(path, _root(path, document, titles)) for path, document in documents.items()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start + 1} is not UTF-8; narrow the globs to UTF-8 pages") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected reStructuredText") from error


def _labels(document: nodes.document) -> Iterator[tuple[str, str]]:
    """Yield (label, title) of every section that labels stand right before."""
    waiting: list[str] = []
    for node in document.findall():
        if isinstance(node, nodes.target):
            waiting += node["names"]
        elif isinstance(node, nodes.section):
            yield from ((label, _inline(node[0], {})) for label in waiting)
            waiting = []
        elif isinstance(node, nodes.paragraph):
            waiting = []


def _root(path: str, document: nodes.document, titles: Mapping[str, str]) -> Section:
    """Return the section that holds the page: its only one at the top, or one made of several."""
    top = _section(document, titles)
    if len(top.sections) == 1:
        page = top.sections[0]
        return Section(page.heading, top.blocks + page.blocks, page.sections)
    heading = top.sections[0].heading if top.sections else Path(path).stem
    return Section(heading, top.blocks, top.sections)


def _section(node: nodes.Element, titles: Mapping[str, str]) -> Section:
    heading, blocks, sections = "", [], []
    for child in node.children:
        if isinstance(child, nodes.title):
            heading = _inline(child, titles)
        elif isinstance(child, nodes.section):
            sections.append(_section(child, titles))
        else:
            blocks += _blocks(child, titles)
    return Section(heading, tuple(blocks), tuple(sections))


def _blocks(node: nodes.Node, titles: Mapping[str, str]) -> list[str]:
    """Return the paragraphs and list items of a body element; code, tables and pictures have none."""
    if isinstance(node, nodes.paragraph | nodes.line_block):
        text = _inline(node, titles)
        return [text] if text else []
    if isinstance(node, nodes.bullet_list | nodes.enumerated_list):
        return _items([_nested(item, titles) for item in node.children])
    if isinstance(node, nodes.definition_list):
        return _items([_definition(item, titles) for item in node.children])
    if isinstance(node, nodes.block_quote | nodes.container):
        return _nested(node, titles)
    return []


def _nested(node: nodes.Node, titles: Mapping[str, str]) -> list[str]:
    return [block for child in node.children for block in _blocks(child, titles)]


def _definition(item: nodes.Node, titles: Mapping[str, str]) -> list[str]:
    terms = [_inline(child, titles) for child in item.children if isinstance(child, nodes.term)]
    body = [block for child in item.children if isinstance(child, nodes.definition) for block in _nested(child, titles)]
    return [f"{', '.join(terms)}: {' '.join(body)}"] if body else []


def _items(items: Iterable[list[str]]) -> list[str]:
    """Return one block a list item, ended with a semicolon where the writer left the end open, a stop at the last."""
    blocks = [" ".join(item) for item in items if item]
    ends = [";"] * (len(blocks) - 1) + ["."]
    return [block if block[-1] in ".!?:;," else block + end for block, end in zip(blocks, ends, strict=False)]


def _inline(node: nodes.Node, titles: Mapping[str, str]) -> str:
    """Return the text of a paragraph or title on one line."""
    return " ".join(_raw(node, titles).split())


def _raw(node: nodes.Node, titles: Mapping[str, str]) -> str:
    if isinstance(node, nodes.Text):
        return unescape(str(node))
    if isinstance(node, nodes.system_message | nodes.footnote_reference | nodes.citation_reference | nodes.image):
        return ""
    if isinstance(node, nodes.substitution_reference) and node.document is not None:
        defined = node.document.substitution_defs.get(node.get("refname", ""))
        if defined is not None:
            return _raw(defined, titles)
    if isinstance(node, nodes.inline) and "target" in node:
        return titles.get(node["target"], re.sub(r"[-_:]+", " ", node.astext()).rsplit("/", 1)[-1])
    return "".join(_raw(child, titles) + (" " if isinstance(child, nodes.line) else "") for child in node.children)
