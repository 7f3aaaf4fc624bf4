"""Find passages of a batch that are relevant to other rows' queries; they must not be in-batch negatives there."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle, islice

import numpy as np
import numpy.typing as npt

from synthrank.data.passage_texts import text_key
from synthrank.data.records import Candidate, Group

GroupCandidates = tuple[Group, Sequence[Candidate]]
"""A row of a training set: its group, and its passages with the positive first."""


class Relevance:
    """The passages of the rows of a training set, and the passages that are relevant to each row's query.

    A passage is relevant to a query if it is a positive of a row with the same query text, if the group of that row
    lists it as ``relevant``, or if it has the same text as one of these passages. Two texts are the same if their
    :func:`synthrank.data.passage_texts.text_key` is equal.
    """

    def __init__(self, rows: Sequence[GroupCandidates]) -> None:
        """Index the passages of the training rows, which must all have the same number of negatives."""
        codes: dict[str, int] = {}
        codes_of: dict[str, set[int]] = defaultdict(set)
        for _, items in rows:
            for item in items:
                codes_of[item.id].add(codes.setdefault(text_key(item.text), len(codes)))
        self._passages = np.array([[codes[text_key(item.text)] for item in items] for _, items in rows])
        relevant: dict[str, set[int]] = defaultdict(set)
        for group, (positive, *_) in rows:
            relevant[text_key(group.query)].add(codes[text_key(positive.text)])
            relevant[text_key(group.query)].update(
                *(codes_of[name] for name in (positive.id, *group.relevant) if name in codes_of)
            )
        self._relevant = [relevant[text_key(group.query)] for group, _ in rows]
        self.rows_masked = 0
        """The number of rows with a masked passage, over all calls of :meth:`mask`."""

    def mask(self, rows: Sequence[int], first: int, count: int) -> npt.NDArray[np.bool_]:
        """Return a mask of the in-batch negatives that are relevant to a row's query.

        Args:
            rows: all rows of the batch.
            first: the index of the first row to mask.
            count: the number of rows to mask.

        Returns:
            Shape (``count``, columns x rows): the positives of all rows of the batch, then the first negatives of all
            rows, and so on. A row's own passages are never masked.
        """
        passages = self._passages[rows].T
        mask = np.zeros((count, *passages.shape), dtype=bool)
        for place in range(count):
            mask[place] = np.isin(passages, list(self._relevant[rows[first + place]]))
            mask[place, :, first + place] = False
        flat = mask.reshape(count, -1)
        self.rows_masked += int(flat.any(axis=1).sum())
        return flat

    def deal(self, rows: Sequence[int], size: int, *, fill: bool = False) -> list[list[int]]:
        """Divide rows into batches in which no positive is relevant to the query of another row, if possible.

        Each row goes to the next batch that it fits into. If no batch with room fits, the row changes places with a row
        of a full batch. The number of batches is the usual one, and all batches but the last are full.

        Args:
            rows: the rows, in random order.
            size: rows per batch.
            fill: also fill the last batch, with the first rows that fit, or if no row fits, with the first rows.
        """
        count = -(-len(rows) // size)
        batches = [_Batch(size) for _ in range(count)]
        batches[-1].room = len(rows) - size * (count - 1)
        for place, row in enumerate(rows):
            turn = (batches[(place + step) % count] for step in range(count))
            batch = next((batch for batch in turn if batch.room and self._fits(row, batch)), None)
            if batch:
                self._put(row, batch)
            else:
                self._exchange(row, batches)
        if fill:
            self._fill(batches[-1], rows, size)
        return [batch.rows for batch in batches]

    def _exchange(self, row: int, batches: Sequence["_Batch"]) -> None:
        """Put a row into a full batch and move one of its rows to the first batch with room.

        If no such exchange fits, put the row itself into the first batch with room.
        """
        spare = next(batch for batch in batches if batch.room)
        for batch in batches:
            if not batch.room and self._fits(row, batch):
                for place, other in enumerate(batch.rows):
                    if self._fits(other, spare):
                        self._put(other, spare)
                        batch.rows[place] = row
                        return self._update_sets(batch)
        return self._put(row, spare)

    def _fill(self, batch: "_Batch", rows: Sequence[int], size: int) -> None:
        """Fill a batch with the first rows that fit, then with the first rows."""
        batch.room = size - len(batch.rows)
        for row in rows:
            if batch.room and self._fits(row, batch):
                self._put(row, batch)
        for row in islice(cycle(rows), batch.room):
            self._put(row, batch)

    def _fits(self, row: int, batch: "_Batch") -> bool:
        positive = int(self._passages[row, 0])
        return positive not in batch.relevant and batch.positives.isdisjoint(self._relevant[row])

    def _put(self, row: int, batch: "_Batch") -> None:
        batch.rows.append(row)
        batch.room -= 1
        batch.positives.add(int(self._passages[row, 0]))
        batch.relevant |= self._relevant[row]

    def _update_sets(self, batch: "_Batch") -> None:
        """Compute the positives and relevant passages of a batch again after a row was replaced."""
        batch.positives = set(self._passages[batch.rows, 0].tolist())
        batch.relevant = set().union(*(self._relevant[row] for row in batch.rows))


class _Batch:
    """Rows of a batch, the room for more, their positives, and the passages relevant to their queries."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.rows: list[int] = []
        self.positives: set[int] = set()
        self.relevant: set[int] = set()
