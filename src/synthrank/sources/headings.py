"""Headings of documentation as queries, each with the prose right under it as its passage, among all other prose.

What counts as a query: a heading of at least ``min_heading_words`` words over prose of its own; a shorter one has the
page's title put before it ("Signals: Item signals"). Dropped and counted: a heading that is one of ``generic``
("Overview"), one that occurs more than once in the collection, because its relevant passage is ambiguous, and one whose
every word stands in its passage, because matching words is enough to find it.

What counts as a passage: the paragraphs and list items under each heading, without those of its subsections, in
parts of at most ``max_words`` words; the first part is the passage of the heading. All parts are searched.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.errors import DataError
from synthrank.records import Judgment, Passage, Query
from synthrank.sources.documentation import Ids, Pair, chunks, pages_of, queries_of, sample_of
from synthrank.sources.rst import Page, Section
from synthrank.specs.corpora import HeadingCorpus
from synthrank.wording import words_of


@dataclass(frozen=True, slots=True)
class _Headed:
    """A heading as a query would have it, and the passage right under it."""

    id: str
    text: str
    passage: Passage


class HeadingSource:
    """Headings and prose of unpacked source distributions."""

    def __init__(self, spec: HeadingCorpus, origin: Path, archives: Path) -> None:
        self._spec, self._origin = spec, origin
        self._counts: dict[str, Counter[str]] = {archive.package: Counter() for archive in spec.archives}
        self._passages: dict[str, Passage] = {}
        ids, asked = Ids(), Ids()
        headed: dict[str, list[_Headed]] = {}
        for archive in spec.archives:
            pages = pages_of(archive, archive.docs, origin, archives, without=archive.faq)
            headed[archive.package] = [
                item for page in pages for item in self._read(archive.package, page, page.root, ids, asked)
            ]
        often = Counter(_key(item.text) for items in headed.values() for item in items)
        self._pairs = {package: self._asked(package, items, often) for package, items in headed.items()}
        if not any(self._pairs.values()):
            raise DataError(
                f"{origin}: no heading with prose under it can be a query; widen the globs of docs, or lower "
                "min_heading_words or min_words"
            )

    def passages(self) -> Iterator[Passage]:
        """Yield every passage, archive by archive, in the order of the pages."""
        yield from self._passages.values()

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return the headings of a split and one judgment each."""
        return queries_of(self._pairs, split, self._spec.splits, self._spec.seed, self._origin)

    def report(self) -> dict[str, Any]:
        """Return, for each archive, what was found and what was left out."""
        return {package: dict(sorted(counts.items())) for package, counts in self._counts.items()}

    def _read(self, package: str, page: Page, section: Section, ids: Ids, asked: Ids) -> Iterator[_Headed]:
        """Keep the passages of a section and of those below it, and yield each heading that may be a query."""
        spec, counts = self._spec, self._counts[package]
        counts["headings"] += 1
        first = None
        for place, text in enumerate(chunks(section.blocks, spec.max_words)):
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
        elif _key(section.heading) in spec.generic:
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

    def _asked(self, package: str, headed: Sequence[_Headed], often: Counter[str]) -> list[Pair]:
        """Return the queries of an archive."""
        counts, pairs = self._counts[package], list[Pair]()
        for item in headed:
            words = set(words_of(item.text))
            if often[_key(item.text)] > 1:
                counts["headings that repeat"] += 1
            elif words <= set(words_of(item.passage.text)):
                counts["headings of the passage's own words"] += 1
            else:
                pairs.append(Pair(Query(item.id, item.text), item.passage))
        kept = sample_of(pairs, self._spec.queries, self._spec.seed, lambda pair: pair.passage.id)
        counts["queries left out by the limit"] = len(pairs) - len(kept)
        counts["queries"] = len(kept)
        return kept


def _key(heading: str) -> str:
    """Return what two headings have in common that read the same."""
    return " ".join(words_of(heading))
