"""Runs of rows: the cheapest cut, within the budget, and every row's result in its place."""

import random
from itertools import pairwise

import pytest
import torch

from synthrank.rankers.microbatch import LENGTHS, Budget, budget, in_runs, runs


def cost_of(lengths, sizes, limit):
    """Return what a cut of rows in falling length costs; nothing where a run is over the budget."""
    total, first = 0, 0
    for size in sizes:
        padded = size * lengths[first]
        if size > 1 and padded > limit.tokens:
            return None
        total, first = total + padded + limit.overhead, first + size
    return total


def cheapest(lengths, limit):
    """Return the cost of the best of all cuts."""
    count, costs = len(lengths), []
    for cuts in range(2 ** (count - 1)):
        places = [0, *(place for place in range(1, count) if cuts >> (place - 1) & 1), count]
        costs.append(cost_of(lengths, [end - begin for begin, end in pairwise(places)], limit))
    return min(cost for cost in costs if cost is not None)


def test_no_cut_is_cheaper():
    for seed in range(40):
        draw = random.Random(seed)
        lengths = [draw.randint(1, 30) for _ in range(draw.randint(1, 9))]
        limit = Budget(draw.randint(1, 90), draw.randint(0, 25))
        order, sizes = runs(lengths, limit)
        falling = [lengths[place] for place in order]
        assert sorted(order) == list(range(len(lengths))), seed
        assert falling == sorted(lengths, reverse=True), seed
        assert sum(sizes) == len(lengths), seed
        assert cost_of(falling, sizes, limit) == cheapest(falling, limit), seed


def test_runs_follow_budget_and_overhead():
    lengths = [10, 100, 12, 90, 11, 95]
    assert runs(lengths, Budget(10_000, 0))[1] == [1] * 6, "no padding where a pass costs nothing"
    assert runs(lengths, Budget(10_000, 50)) == ([1, 5, 3, 2, 4, 0], [3, 3])
    assert runs(lengths, Budget(10_000, 5000))[1] == [6], "one pass where it costs most"
    assert runs(lengths, Budget(200, 5000))[1] == [1, 2, 3], "at most 200 tokens"
    assert runs([500, 3], Budget(200, 0))[1] == [1, 1], "a row longer than the budget goes alone"


def test_equal_lengths_keep_their_order():
    order, sizes = runs([7] * 5, Budget(14, 1))
    assert order == [0, 1, 2, 3, 4]
    assert sorted(sizes) == [1, 2, 2]


def test_a_budget_holds_a_row_of_full_length():
    assert budget("cpu", 1, 512).tokens == 512
    assert budget("cpu", 64, 4096).tokens == 4096
    assert budget("cuda", 32, 512).tokens == 32 * 512


def features(lengths):
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    ids = torch.where(mask, torch.arange(len(lengths))[:, None] + 1, 0)
    return {"input_ids": ids, "attention_mask": mask.long(), "modality": "text", "weights": torch.tensor([2.0])}


@pytest.mark.parametrize("limit", [Budget(12, 0), Budget(20, 4), Budget(1000, 1000)])
@pytest.mark.parametrize("told", [True, False])
def test_every_result_is_in_its_place_and_no_row_is_padded_beyond_its_run(limit, told):
    lengths = [3, 9, 1, 4, 4, 8, 2]
    given, shapes = features(lengths), []

    def forward(run):
        assert set(run) == {"input_ids", "attention_mask", "modality", "weights"}
        assert run["modality"] == "text"
        assert run["weights"].shape == (1,)
        assert run["attention_mask"].sum(dim=1).max() == run["input_ids"].shape[1], "trimmed to its longest row"
        shapes.append(tuple(run["input_ids"].shape))
        return {"sums": run["input_ids"].sum(dim=1, keepdim=True)}

    result = in_runs(forward, {**given, LENGTHS: lengths} if told else given, "sums", limit)
    assert result[:, 0].tolist() == [length * (place + 1) for place, length in enumerate(lengths)]
    assert len(shapes) == len(runs(lengths, limit)[1])
    assert all(rows == 1 or rows * width <= limit.tokens for rows, width in shapes)
