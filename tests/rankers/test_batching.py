"""Runs of rows: the cheapest cut within the limit, and results in the order of the rows."""

import random
from itertools import pairwise

import pytest
import torch

from synthrank.rankers.batching import LENGTHS, BatchLimits, budget, cut_into_runs, encode_in_runs


def cost_of(lengths, sizes, limit):
    """Return the cost of a cut of rows sorted by decreasing length, or None if a run exceeds the limit."""
    total, first = 0, 0
    for size in sizes:
        padded = size * lengths[first]
        if size > 1 and padded > limit.tokens:
            return None
        total, first = total + padded + limit.overhead, first + size
    return total


def cheapest(lengths, limit):
    """Return the cost of the cheapest cut."""
    count, costs = len(lengths), []
    for cuts in range(2 ** (count - 1)):
        places = [0, *(place for place in range(1, count) if cuts >> (place - 1) & 1), count]
        costs.append(cost_of(lengths, [end - begin for begin, end in pairwise(places)], limit))
    return min(cost for cost in costs if cost is not None)


def test_cut_into_runs_finds_the_cheapest_cut():
    for seed in range(40):
        draw = random.Random(seed)
        lengths = [draw.randint(1, 30) for _ in range(draw.randint(1, 9))]
        limit = BatchLimits(draw.randint(1, 90), draw.randint(0, 25))
        order, sizes = cut_into_runs(lengths, limit)
        falling = [lengths[place] for place in order]
        assert sorted(order) == list(range(len(lengths))), seed
        assert falling == sorted(lengths, reverse=True), seed
        assert sum(sizes) == len(lengths), seed
        assert cost_of(falling, sizes, limit) == cheapest(falling, limit), seed


def test_cut_into_runs_respects_limit_and_overhead():
    lengths = [10, 100, 12, 90, 11, 95]
    assert cut_into_runs(lengths, BatchLimits(10_000, 0))[1] == [1] * 6, "no padding if a pass costs nothing"
    assert cut_into_runs(lengths, BatchLimits(10_000, 50)) == ([1, 5, 3, 2, 4, 0], [3, 3])
    assert cut_into_runs(lengths, BatchLimits(10_000, 5000))[1] == [6], "one pass if it costs most"
    assert cut_into_runs(lengths, BatchLimits(200, 5000))[1] == [1, 2, 3], "at most 200 tokens"
    assert cut_into_runs([500, 3], BatchLimits(200, 0))[1] == [1, 1], "a row longer than the limit has a separate run"


def test_cut_into_runs_keeps_the_order_of_equal_lengths():
    order, sizes = cut_into_runs([7] * 5, BatchLimits(14, 1))
    assert order == [0, 1, 2, 3, 4]
    assert sorted(sizes) == [1, 2, 2]


def test_budget_allows_a_row_of_full_length():
    assert budget("cpu", 1, 512).tokens == 512
    assert budget("cpu", 64, 4096).tokens == 4096
    assert budget("cuda", 32, 512).tokens == 32 * 512


def features(lengths):
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    ids = torch.where(mask, torch.arange(len(lengths))[:, None] + 1, 0)
    return {"input_ids": ids, "attention_mask": mask.long(), "modality": "text", "weights": torch.tensor([2.0])}


@pytest.mark.parametrize("limit", [BatchLimits(12, 0), BatchLimits(20, 4), BatchLimits(1000, 1000)])
@pytest.mark.parametrize("with_lengths", [True, False])
def test_in_runs_keeps_the_order_and_trims_each_run(limit, with_lengths):
    lengths = [3, 9, 1, 4, 4, 8, 2]
    given, shapes = features(lengths), []

    def forward(run):
        assert set(run) == {"input_ids", "attention_mask", "modality", "weights"}
        assert run["modality"] == "text"
        assert run["weights"].shape == (1,)
        assert run["attention_mask"].sum(dim=1).max() == run["input_ids"].shape[1], "trimmed to its longest row"
        shapes.append(tuple(run["input_ids"].shape))
        return {"sums": run["input_ids"].sum(dim=1, keepdim=True)}

    result = encode_in_runs(forward, {**given, LENGTHS: lengths} if with_lengths else given, "sums", limit)
    assert result[:, 0].tolist() == [length * (place + 1) for place, length in enumerate(lengths)]
    assert len(shapes) == len(cut_into_runs(lengths, limit)[1])
    assert all(rows == 1 or rows * width <= limit.tokens for rows, width in shapes)
