"""Shards: the parts of a step's work that several jobs do, by Snakemake's scatter and gather.

Every shard is a stretch of the rows that the step works through, in their order, so that shards concatenated are
the whole; no two differ by more than one row, or one unit where rows are shared by units.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from synthrank.errors import ConfigError, ShardError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several shards of some rows, the ``number``-th from 1 of ``of``."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return the shard that Snakemake names ``2-of-4``.

        Raises:
            ConfigError: the text is no such name.
        """
        found = re.fullmatch(r"([1-9]\d*)-of-([1-9]\d*)", text)
        if not found or int(found[1]) > int(found[2]):
            raise ConfigError(f"shard: got {text!r}; expected a name such as 2-of-4")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def all(cls, count: int) -> "list[Shard]":
        """Return all of ``count`` shards, in their order."""
        return [cls(number, count) for number in range(1, count + 1)]

    def rows(self, total: int, unit: int = 1) -> range:
        """Return the places of this shard among ``total`` rows.

        Args:
            total: the rows of all shards.
            unit: rows that stay together, such as those that a model sorts into batches: what it makes of a row may
                depend in the last digit on the others of its batch, and must not depend on the number of shards.
        """
        units = -(-total // unit)
        ends = units * (self.number - 1) // self.of * unit, units * self.number // self.of * unit
        return range(ends[0], min(ends[1], total))

    def take(self, rows: Iterable[T], total: int, unit: int = 1) -> Iterator[T]:
        """Yield this shard of ``total`` rows; the others are passed over, never held."""
        mine = self.rows(total, unit)
        return islice(rows, mine.start, mine.stop)

    def __str__(self) -> str:
        """Return the name that Snakemake gives it."""
        return f"{self.number}-of-{self.of}"


def check_shards(found: Sequence[tuple[Path, int]], total: int, unit: int = 1) -> None:
    """Check that shards, in their order, hold their rows and nothing else.

    Args:
        found: the file or folder of every shard and the rows it holds, from the first shard on.
        total: the rows of all.
        unit: the rows that stayed together.

    Raises:
        ShardError: a shard holds another number of rows than it should.
    """
    for shard, (path, rows) in zip(Shard.all(len(found)), found, strict=True):
        expected = len(shard.rows(total, unit))
        if rows != expected:
            raise ShardError(
                f"{path}: {rows:,} rows; shard {shard.number} of {shard.of} of {total:,} has {expected:,}: "
                "delete it, run again"
            )


def check_names(found: Sequence[tuple[Path, Sequence[str]]], names: Sequence[str]) -> None:
    """Check that shards, in their order, hold what belongs to their names, in their order.

    Args:
        found: the file of every shard and the names it holds, from the first shard on.
        names: those of all rows.

    Raises:
        ShardError: a shard holds another number of names than it should, or other ones.
    """
    check_shards([(path, len(held)) for path, held in found], len(names))
    rest = iter(names)
    for path, held in found:
        for name, expected in zip(held, rest, strict=False):
            if name != expected:
                raise ShardError(f"{path}: holds {name} where {expected} belongs: delete it, run again")
