"""Questions and answers from FAQ pages, with the other passages of the documentation as distractors.

A question is a heading below the title of a page of the ``faq`` globs, with prose under it. A heading with subsections
is a group and not a question if it has no prose or if the heading of a subsection ends with a question mark. The
subsections of a question are part of its answer.

An answer is the paragraphs and list items under the heading, cut between paragraphs to ``max_words``. Answers with
fewer than ``min_words``, and answers that only refer to another page ("See the tutorial."), are dropped. All other
prose also becomes passages.

A sample of questions is the beginning of the seeded order of :mod:`synthrank.data.sources.documentation`. Therefore
samples of different sizes are nested.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from synthrank.config.corpora import Archive, FaqCorpus
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sources.documentation import (
    RelevantPair,
    SlugIds,
    cut_between_blocks,
    matches,
    pages_of,
    queries_of_split,
    sample_of,
)
from synthrank.data.sources.rst import Page, RstSection

_LABEL = re.compile(r"^Answer\s*:\s*", re.IGNORECASE)
_POINTER = re.compile(
    r"^(?:(?:yes|no)[.,:;!]\s*)?(?:please\s+)?(?:also\s+)?(?:see|read|consult|refer to|(?:have|take) a look at)\b"
    r"[^.!?]*(?:[.!?](?=\S)[^.!?]*)*[.!?]?$",
    re.IGNORECASE,
)


class FaqSource:
    """Questions, answers and distractors of unpacked source distributions."""

    def __init__(self, spec: FaqCorpus, origin: Path, archives: Path) -> None:
        self._spec = spec
        self._origin = origin
        self._counts: dict[str, Counter[str]] = {archive.package: Counter() for archive in spec.archives}
        self._pairs: dict[str, list[RelevantPair]] = {}
        self._distractors: dict[str, list[Passage]] = {}
        pages = {item.package: pages_of(item, item.docs + item.faq, origin, archives) for item in spec.archives}
        ids, answers = SlugIds(), dict[str, Passage]()
        # Read the answers of all archives first, because distractors with the text of an answer would be relevant.
        for archive in spec.archives:
            self._pairs[archive.package] = self._read_pairs(archive, pages[archive.package], ids, answers)
        seen = set(answers)
        for archive in spec.archives:
            self._distractors[archive.package] = self._read_distractors(archive, pages[archive.package], ids, seen)

    def passages(self) -> Iterator[Passage]:
        """Yield the answers and then the distractors of each archive, in the order of the pages."""
        for package, pairs in self._pairs.items():
            yield from {pair.passage.id: pair.passage for pair in pairs}.values()
            yield from self._distractors[package]

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return the questions of a split and one judgment per question."""
        return queries_of_split(self._pairs, split, self._spec.splits, self._spec.seed, self._origin)

    def report(self) -> dict[str, Any]:
        """Return counts of found and omitted items per archive."""
        return {package: dict(sorted(counts.items())) for package, counts in self._counts.items()}

    def _read_pairs(
        self, archive: Archive, pages: Iterable[Page], ids: SlugIds, answers: dict[str, Passage]
    ) -> list[RelevantPair]:
        counts, pairs = self._counts[archive.package], list[RelevantPair]()
        for page in pages:
            if not matches(page.path, archive.faq):
                continue
            for section in questions(page.root):
                counts["question headings"] += 1
                text = answer_text(section, self._spec.max_words)
                if len(text.split()) < self._spec.min_words:
                    counts["answers too short"] += 1
                elif _POINTER.match(text):
                    counts["answers that only point elsewhere"] += 1
                else:
                    slug = ids.new(archive.package, page.path, section.heading)
                    if text in answers:
                        counts["answers shared"] += 1
                    answer = answers.setdefault(text, Passage(slug, text, page.root.heading))
                    pairs.append(RelevantPair(Query(slug.replace("#", "?"), section.heading), answer))
        kept = sample_of(pairs, self._spec.questions, self._spec.seed, lambda pair: pair.passage.id)
        counts["questions left out by the limit"] = len(pairs) - len(kept)
        counts["questions"] = len(kept)
        return kept

    def _read_distractors(self, archive: Archive, pages: Iterable[Page], ids: SlugIds, seen: set[str]) -> list[Passage]:
        counts, found = self._counts[archive.package], list[Passage]()
        for page in pages:
            asked = questions(page.root) if matches(page.path, archive.faq) else []
            for section in _remaining_sections(page.root, asked):
                title = page.root.heading
                if section is not page.root:
                    title += f": {section.heading}"
                for text in cut_between_blocks(section.blocks, self._spec.max_words):
                    if not self._spec.min_words <= len(text.split()) <= self._spec.max_words:
                        counts["passages too short or long"] += 1
                    elif text in seen:
                        counts["duplicate passages"] += 1
                    else:
                        seen.add(text)
                        found.append(Passage(ids.new(archive.package, page.path, section.heading), text, title))
        kept = sample_of(found, self._spec.distractors, self._spec.seed, lambda passage: passage.id)
        counts["distractors left out by the limit"] = len(found) - len(kept)
        counts["distractors"] = len(kept)
        return kept


def questions(page: RstSection) -> list[RstSection]:
    """Return the sections of a FAQ page whose headings are questions, in the order of the page."""
    found: list[RstSection] = []
    for section in page.sections:
        groups = not section.blocks or any(below.heading.endswith("?") for below in section.sections)
        if section.sections and groups:
            found += questions(section)
        elif section.blocks:
            found.append(section)
    return found


def answer_text(question: RstSection, max_words: int) -> str:
    """Return the answer under a heading, cut between paragraphs to ``max_words``."""
    return next(cut_between_blocks([_LABEL.sub("", block) for block in question.prose()], max_words), "")


def _remaining_sections(section: RstSection, asked: Iterable[RstSection]) -> Iterator[RstSection]:
    """Yield a section and its subsections, without questions and their answers."""
    yield section
    for below in section.sections:
        if not any(below is question for question in asked):
            yield from _remaining_sections(below, asked)
