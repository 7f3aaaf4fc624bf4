"""Headings of documentation as queries. The relevant passage is the prose directly under the heading.

A query is a heading of at least ``min_heading_words`` words with prose directly under it. The title of the page is put
before a shorter heading ("Signals: Item signals"). Three kinds of headings are dropped and counted:

- headings in ``generic`` ("Overview")
- headings that occur more than once in the corpus, because their relevant passage is ambiguous
- headings whose words all occur in their passage, because matching words is enough to find it

The passages are the paragraphs and list items under each heading, without its subsections, in parts of at most
``max_words`` words. The first part is the passage of the heading. The corpus contains all parts.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.config.corpora import HeadingCorpus
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sources.documentation import (
    RelevantPair,
    SlugIds,
    cut_between_blocks,
    pages_of,
    queries_of_split,
    sample_of,
)
from synthrank.data.sources.rst import Page, RstSection
from synthrank.data.words import words_of
from synthrank.errors import DataError


@dataclass(frozen=True, slots=True)
class _Headed:
    """A heading with the id and text of its query, and the passage directly under it."""

    id: str
    text: str
    passage: Passage


class HeadingSource:
    """Headings and prose of unpacked source distributions."""

    def __init__(self, spec: HeadingCorpus, origin: Path, archives: Path) -> None:
        self._spec, self._origin = spec, origin
        self._counts: dict[str, Counter[str]] = {archive.package: Counter() for archive in spec.archives}
        self._passages: dict[str, Passage] = {}
        ids, asked = SlugIds(), SlugIds()
        headed: dict[str, list[_Headed]] = {}
        for archive in spec.archives:
            pages = pages_of(archive, archive.docs, origin, archives, without=archive.faq)
            headed[archive.package] = [
                item for page in pages for item in self._read(archive.package, page, page.root, ids, asked)
            ]
        often = Counter(_make_key(item.text) for items in headed.values() for item in items)
        self._pairs = {package: self._ask_headings(package, items, often) for package, items in headed.items()}
        if not any(self._pairs.values()):
            raise DataError(
                f"{origin}: no heading with prose under it can be a query; widen the globs of docs, or lower "
                "min_heading_words or min_words"
            )

    def passages(self) -> Iterator[Passage]:
        """Yield the passages of each archive, in the order of the pages."""
        yield from self._passages.values()

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return the headings of a split and one judgment per heading."""
        return queries_of_split(self._pairs, split, self._spec.splits, self._spec.seed, self._origin)

    def report(self) -> dict[str, Any]:
        """Return counts of found and omitted items per archive."""
        return {package: dict(sorted(counts.items())) for package, counts in self._counts.items()}

    def _read(self, package: str, page: Page, section: RstSection, ids: SlugIds, asked: SlugIds) -> Iterator[_Headed]:
        """Store the passages of a section and its subsections, and yield headings that may be queries."""
        spec, counts = self._spec, self._counts[package]
        counts["headings"] += 1
        first = None
        for place, text in enumerate(cut_between_blocks(section.blocks, spec.max_words)):
            if not spec.min_words <= len(text.split()) <= spec.max_words:
                counts["passages too short or long"] += 1
                continue
            counts["duplicate passages"] += text in self._passages
            title = page.root.heading if section is page.root else f"{page.root.heading}: {section.heading}"
            if text not in self._passages:
                self._passages[text] = Passage(ids.new(package, page.path, section.heading), text, title)
            if place == 0:
                first = self._passages[text]
        if first is None:
            counts["headings without a passage"] += 1
        elif _make_key(section.heading) in spec.generic:
            counts["generic headings"] += 1
        else:
            short = len(words_of(section.heading)) < spec.min_heading_words
            text = f"{page.root.heading}: {section.heading}" if short and section is not page.root else section.heading
            if len(words_of(text)) < spec.min_heading_words:
                counts["headings too short"] += 1
            else:
                yield _Headed(asked.new(package, page.path, section.heading).replace("#", "?"), text, first)
        for below in section.sections:
            yield from self._read(package, page, below, ids, asked)

    def _ask_headings(self, package: str, headed: Sequence[_Headed], often: Counter[str]) -> list[RelevantPair]:
        """Return the queries of an archive."""
        counts, pairs = self._counts[package], list[RelevantPair]()
        for item in headed:
            words = set(words_of(item.text))
            if often[_make_key(item.text)] > 1:
                counts["headings that repeat"] += 1
            elif words <= set(words_of(item.passage.text)):
                counts["headings of the passage's own words"] += 1
            else:
                pairs.append(RelevantPair(Query(item.id, item.text), item.passage))
        kept = sample_of(pairs, self._spec.queries, self._spec.seed, lambda pair: pair.passage.id)
        counts["queries left out by the limit"] = len(pairs) - len(kept)
        counts["queries"] = len(kept)
        return kept


def _make_key(heading: str) -> str:
    """Return the words of a heading in lower case, for comparisons."""
    return " ".join(words_of(heading))
