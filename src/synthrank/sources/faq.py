"""Questions and answers out of FAQ pages, among other passages of the same documentation.

What counts as a question: on a page of the ``faq`` globs every heading below the page's title that has prose under it.
A heading is a grouping one, and is passed over, where it has subsections and either no prose of its own or a
subsection that ends with a question mark. The subsections of a question belong to its answer.

What is an answer: the paragraphs and list items under the heading, cut at a paragraph to ``max_words``; dropped below
``min_words`` and where it only points elsewhere ("See the tutorial."). All other prose becomes passages too.

A sample of questions takes the first of the seeded order by which :mod:`synthrank.sources.documentation` splits them:
it is part of a larger one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from synthrank.records import Judgment, Passage, Query
from synthrank.sources.documentation import Ids, Pair, chunks, matches, pages_of, queries_of, sample_of
from synthrank.sources.rst import Page, Section
from synthrank.specs.corpora import Archive, FaqCorpus

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
        self._pairs: dict[str, list[Pair]] = {}
        self._distractors: dict[str, list[Passage]] = {}
        pages = {item.package: pages_of(item, item.docs + item.faq, origin, archives) for item in spec.archives}
        ids, answers = Ids(), dict[str, Passage]()
        # answers of all archives first: a distractor with the text of any answer would be an unjudged relevant passage
        for archive in spec.archives:
            self._pairs[archive.package] = self._read_pairs(archive, pages[archive.package], ids, answers)
        seen = set(answers)
        for archive in spec.archives:
            self._distractors[archive.package] = self._read_distractors(archive, pages[archive.package], ids, seen)

    def passages(self) -> Iterator[Passage]:
        """Yield, an archive after the other, the answers and then the distractors, both as the pages have them."""
        for package, pairs in self._pairs.items():
            yield from {pair.passage.id: pair.passage for pair in pairs}.values()
            yield from self._distractors[package]

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return the questions of a split and one judgment each."""
        return queries_of(self._pairs, split, self._spec.splits, self._spec.seed, self._origin)

    def report(self) -> dict[str, Any]:
        """Return, for each archive, what was found and what was left out."""
        return {package: dict(sorted(counts.items())) for package, counts in self._counts.items()}

    def _read_pairs(self, archive: Archive, pages: Iterable[Page], ids: Ids, answers: dict[str, Passage]) -> list[Pair]:
        counts, pairs = self._counts[archive.package], list[Pair]()
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
                    pairs.append(Pair(Query(slug.replace("#", "?"), section.heading), answer))
        kept = sample_of(pairs, self._spec.questions, self._spec.seed, lambda pair: pair.passage.id)
        counts["questions left out by the limit"] = len(pairs) - len(kept)
        counts["questions"] = len(kept)
        return kept

    def _read_distractors(self, archive: Archive, pages: Iterable[Page], ids: Ids, seen: set[str]) -> list[Passage]:
        counts, found = self._counts[archive.package], list[Passage]()
        for page in pages:
            asked = questions(page.root) if matches(page.path, archive.faq) else []
            for section in _others(page.root, asked):
                title = page.root.heading
                if section is not page.root:
                    title += f": {section.heading}"
                for text in chunks(section.blocks, self._spec.max_words):
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


def questions(page: Section) -> list[Section]:
    """Return the sections of a FAQ page whose headings are questions, in the order of the page."""
    found: list[Section] = []
    for section in page.sections:
        groups = not section.blocks or any(below.heading.endswith("?") for below in section.sections)
        if section.sections and groups:
            found += questions(section)
        elif section.blocks:
            found.append(section)
    return found


def answer_text(question: Section, max_words: int) -> str:
    """Return the answer under a heading, cut at a paragraph to ``max_words``."""
    return next(chunks([_LABEL.sub("", block) for block in question.prose()], max_words), "")


def _others(section: Section, asked: Iterable[Section]) -> Iterator[Section]:
    """Yield the section and those below it, without the questions and what belongs to their answers."""
    yield section
    for below in section.sections:
        if not any(below is question for question in asked):
            yield from _others(below, asked)
