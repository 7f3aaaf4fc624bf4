"""Step concatenate_replies: concatenate the replies of all shards."""

from heapq import merge
from operator import itemgetter
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.paradigms import AskedParadigm, ParadigmSpec
from synthrank.data.files import json_lines, write_jsonl
from synthrank.data.shards import Shard
from synthrank.llms.parsing.written import read_rounds


def concatenate_replies(*, requests: Path, paradigm: Path, shards: list[Path], replies: Path) -> None:
    """Concatenate the replies of all shards, round by round, as a single job would write them.

    Memory holds the passages of the replies, but not the messages.

    Args:
        requests: the requests.
        paradigm: the paradigm's entity file: conditions for a usable reply, replies per query, and attempts.
        shards: the replies of every shard, in order.
        replies: written: every reply, by round, in the order of the requests.

    Raises:
        ShardError: a shard lacks replies, or has replies to queries of another shard.
    """
    spec: AskedParadigm = load(ParadigmSpec, paradigm)
    names = [row["query_id"] for _, row in json_lines(requests)]
    parts = zip(shards, Shard.all(len(shards)), strict=True)
    rounds = (read_rounds(path, shard.take(names, len(names)), spec) for path, shard in parts)
    # Replies of one round keep the order of the shards.
    write_jsonl(replies, (reply for _, reply, _ in merge(*rounds, key=itemgetter(0))))
