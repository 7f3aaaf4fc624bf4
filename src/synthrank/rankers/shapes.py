"""Training groups as the columns that losses expect, and how many of their texts a model cuts."""

from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from synthrank.errors import ModelError
from synthrank.rankers.relevance import Relevance, Row
from synthrank.records import Candidate, Group
from synthrank.specs.rankers import DISTILS, BiEncoderRanker, Reranker
from synthrank.texts import chunks

ROW = "label"
"""The column of row numbers; the library hands a column of this name to the loss."""

TEXTS_AT_ONCE = 4096
"""Texts tokenised together: memory stays bounded."""


def listwise(groups: Sequence[Group], spec: BiEncoderRanker | Reranker) -> Dataset:
    """Return one row a group: query, its passages, their labels, or their teacher's scores where the loss needs them.

    Raises:
        ModelError: a group has no candidate, a label that is no probability where the loss needs one, or a passage
            without a teacher's score where the loss needs it.
    """
    kept = [_kept(group, spec.negatives) for group in groups]
    for group, items in zip(groups, kept, strict=True):
        if not items:
            raise ModelError(f"query {group.query_id}: no candidate; {spec.loss} needs a list")
        if spec.loss == "binary-cross-entropy" and max(item.label for item in items) > 1:
            raise ModelError(f"query {group.query_id}: graded labels; {spec.loss} needs labels up to 1")
        if spec.loss == DISTILS and any(item.teacher is None for item in items):
            raise ModelError(f"query {group.query_id}: no teacher's score; {spec.loss} needs a recipe with a teacher")
    return Dataset.from_dict(
        {
            "query": [group.query for group in groups],
            "passages": [[item.text for item in items] for items in kept],
            "labels": [[_target(item, spec.loss) for item in items] for items in kept],
        }
    )


def contrastive(groups: Sequence[Group], spec: BiEncoderRanker | Reranker) -> tuple[Dataset, Relevance]:
    """Return one row a positive: query, positive, one column for each negative, the row's number as its label.

    With it goes what is relevant to the rows' queries.

    Raises:
        ModelError: labels are not 0 and 1, a group has no positive, or the groups differ in negatives.
    """
    rows: list[Row] = []
    for group in groups:
        if {item.label for item in group.candidates} - {0.0, 1.0}:
            raise ModelError(f"query {group.query_id}: graded labels; {spec.loss} needs positives and negatives")
        positives = [item for item in group.candidates if item.label > 0]
        negatives = [item for item in _kept(group, spec.negatives) if item.label == 0]
        if not positives:
            raise ModelError(f"query {group.query_id}: no positive; {spec.loss} needs one")
        rows += [(group, [positive, *negatives]) for positive in positives]
    widths = {len(items) for _, items in rows}
    if len(widths) > 1:
        raise ModelError(
            f"groups have {min(widths) - 1} to {max(widths) - 1} negatives; {spec.loss} needs equal numbers"
        )
    names = ["positive", *(f"negative_{place}" for place in range(1, widths.pop()))]
    columns = {name: [items[place].text for _, items in rows] for place, name in enumerate(names)}
    data = {"query": [group.query for group, _ in rows], **columns, ROW: list(range(len(rows)))}
    return Dataset.from_dict(data), Relevance(rows)


def pairs_of(data: Dataset) -> list[tuple[str, str]]:
    """Return the query-passage pairs of the columns that a function of this module made."""
    if "passages" in data.column_names:
        return [(row["query"], text) for row in data for text in row["passages"]]
    names = [name for name in data.column_names if name not in ("query", ROW)]
    return [(row["query"], row[name]) for row in data for name in names]


def count_cut(tokenizer: Any, max_length: int, *columns: Sequence[str]) -> int:
    """Return how many texts exceed a length in tokens, or how many pairs of texts if there are two columns."""
    some = chunks(zip(*columns, strict=True), TEXTS_AT_ONCE)
    return sum(_count_longer(tokenizer, max_length, *map(list, zip(*rows, strict=True))) for rows in some)


def _count_longer(tokenizer: Any, max_length: int, *columns: list[str]) -> int:
    if isinstance(tokenizer, Tokenizer):  # of a static model, which is told to cut at the length
        (texts,) = columns
        return sum(bool(encoding.overflowing) for encoding in tokenizer.encode_batch(texts, add_special_tokens=False))
    encoded = tokenizer(*columns, truncation=False, padding=False, return_attention_mask=False, verbose=False)
    return sum(len(row) > max_length for row in encoded["input_ids"])


def _target(item: Candidate, loss: str) -> float:
    """Return what a loss over the list compares a passage's score with."""
    return float(item.teacher if loss == DISTILS and item.teacher is not None else item.label)


def _kept(group: Group, negatives: int | None) -> list[Candidate]:
    """Return a group's candidates with at most ``negatives`` of label 0; graded groups are cut at the end."""
    positives = [item for item in group.candidates if item.label > 0]
    others = [item for item in group.candidates if item.label <= 0]
    return positives + others[:negatives]
