"""Questions and answers out of FAQ pages, among other passages of the same documentation.

What counts as a question: on a page of the ``faq`` globs every heading below the page's title that has prose under it.
A heading is a grouping one, and is passed over, where it has subsections and either no prose of its own or a
subsection that ends with a question mark. The subsections of a question belong to its answer.

What is an answer: the paragraphs and list items under the heading, cut at a paragraph to ``max_words``; dropped below
``min_words`` and where it only points elsewhere ("See the tutorial."). All other prose becomes passages too.

How questions are split: within each archive the questions stand in the seeded order (``synthrank.order``) of their
answers' ids; the first share of them, rounded, goes to the first split, and so on. Questions that share one answer go
together, to the split of the first of them. A sample takes the first of the same order, so it is part of a larger one.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate, chain, count
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from synthrank.errors import ConfigError, DataError, known
from synthrank.order import seeded
from synthrank.records import Judgment, Passage, Query
from synthrank.sources.rst import Page, Section, read_pages
from synthrank.specs.corpora import Archive, FaqCorpus

_LABEL = re.compile(r"^Answer\s*:\s*", re.IGNORECASE)
_POINTER = re.compile(
    r"^(?:(?:yes|no)[.,:;!]\s*)?(?:please\s+)?(?:also\s+)?(?:see|read|consult|refer to|(?:have|take) a look at)\b"
    r"[^.!?]*(?:[.!?](?=\S)[^.!?]*)*[.!?]?$",
    re.IGNORECASE,
)
_ID_LENGTH = 80
T = TypeVar("T")
_CONTAINERS = ("doc", "docs", "build", "src", "source")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer; the passage of another question where both have the same text."""

    question: Query
    answer: Passage


class FaqSource:
    """Questions, answers and distractors of unpacked source distributions."""

    def __init__(self, spec: FaqCorpus, origin: Path, archives: Path) -> None:
        self._spec = spec
        self._origin = origin
        self._counts: dict[str, Counter[str]] = {archive.package: Counter() for archive in spec.archives}
        self._pairs: dict[str, list[Pair]] = {}
        self._distractors: dict[str, list[Passage]] = {}
        pages = {archive.package: self._pages(archive, archives) for archive in spec.archives}
        ids, answers = _Ids(), dict[str, Passage]()
        # answers of all archives first: a distractor with the text of any answer would be an unjudged relevant passage
        for archive in spec.archives:
            self._pairs[archive.package] = self._read_pairs(archive, pages[archive.package], ids, answers)
        seen = set(answers)
        for archive in spec.archives:
            self._distractors[archive.package] = self._read_distractors(archive, pages[archive.package], ids, seen)

    def passages(self) -> Iterator[Passage]:
        """Yield, an archive after the other, the answers and then the distractors, both as the pages have them."""
        for package, pairs in self._pairs.items():
            yield from {pair.answer.id: pair.answer for pair in pairs}.values()
            yield from self._distractors[package]

    def queries(self, split: str) -> tuple[list[Query], list[Judgment]]:
        """Return the questions of a split and one judgment each."""
        if split not in self._spec.splits:
            raise ConfigError(f"{self._origin}: splits: no split {split!r}; {known(self._spec.splits)}")
        # the answer of a pooled question may stand in another archive, so a split is remembered across all of them
        fixed: dict[str, str] = {}
        chosen: list[Pair] = []
        for pairs in self._pairs.values():
            names = split_questions(pairs, self._spec.splits, self._spec.seed, fixed)
            chosen += [pair for pair in pairs if names[pair.question.id] == split]
        return [pair.question for pair in chosen], [Judgment(pair.question.id, pair.answer.id, 1) for pair in chosen]

    def report(self) -> dict[str, Any]:
        """Return, for each archive, what was found and what was left out."""
        return {package: dict(sorted(counts.items())) for package, counts in self._counts.items()}

    def _pages(self, archive: Archive, archives: Path) -> list[Page]:
        folder = archives / archive.package
        if not folder.is_dir():
            raise DataError(f"{folder}: no such folder; it should hold the unpacked archive {archive.package}")
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        for glob in archive.docs + archive.faq:
            if not any(fnmatchcase(name, glob) for name in names):
                raise DataError(f"{folder}: no file matches the glob {glob!r} that {self._origin} states")
        return read_pages(folder, [name for name in names if _matches(name, archive.docs + archive.faq)])

    def _read_pairs(
        self, archive: Archive, pages: Iterable[Page], ids: "_Ids", answers: dict[str, Passage]
    ) -> list[Pair]:
        counts, pairs = self._counts[archive.package], list[Pair]()
        for page in pages:
            if not _matches(page.path, archive.faq):
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
        kept = _sample(pairs, self._spec.questions, self._spec.seed, lambda pair: pair.answer.id)
        counts["questions left out by the limit"] = len(pairs) - len(kept)
        counts["questions"] = len(kept)
        return kept

    def _read_distractors(self, archive: Archive, pages: Iterable[Page], ids: "_Ids", seen: set[str]) -> list[Passage]:
        counts, found = self._counts[archive.package], list[Passage]()
        for page in pages:
            asked = questions(page.root) if _matches(page.path, archive.faq) else []
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
        kept = _sample(found, self._spec.distractors, self._spec.seed, lambda passage: passage.id)
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


