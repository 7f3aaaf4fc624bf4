"""Documentation in unpacked source distributions: pages, texts, and queries with a relevant passage.

The queries of each archive are in the seeded order (``synthrank.data.sampling``) of the ids of their passages. They are
divided among the splits by the shares of the splits, rounded. Queries with a common passage are in the same split: the
split of the first of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate, chain, count
from pathlib import Path, PurePosixPath
from typing import TypeVar

from synthrank.config.corpora import Archive
from synthrank.data.records import Judgment, Passage, Query
from synthrank.data.sampling import shuffle
from synthrank.data.sources.rst import Page, read_pages
from synthrank.errors import ConfigError, DataError, list_known

_ID_LENGTH = 80
_CONTAINERS = ("doc", "docs", "build", "src", "source")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RelevantPair:
    """A query and its relevant passage. Queries with equal passage texts share one passage."""

    query: Query
    passage: Passage


def pages_of(
    archive: Archive, globs: Iterable[str], origin: Path, archives: Path, *, without: Iterable[str] = ()
) -> list[Page]:
    """Return the pages of an unpacked archive that match any of the globs, sorted by path.

    Args:
        archive: the archive.
        globs: the globs of its pages.
        origin: the file of the corpus, for errors.
        archives: the folder of all unpacked archives.
        without: globs of omitted pages.

    Raises:
        DataError: the archive is missing, or a glob matches no file.
    """
    folder, globs, without = archives / archive.package, tuple(globs), tuple(without)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; expected the unpacked archive {archive.package}")
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for glob in globs + without:
        if not any(fnmatchcase(name, glob) for name in names):
            raise DataError(f"{folder}: no file matches the glob {glob!r} that {origin} states")
    return read_pages(folder, [name for name in names if matches(name, globs) and not matches(name, without)])


def queries_of_split(
    pairs_of: Mapping[str, Sequence[RelevantPair]], split: str, shares: Mapping[str, float], seed: int, origin: Path
) -> tuple[list[Query], list[Judgment]]:
    """Return the queries of a split and one judgment per query.

    Args:
        pairs_of: the pairs of each archive.
        split: the split.
        shares: the share of each split.
        seed: the seed of the order.
        origin: the file of the corpus, for the error.

    Raises:
        ConfigError: there is no such split.
    """
    if split not in shares:
        raise ConfigError(f"{origin}: splits: no split {split!r}; {list_known(shares)}")
    # Queries of different archives may share a passage, so the splits of passages apply to all archives.
    fixed: dict[str, str] = {}
    chosen: list[RelevantPair] = []
    for pairs in pairs_of.values():
        names = split_pairs(pairs, shares, seed, fixed)
        chosen += [pair for pair in pairs if names[pair.query.id] == split]
    return [pair.query for pair in chosen], [Judgment(pair.query.id, pair.passage.id, 1) for pair in chosen]


def cut_between_blocks(blocks: Iterable[str], max_words: int) -> Iterator[str]:
    """Yield consecutive texts of at most ``max_words`` words, cut between blocks.

    A longer block is cut between sentences. A longer sentence is not cut.
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


def split_pairs(
    pairs: Iterable[RelevantPair], shares: Mapping[str, float], seed: int, fixed: dict[str, str]
) -> dict[str, str]:
    """Return the split of each query id, as described in this module.

    Args:
        pairs: the pairs of one archive.
        shares: the share of each split; they sum to 1.
        seed: the seed of the order.
        fixed: the split of each passage id with a split. New passages are added.
    """
    placed = ordered_by(list(pairs), seed, lambda pair: pair.passage.id)
    ends = [round(share * len(placed)) for share in accumulate(shares.values())]
    result = {}
    for place, (_, pair) in enumerate(placed):
        own = next(name for name, end in zip(shares, ends, strict=True) if place < end)
        result[pair.query.id] = fixed.setdefault(pair.passage.id, own)
    return result


class SlugIds:
    """Ids made of package, path and heading. Repeated ids get a number, from 2."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def new(self, package: str, path: str, heading: str) -> str:
        """Return a new id."""
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
    """Return whether a path matches any of the globs."""
    return any(fnmatchcase(name, glob) for glob in globs)


def ordered_by(items: Sequence[T], seed: int, name: Callable[[T], str]) -> list[tuple[int, T]]:
    """Return (position, item) pairs in the seeded order of the names. Items with the same name stay together."""
    ranks = {own: rank for rank, own in enumerate(shuffle({name(item) for item in items}, seed))}
    return sorted(enumerate(items), key=lambda item: (ranks[name(item[1])], item[0]))


def sample_of(items: Sequence[T], limit: int | None, seed: int, name: Callable[[T], str]) -> list[T]:
    """Return the first ``limit`` items of the seeded order, in their original order."""
    return [item for _, item in sorted(ordered_by(items, seed, name)[:limit], key=lambda pair: pair[0])]
