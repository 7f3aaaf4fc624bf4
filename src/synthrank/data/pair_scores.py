"""Scores of pairs of a query and a passage generated for it, from any judge."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from synthrank.data.files import count_lines, read_jsonl, write_jsonl
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Query, ScoredList, WrittenPassage
from synthrank.runtime.progress import progress

TOGETHER = 2048
"""Number of pairs per call of the judge. A model sorts the pairs of a call by length."""

Pair: TypeAlias = tuple[Query, str, str]
"""A query, and the id and text of a passage."""


def write_pair_scores(passages: Path, judge: Callable[[Sequence[Pair]], Sequence[float]], scores: Path) -> None:
    """Score every generated passage for its query, and write one line per query.

    Args:
        passages: the generated passages.
        judge: returns the scores of pairs in their order.
        scores: the scores, written.
    """
    found: dict[str, dict[str, float]] = defaultdict(dict)
    written = progress(read_jsonl(passages, WrittenPassage), count_lines(passages), "passages")
    for some in split_into_batches(written, TOGETHER):
        judged = judge([(Query(item.query_id, item.query), item.id, item.text) for item in some])
        for item, score in zip(some, judged, strict=True):
            found[item.query_id][item.id] = score
    write_jsonl(scores, (ScoredList(name, tuple(those), tuple(those.values())) for name, those in found.items()))
