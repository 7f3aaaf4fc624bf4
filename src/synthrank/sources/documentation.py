"""Documentation in unpacked source distributions: its pages, texts of it, and queries paired with a passage.

How queries are split: within each archive they stand in the seeded order (``synthrank.order``) of their passages' ids;
the first share of them, rounded, goes to the first split, and so on. Queries that share a passage go together, to the
split of the first of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate, chain, count
from pathlib import Path, PurePosixPath
from typing import TypeVar

from synthrank.errors import ConfigError, DataError, known
from synthrank.order import seeded
from synthrank.records import Judgment, Passage, Query
from synthrank.sources.rst import Page, read_pages
from synthrank.specs.corpora import Archive

_ID_LENGTH = 80
_CONTAINERS = ("doc", "docs", "build", "src", "source")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and its relevant passage; the passage of another query where both have the same text."""

    query: Query
    passage: Passage


def pages_of(
    archive: Archive, globs: Iterable[str], origin: Path, archives: Path, *, without: Iterable[str] = ()
) -> list[Page]:
    """Return the pages of an unpacked archive that match any of the globs, sorted by path.

    Args:
        archive: the archive.
        globs: of its pages, as the entity states them.
        origin: the entity's file, named in errors.
        archives: the folder of all unpacked archives.
        without: globs of pages that are left out.

    Raises:
        DataError: the archive is not there, or a glob matches no file.
    """
    folder, globs, without = archives / archive.package, tuple(globs), tuple(without)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; it should hold the unpacked archive {archive.package}")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for glob in globs + without:
        if not any(fnmatchcase(name, glob) for name in names):
            raise DataError(f"{folder}: no file matches the glob {glob!r} that {origin} states")
    return read_pages(folder, [name for name in names if matches(name, globs) and not matches(name, without)])


def queries_of(
    pairs_of: Mapping[str, Sequence[Pair]], split: str, shares: Mapping[str, float], seed: int, origin: Path
) -> tuple[list[Query], list[Judgment]]:
    """Return the queries of a split and one judgment each.

    Args:
        pairs_of: the pairs of each archive.
        split: the split.
        shares: the share of each split.
        seed: of the order of the split.
        origin: the entity's file, named in the error.

    Raises:
        ConfigError: there is no such split.
    """
    if split not in shares:
        raise ConfigError(f"{origin}: splits: no split {split!r}; {known(shares)}")
    # a query may share the passage of another archive, so a passage's split is remembered across all of them
    fixed: dict[str, str] = {}
    chosen: list[Pair] = []
    for pairs in pairs_of.values():
        names = split_pairs(pairs, shares, seed, fixed)
        chosen += [pair for pair in pairs if names[pair.query.id] == split]
    return [pair.query for pair in chosen], [Judgment(pair.query.id, pair.passage.id, 1) for pair in chosen]


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


def split_pairs(pairs: Iterable[Pair], shares: Mapping[str, float], seed: int, fixed: dict[str, str]) -> dict[str, str]:
    """Return the split of each query id by the rule of this module.

    Args:
        pairs: the pairs of one archive.
        shares: the share of each split; they sum to 1.
        seed: of the order.
        fixed: the split of each passage id already placed, added to.
    """
    placed = ordered_by(list(pairs), seed, lambda pair: pair.passage.id)
    ends = [round(share * len(placed)) for share in accumulate(shares.values())]
    result = {}
    for place, (_, pair) in enumerate(placed):
        own = next(name for name, end in zip(shares, ends, strict=True) if place < end)
        result[pair.query.id] = fixed.setdefault(pair.passage.id, own)
    return result


class Ids:
    """Ids that are slugs of the place they come from, numbered from the second of a kind on."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def new(self, package: str, path: str, heading: str) -> str:
        """Return an id that was not given before."""
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


def matches(name: str, globs: Iterable[str]) -> bool:
    """Tell whether a path matches any of the globs."""
    return any(fnmatchcase(name, glob) for glob in globs)


def ordered_by(items: Sequence[T], seed: int, name: Callable[[T], str]) -> list[tuple[int, T]]:
    """Return the items in the seeded order of their names, each with its place; items of one name stay together."""
    ranks = {own: rank for rank, own in enumerate(seeded({name(item) for item in items}, seed))}
    return sorted(enumerate(items), key=lambda item: (ranks[name(item[1])], item[0]))


def sample_of(items: Sequence[T], limit: int | None, seed: int, name: Callable[[T], str]) -> list[T]:
    """Return the first ``limit`` items of the seeded order, in the order they had."""
    return [item for _, item in sorted(ordered_by(items, seed, name)[:limit], key=lambda pair: pair[0])]