def chunks(blocks: Iterable[str], max_words: int) -> Iterator[str]:
    """Yield consecutive texts of at most ``max_words`` words, cut between blocks.

    A block that is longer by itself is cut between sentences; a sentence that is longer by itself comes whole.
    """
    taken: list[str] = []
    room = max_words
    for block in blocks:
        parts = [block] if len(block.split()) <= max_words else re.split(r"(?<=[.!?])\s+", block)
        for part in filter(None, parts):
            words = len(part.split())
            if words > room and taken:
                yield " ".join(taken)
                taken, room = [], max_words
            taken.append(part)
            room -= words
    if taken:
        yield " ".join(taken)


def split_questions(
    pairs: Iterable[Pair], shares: Mapping[str, float], seed: int, fixed: dict[str, str]
) -> dict[str, str]:
    """Return the split of each question id by the rule of this module.

    Args:
        pairs: the questions of one archive.
        shares: the share of each split; they sum to 1.
        seed: of the order.
        fixed: the split of each answer id already placed, added to.
    """
    ordered = _ordered(list(pairs), seed, lambda pair: pair.answer.id)
    ends = [round(share * len(ordered)) for share in accumulate(shares.values())]
    result = {}
    for place, (_, pair) in enumerate(ordered):
        own = next(name for name, end in zip(shares, ends, strict=True) if place < end)
        result[pair.question.id] = fixed.setdefault(pair.answer.id, own)
    return result


class _Ids:
    """Ids that are slugs of the place they come from, numbered from the second of a kind on."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def new(self, package: str, path: str, heading: str) -> str:
        parts = list(PurePosixPath(path).with_suffix("").parts)
        while len(parts) > 1 and parts[0] in _CONTAINERS:
            del parts[0]
        place = "/".join(_slug(part) for part in (package, *parts))
        base = f"{place}#{_slug(heading)}"
        name = next(name for name in chain([base], (f"{base}-{n}" for n in count(2))) if name not in self._seen)
        self._seen.add(name)
        return name


def _slug(text: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if len(slug) > _ID_LENGTH:
        slug = slug[:_ID_LENGTH].rsplit("-", 1)[0]
    return slug or "section"


def _others(section: Section, asked: Iterable[Section]) -> Iterator[Section]:
    """Yield the section and those below it, without the questions and what belongs to their answers."""
    yield section
    for below in section.sections:
        if not any(below is question for question in asked):
            yield from _others(below, asked)


def _matches(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _ordered(items: Sequence[T], seed: int, name: Callable[[T], str]) -> list[tuple[int, T]]:
    """Return the items in the seeded order of their names, each with its place; items of one name stay together."""
    ranks = {own: rank for rank, own in enumerate(seeded({name(item) for item in items}, seed))}
    return sorted(enumerate(items), key=lambda item: (ranks[name(item[1])], item[0]))


def _sample(items: Sequence[T], limit: int | None, seed: int, name: Callable[[T], str]) -> list[T]:
    """Return the first ``limit`` items of the seeded order, in the order they had."""
    return [item for _, item in sorted(_ordered(items, seed, name)[:limit], key=lambda pair: pair[0])]
