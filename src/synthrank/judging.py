"""Scores of pairs of a query and a passage that was written for it, whoever gives them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from synthrank.files import count_lines, read_jsonl, write_jsonl
from synthrank.progress import progress
from synthrank.records import Query, ScoredList, WrittenPassage
from synthrank.texts import chunks

TOGETHER = 2048
"""Pairs that are scored together: a model sorts them by length."""

Pair: TypeAlias = tuple[Query, str, str]
"""A query, and a passage's id and text."""


def write_scores(passages: Path, judge: Callable[[Sequence[Pair]], Sequence[float]], scores: Path) -> None:
    """Score every written passage for its query, and write one list a query.

    Args:
        passages: the written passages.
        judge: scores pairs, in their order.
        scores: written: the scores.
    """
    found: dict[str, dict[str, float]] = defaultdict(dict)
    written = progress(read_jsonl(passages, WrittenPassage), count_lines(passages), "passages")
    for some in chunks(written, TOGETHER):
        judged = judge([(Query(item.query_id, item.query), item.id, item.text) for item in some])
        for item, score in zip(some, judged, strict=True):
            found[item.query_id][item.id] = score
    write_jsonl(scores, (ScoredList(name, tuple(those), tuple(those.values())) for name, those in found.items()))
