"""Prose of reStructuredText pages as a tree of sections, read with docutils.

The pages use roles and directives of Sphinx, which docutils lacks. During parsing, the two look-up functions of
docutils are replaced, as Sphinx itself does. Roles become their text. Directives with prose (notes, warnings, version
notes) keep their content. All other directives are dropped with their content. No other file is included, and no code
is run.
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
from synthrank.runtime.text_files import read_text


@dataclass(frozen=True, slots=True)
class RstSection:
    """A heading, the blocks directly under it, and its subsections. A block is a paragraph or a list item."""

    heading: str
    blocks: tuple[str, ...]
    sections: tuple["RstSection", ...] = ()

    def prose(self) -> tuple[str, ...]:
        """Return the blocks of the section and of all its subsections."""
        return self.blocks + tuple(block for section in self.sections for block in section.prose())


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its path in the archive, and the section with its title."""

    path: str
    root: RstSection


class _Dropped(Directive):
    """A directive without prose: code, lists of pages, API descriptions, pictures, tables."""

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
    """A directive with a title. The title is dropped."""

    required_arguments = 1
    final_argument_whitespace = True


class _Version(_Titled):
    """A version note, ``.. versionadded:: 1.2 text``, with more text on the next lines."""

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
    """Return the text of a role. ``:ref:`` and ``:doc:`` without text are resolved to a title later."""
    text = unescape(text)
    titled = _TARGET.match(text)
    if titled:
        return [nodes.inline(raw, titled["text"])], []
    if name in ("ref", "doc"):
        return [nodes.inline(raw, text, target=text.lower() if name == "ref" else text.rsplit("/", 1)[-1])], []
    if text.startswith("~"):
        text = text.rsplit(".", 1)[-1]
    # SQLAlchemy writes _orm.Session for the displayed name Session, and Celery @send_task for app.send_task.
    return [nodes.inline(raw, re.sub(r"^(_\w+\.|@-?)(?=\w)", "", text.lstrip("!~.")))], []


@contextmanager
def _sphinx_tolerated() -> Iterator[None]:
    """Make docutils accept every role and directive within the block."""
    before = directives.directive, roles.role
    directives.directive = lambda name, *_: (_DIRECTIVES.get(name.lower(), _Dropped), [])
    roles.role = lambda name, *_: (lambda _name, *rest, **more: _role(name, *rest, **more), [])  # type: ignore
    try:
        yield
    finally:
        directives.directive, roles.role = before


def read_pages(folder: Path, paths: Iterable[str]) -> list[Page]:
    """Return the pages at ``paths`` in ``folder``, with titles in place of references between pages.

    Raises:
        DataError: a page is not UTF-8 or cannot be read.
    """
    settings = get_default_settings(Parser)
    # Level 5 turns all reports off, because docutils reports Sphinx markup as errors.
    settings.report_level = settings.halt_level = 5
    settings.warning_stream = False
    settings.file_insertion_enabled = settings.raw_enabled = False
    documents, parser = {}, Parser()
    with _sphinx_tolerated():
        for path in paths:
            documents[path] = new_document(path, settings)
            parser.parse(read_text(folder / path, DataError, "reStructuredText"), documents[path])
    titles: dict[str, str] = {}
    for path, document in documents.items():
        titles.update(_labels(document))
        first = next(iter(document.findall(nodes.title)), None)
        if first is not None:
            titles.setdefault(Path(path).stem, _inline(first, {}))
    return [Page(path, _root(path, document, titles)) for path, document in documents.items()]


def _labels(document: nodes.document) -> Iterator[tuple[str, str]]:
    """Yield (label, title) of every section with labels directly before it."""
    waiting: list[str] = []
    for node in document.findall():
        if isinstance(node, nodes.target):
            waiting += node["names"]
        elif isinstance(node, nodes.section):
            yield from ((label, _inline(node[0], {})) for label in waiting)
            waiting = []
        elif isinstance(node, nodes.paragraph):
            waiting = []


def _root(path: str, document: nodes.document, titles: Mapping[str, str]) -> RstSection:
    """Return the only section at the top level of a page, or a new section with all sections at the top level."""
    top = _section(document, titles)
    if len(top.sections) == 1:
        page = top.sections[0]
        return RstSection(page.heading, top.blocks + page.blocks, page.sections)
    heading = top.sections[0].heading if top.sections else Path(path).stem
    return RstSection(heading, top.blocks, top.sections)


def _section(node: nodes.Element, titles: Mapping[str, str]) -> RstSection:
    heading, blocks, sections = "", [], []
    for child in node.children:
        if isinstance(child, nodes.title):
            heading = _inline(child, titles)
        elif isinstance(child, nodes.section):
            sections.append(_section(child, titles))
        else:
            blocks += _blocks(child, titles)
    return RstSection(heading, tuple(blocks), tuple(sections))


def _blocks(node: nodes.Node, titles: Mapping[str, str]) -> list[str]:
    """Return the paragraphs and list items of a body element. Code, tables and pictures give an empty list."""
    if isinstance(node, nodes.paragraph | nodes.line_block):
        text = _inline(node, titles)
        return [text] if text else []
    if isinstance(node, nodes.bullet_list | nodes.enumerated_list):
        return _items([_nested_titles(item, titles) for item in node.children])
    if isinstance(node, nodes.definition_list):
        return _items([_definition(item, titles) for item in node.children])
    if isinstance(node, nodes.block_quote | nodes.container):
        return _nested_titles(node, titles)
    return []


def _nested_titles(node: nodes.Node, titles: Mapping[str, str]) -> list[str]:
    return [block for child in node.children for block in _blocks(child, titles)]


def _definition(item: nodes.Node, titles: Mapping[str, str]) -> list[str]:
    terms = [_inline(child, titles) for child in item.children if isinstance(child, nodes.term)]
    body = [
        block
        for child in item.children
        if isinstance(child, nodes.definition)
        for block in _nested_titles(child, titles)
    ]
    return [f"{', '.join(terms)}: {' '.join(body)}"] if body else []


def _items(items: Iterable[list[str]]) -> list[str]:
    """Return one block per list item. Items without final punctuation get a semicolon, the last item a full stop."""
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
