"""Forward passes that pad little: rows of like length go together, as many as a budget of tokens allows.

A batch padded to its longest row spends, at MS MARCO's passage lengths, a third of its work on padding. Nothing is done
row by row in Python: rows are sorted and cut into runs of neighbours, each run trimmed to its own longest row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

LENGTHS = "lengths"
"""The key under which a batch carries the number of tokens of each row, on the host: no device is waited for."""


CPU_TOKENS = 2048
"""Padded tokens a pass on a CPU: between 512 and 8192 the time differs by a tenth, while one batch of 100 pairs of MS
MARCO's lengths, 20 000 tokens, takes 2.4 times as long (t5-small, one core)."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one forward pass may hold, and what it costs beside its tokens.

    ``tokens`` counts padding too. ``overhead`` is the fixed cost of a forward pass in tokens: the larger, the more
    padding is taken for fewer passes.
    """

    tokens: int
    overhead: int


def budget(device: str, rows: int, max_length: int) -> Budget:
    """Return the budget of a device: ``rows`` of full length, and on a CPU no more than its caches hold well.

    Args:
        device: ``cuda`` or ``cpu``.
        rows: how many rows of full length fit.
        max_length: tokens of a row of full length.
    """
    if device == "cpu":
        return Budget(max(max_length, min(rows * max_length, CPU_TOKENS)), overhead=128)
    return Budget(rows * max_length, overhead=2048)  # launching a pass's kernels takes as long as many tokens


def runs(lengths: Sequence[int], limit: Budget) -> tuple[list[int], list[int]]:
    """Cut rows into runs with the smallest sum of padded tokens and overheads.

    A dynamic programme over the rows sorted by falling length: the best way to cut the first n of them ends with a run
    from some m, whose width is the length of row m.

    Args:
        lengths: tokens of each row, each at least 1.
        limit: padded tokens a run may have; a row longer than that has a run of its own.

    Returns:
        The rows in falling length, and how many of them each run takes.
    """
    order = np.argsort(-np.asarray(lengths), kind="stable")
    width = np.asarray(lengths)[order].astype(np.int64)
    best = np.zeros(len(width) + 1, dtype=np.int64)
    begin = np.zeros(len(width) + 1, dtype=np.int64)
    low = 0
    for end in range(1, len(width) + 1):
        while low < end - 1 and (end - low) * width[low] > limit.tokens:
            low += 1  # rows are sorted, so a run that is too large for this end is so for every later one
        cost = best[low:end] + (end - np.arange(low, end)) * width[low:end] + limit.overhead
        place = int(cost.argmin())
        best[end], begin[end] = cost[place], low + place
    sizes = []
    end = len(width)
    while end:
        sizes.append(end - int(begin[end]))
        end = int(begin[end])
    return order.tolist(), sizes[::-1]


def in_runs(
    forward: Callable[[dict[str, Any]], Mapping[str, Any]], features: dict[str, Any], key: str, limit: Budget
) -> Tensor:
    """Return what ``forward`` gives for every row under ``key``, in the rows' order, computed run by run.

    Args:
        forward: takes features and returns them with ``key``, whose first axis is the rows.
        features: tensors of shape (rows, longest row) with ``attention_mask``, padded at the right; what has another
            shape goes along with every run.
        key: the key of what is wanted.
        limit: what a run may hold.
    """
    mask = features["attention_mask"]
    lengths = features.get(LENGTHS) or mask.sum(dim=1).tolist()
    order, sizes = runs(lengths, limit)
    rest = {name: value for name, value in features.items() if name != LENGTHS}
    if len(sizes) == 1:
        given: Tensor = forward(rest)[key]
        return given
    rows = torch.tensor(order, device=mask.device)
    parts: list[Tensor] = []
    first = 0
    for size in sizes:
        chosen, width = rows[first : first + size], lengths[order[first]]
        run = {name: value[chosen, :width] if _is_rows(value, mask) else value for name, value in rest.items()}
        parts.append(forward(run)[key])
        first += size
    return torch.cat(parts)[torch.argsort(rows)]


def _is_rows(value: Any, mask: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape[:2] == mask.shape
