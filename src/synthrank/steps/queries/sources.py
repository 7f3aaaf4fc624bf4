"""Read the sampled passages for which a model generates queries."""

from pathlib import Path

from synthrank.data.files import count_lines, json_lines, read_jsonl
from synthrank.data.records import Passage
from synthrank.data.shards import Shard


def read_shard(sampled: Path, shard: str) -> list[Passage]:
    """Return a shard of the sampled passages."""
    return list(Shard.parse(shard).take(read_jsonl(sampled, Passage), count_lines(sampled)))


def ids_of(sampled: Path) -> list[str]:
    """Return the ids of the sampled passages."""
    return [row["id"] for _, row in json_lines(sampled)]
