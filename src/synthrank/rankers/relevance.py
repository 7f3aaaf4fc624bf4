"""Which passages of a batch are relevant to other rows' queries, so that they are no in-batch negatives of theirs."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import cycle, islice

import numpy as np
import numpy.typing as npt

from synthrank.records import Candidate, Group
from synthrank.texts import text_key

Row = tuple[Group, Sequence[Candidate]]
"""A row of a training set: its group; its positive and then its negatives."""


class Relevance:
    """What the rows of a training set hold, and what of it is relevant to their queries.

    Relevant are the positives of all rows with the query's text, what their groups state as ``relevant``, and whatever
    has the text of one of these. Texts are the same by :func:`synthrank.texts.text_key`.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        """Take rows of equal numbers of negatives."""
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
        """Rows of which :meth:`mask` masked anything, over all calls."""

    def mask(self, rows: Sequence[int], first: int, count: int) -> npt.NDArray[np.bool_]:
        """Return which in-batch negatives of some rows of a batch are relevant to their queries.

        Args:
            rows: all rows of the batch.
            first: the place of the first row that is asked for.
            count: how many are.

        Returns:
            Shape (``count``, columns x rows): the positives of all rows of the batch, then the first negatives of all,
            and so on. A row's own passages are never masked.
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
        """Return rows in batches in which no positive is relevant to the query of another row, as far as that goes.

        Rows are dealt in turn, each to the next batch that it fits into; where it fits into none with room, a row
        changes places for it. There are as many batches as if nothing were kept apart, all full but the last.

        Args:
            rows: the rows, in random order.
            size: rows of a batch.
            fill: fill the last batch too, with the first rows that fit, or where none does, with the first.
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
        """Put a row in the place of one of a full batch that fits into the first batch with room, or else into that."""
        spare = next(batch for batch in batches if batch.room)
        for batch in batches:
            if not batch.room and self._fits(row, batch):
                for place, other in enumerate(batch.rows):
                    if self._fits(other, spare):
                        self._put(other, spare)
                        batch.rows[place] = row
                        return self._gather(batch)
        return self._put(row, spare)

    def _fill(self, batch: "_Batch", rows: Sequence[int], size: int) -> None:
        """Fill a batch with the first rows that fit, and then with the first."""
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

    def _gather(self, batch: "_Batch") -> None:
        """Gather anew what the rows of a batch have, one of which was replaced."""
        batch.positives = set(self._passages[batch.rows, 0].tolist())
        batch.relevant = set().union(*(self._relevant[row] for row in batch.rows))


class _Batch:
    """Rows, how many more there is room for, their positives, and what is relevant to their queries."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.rows: list[int] = []
        self.positives: set[int] = set()
        self.relevant: set[int] = set()
