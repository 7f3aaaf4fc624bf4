"""Shards: parts of a step's work for several jobs, with Snakemake's scatter and gather.

A shard is a range of consecutive rows, so the concatenated shards are all rows. Sizes differ by at most one row, or by
one unit if rows are divided in units.
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
    """Shard ``number`` (from 1) of ``of`` shards."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Return the shard of a name such as ``2-of-4`` from Snakemake.

        Raises:
            ConfigError: the name is invalid.
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
            unit: rows that stay together, such as the rows that a model sorts into batches. The last digit of a result
                may depend on the other rows of its batch, but must not depend on the number of shards.
        """
        units = -(-total // unit)
        ends = units * (self.number - 1) // self.of * unit, units * self.number // self.of * unit
        return range(ends[0], min(ends[1], total))

    def take(self, rows: Iterable[T], total: int, unit: int = 1) -> Iterator[T]:
        """Yield this shard of ``total`` rows. Other rows are skipped and not kept in memory."""
        mine = self.rows(total, unit)
        return islice(rows, mine.start, mine.stop)

    def __str__(self) -> str:
        """Return Snakemake's name of the shard."""
        return f"{self.number}-of-{self.of}"


def check_shards(found: Sequence[tuple[Path, int]], total: int, unit: int = 1) -> None:
    """Check the number of rows of all shards.

    Args:
        found: file or folder and number of rows of every shard, in order.
        total: the rows of all shards.
        unit: the rows that stayed together.

    Raises:
        ShardError: a shard has a wrong number of rows.
    """
    for shard, (path, rows) in zip(Shard.all(len(found)), found, strict=True):
        expected = len(shard.rows(total, unit))
        if rows != expected:
            raise ShardError(
                f"{path}: {rows:,} rows; expected {expected:,} for shard {shard.number} of {shard.of} of {total:,} "
                "rows; delete it and run again"
            )


def check_names(found: Sequence[tuple[Path, Sequence[str]]], names: Sequence[str]) -> None:
    """Check the names of the rows of all shards.

    Args:
        found: file and names of every shard, in order.
        names: the names of all rows.

    Raises:
        ShardError: a shard has a wrong number of names, or wrong names.
    """
    check_shards([(path, len(held)) for path, held in found], len(names))
    rest = iter(names)
    for path, held in found:
        for name, expected in zip(held, rest, strict=False):
            if name != expected:
                raise ShardError(f"{path}: contains {name} in place of {expected}; delete it and run again")
