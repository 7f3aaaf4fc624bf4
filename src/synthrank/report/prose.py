"""The words of a table's Markdown twin: what the table shows and what it does not, said once and not again here."""

from pathlib import Path

from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": False})


def read_prose(path: Path) -> list[str]:
    """Return the paragraphs of a twin as HTML, without its headings and tables. HTML in it stays text."""
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(("|", "#"))]
    paragraphs = [part.strip() for part in "\n".join(kept).split("\n\n")]
    return [_MARKDOWN.render(part) for part in paragraphs if part]
