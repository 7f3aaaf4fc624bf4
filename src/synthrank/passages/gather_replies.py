"""Step gather_replies: the replies of all shards, as if one job had asked for them."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path

from synthrank.errors import ShardError
from synthrank.files import atomic_text, json_lines, read_jsonl, text_lines
from synthrank.reading.written import Rounds
from synthrank.records import Reply
from synthrank.shards import Shard, check_names
from synthrank.specs.base import load
from synthrank.specs.paradigms import Asked, ParadigmSpec

log = logging.getLogger(__name__)


def gather_replies(*, requests: Path, paradigm: Path, shards: list[Path], replies: Path) -> None:
    """Concatenate shards, round by round: the file is the one that a single job would write.

    Which replies a round holds is read out of the replies themselves, as it was when they were asked for. No more than
    the passages of a shard is held, never the messages.

    Args:
        requests: what was asked.
        paradigm: the paradigm's entity file: it says when a reply is usable, how many are wanted and how often to ask.
        shards: the replies of every shard, from the first on.
        replies: written: every reply, by round, in the order of the requests.

    Raises:
        ShardError: a shard holds other queries than it should, or not all replies to them.
    """
    spec: Asked = load(ParadigmSpec, paradigm)
    names = [row["query_id"] for _, row in json_lines(requests)]
    check_names([(path, list(dict.fromkeys(row["query_id"] for _, row in json_lines(path)))) for path in shards], names)
    parts = (shard.take(names, len(names)) for shard in Shard.all(len(shards)))
    sizes = [_sizes(path, part, spec) for path, part in zip(shards, parts, strict=True)]
    log.info("%d replies to %d queries in %d shards", sum(map(sum, sizes)), len(names), len(shards))
    with atomic_text(replies) as stream:
        stream.writelines(line + "\n" for line in _by_round(shards, sizes))


def _sizes(path: Path, names: Iterable[str], spec: Asked) -> list[int]:
    """Return how many replies each round of a shard has."""
    rounds, came, sizes = Rounds(names, spec), read_jsonl(path, Reply), list[int]()
    while asks := rounds.asks():
        for name, sample in asks:
            reply = next(came, None)
            if reply is None or (reply.query_id, reply.sample) != (name, sample):
                raise ShardError(f"{path}: lacks reply {sample} to query {name}: delete it, run again")
            rounds.take(reply)
        sizes.append(len(asks))
    if next(came, None):
        raise ShardError(f"{path}: holds more than the {sum(sizes):,} replies that were wanted: delete it, run again")
    return sizes


def _by_round(shards: Sequence[Path], sizes: Sequence[Sequence[int]]) -> Iterator[str]:
    """Yield the lines of all shards: those of the first round, then those of the second, and so on."""
    lines = [(line for _, line in text_lines(path) if line.strip()) for path in shards]
    for of_round in zip_longest(*sizes, fillvalue=0):
        for shard, size in zip(lines, of_round, strict=True):
            yield from islice(shard, size)
