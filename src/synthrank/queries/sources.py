"""The passages that queries may be made from."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from synthrank.files import count_lines, json_lines, read_jsonl
from synthrank.held_out import excluded_passages
from synthrank.records import Passage
from synthrank.shards import Shard


def allowed(passages: Path, held_out: Iterable[Path]) -> Iterator[Passage]:
    """Yield the passages that have a text and answer no query of a held-out split.

    A query made from such an answer would be a training query for what the test asks.

    Args:
        passages: the passages of a corpus; read once, line by line.
        held_out: qrels of the splits that training must not see.
    """
    excluded = excluded_passages(held_out)
    return (item for item in read_jsonl(passages, Passage) if item.id not in excluded and item.text.strip())


def shard_of(sampled: Path, shard: str) -> list[Passage]:
    """Return a shard of the passages that ``sample_passages`` wrote."""
    return list(Shard.parse(shard).take(read_jsonl(sampled, Passage), count_lines(sampled)))


def ids_of(sampled: Path) -> list[str]:
    """Return the ids of the passages that ``sample_passages`` wrote."""
    return [row["id"] for _, row in json_lines(sampled)]
