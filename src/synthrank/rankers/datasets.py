"""Convert training groups to the columns that losses expect, and count truncated texts."""

from collections.abc import Sequence
from typing import Any

from datasets import Dataset
from tokenizers import Tokenizer

from synthrank.config.rankers import DISTILS, BiEncoderRanker, Reranker
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Candidate, Group
from synthrank.errors import ModelError
from synthrank.rankers.relevance import GroupCandidates, Relevance

ROW = "label"
"""The column of row numbers. The library passes the column with this name to the loss."""

TEXTS_AT_ONCE = 4096
"""Texts that are tokenised together, which limits memory."""


def listwise_dataset(groups: Sequence[Group], spec: BiEncoderRanker | Reranker) -> Dataset:
    """Return one row per group: query, passages, and labels (or the teacher's scores if the loss needs them).

    Raises:
        ModelError: a group has no candidate, a label above 1 with binary cross-entropy, or a passage without the
            teacher's score that the loss needs.
    """
    kept = [_cut_group(group, spec.negatives) for group in groups]
    for group, items in zip(groups, kept, strict=True):
        if not items:
            raise ModelError(f"query {group.query_id}: no candidates; {spec.loss} needs at least one")
        if spec.loss == "binary-cross-entropy" and max(item.label for item in items) > 1:
            raise ModelError(f"query {group.query_id}: a label above 1; {spec.loss} needs labels from 0 to 1")
        if spec.loss == DISTILS and any(item.teacher is None for item in items):
            raise ModelError(
                f"query {group.query_id}: a passage has no teacher score; {spec.loss} needs a recipe with a teacher"
            )
    return Dataset.from_dict(
        {
            "query": [group.query for group in groups],
            "passages": [[item.text for item in items] for items in kept],
            "labels": [[_target(item, spec.loss) for item in items] for items in kept],
        }
    )


def contrastive_dataset(groups: Sequence[Group], spec: BiEncoderRanker | Reranker) -> tuple[Dataset, Relevance]:
    """Return one row per positive (query, positive, one column per negative, row number), and the relevant passages.

    Raises:
        ModelError: a label is not 0 or 1, a group has no positive, or groups have different numbers of negatives.
    """
    rows: list[GroupCandidates] = []
    for group in groups:
        if {item.label for item in group.candidates} - {0.0, 1.0}:
            raise ModelError(f"query {group.query_id}: graded labels; {spec.loss} needs labels 0 and 1")
        positives = [item for item in group.candidates if item.label > 0]
        negatives = [item for item in _cut_group(group, spec.negatives) if item.label == 0]
        if not positives:
            raise ModelError(f"query {group.query_id}: no positive; {spec.loss} needs at least one")
        rows += [(group, [positive, *negatives]) for positive in positives]
    widths = {len(items) for _, items in rows}
    if len(widths) > 1:
        raise ModelError(
            f"groups have {min(widths) - 1} to {max(widths) - 1} negatives; {spec.loss} needs the same number per group"
        )
    names = ["positive", *(f"negative_{place}" for place in range(1, widths.pop()))]
    columns = {name: [items[place].text for _, items in rows] for place, name in enumerate(names)}
    data = {"query": [group.query for group, _ in rows], **columns, ROW: list(range(len(rows)))}
    return Dataset.from_dict(data), Relevance(rows)


def pairs_of(data: Dataset) -> list[tuple[str, str]]:
    """Return the query-passage pairs of a data set made by a function of this module."""
    if "passages" in data.column_names:
        return [(row["query"], text) for row in data for text in row["passages"]]
    names = [name for name in data.column_names if name not in ("query", ROW)]
    return [(row["query"], row[name]) for row in data for name in names]


def count_cut(tokenizer: Any, max_length: int, *columns: Sequence[str]) -> int:
    """Count the texts that have more than ``max_length`` tokens, or the pairs of texts if there are two columns."""
    some = split_into_batches(zip(*columns, strict=True), TEXTS_AT_ONCE)
    return sum(_count_longer(tokenizer, max_length, *map(list, zip(*rows, strict=True))) for rows in some)


def _count_longer(tokenizer: Any, max_length: int, *columns: list[str]) -> int:
    if isinstance(tokenizer, Tokenizer):  # of a static model, and set to truncate at the length
        (texts,) = columns
        return sum(bool(encoding.overflowing) for encoding in tokenizer.encode_batch(texts, add_special_tokens=False))
    encoded = tokenizer(*columns, truncation=False, padding=False, return_attention_mask=False, verbose=False)
    return sum(len(row) > max_length for row in encoded["input_ids"])


def _target(item: Candidate, loss: str) -> float:
    """Return the target of a passage's score: the teacher's score or the label."""
    return float(item.teacher if loss == DISTILS and item.teacher is not None else item.label)


def _cut_group(group: Group, negatives: int | None) -> list[Candidate]:
    """Return a group's positives and at most ``negatives`` of its other candidates, the first ones."""
    positives = [item for item in group.candidates if item.label > 0]
    others = [item for item in group.candidates if item.label <= 0]
    return positives + others[:negatives]
