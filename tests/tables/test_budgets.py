"""What a table says under it of training sets of unequal size, or of unequal training."""

import json

import pytest

from synthrank.tables.budgets import dropped_pairs, unequal_budgets
from synthrank.tables.notes import with_notes

RANKER = (
    "architecture: bi-encoder\nbase: {{model: m}}\nmax_length: 8\nloss: multiple-negatives\n"
    "optimiser: {{learning_rate: 1.0e-5, {}, batch_size: 16}}\n"
)


@pytest.fixture
def of(tmp_path):
    """Return a function that says what is unequal of training sets and of rankers with some duration."""

    def do(trainsets, **durations):
        stats = []
        for name, counts in trainsets.items():
            path = tmp_path / name / "stats.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(counts))
            stats.append(path)
        rankers = [tmp_path / f"{name}.yaml" for name in durations]
        for path, duration in zip(rankers, durations.values(), strict=True):
            path.write_text(RANKER.format(duration))
        return unequal_budgets(stats, rankers)

    return do


HUMAN = {"human/none/draw-1": {"human": {"groups": 48, "queries": 48}}}
BOTH = {"both/gpt/draw-1": {"human": {"groups": 48}, "zero-shot": {"groups": 48}}}
ORDERS = {"orders/gpt/draw-0": {"groups": 40, "dropped": {}}}


def test_nothing_is_said_of_equal_budgets(of):
    assert of({**HUMAN, "zero-shot/gpt/draw-1": {"zero-shot": {"groups": 48}}}, a="epochs: 2", b="max_updates: 6") == []


def test_unequal_sizes_and_updates_are_told_apart(of):
    assert of({**HUMAN, **BOTH, **ORDERS}, fixed="max_updates: 6", passes="epochs: 2") == [
        "Training sets differ in size: 48 pairs (human); 96 pairs (both by gpt); 40 pairs (orders by gpt).",
        "Updates of the training: fixed 6 on each of them; passes 6 updates (human, orders by gpt), 12 updates (both "
        "by gpt).",
    ]


def test_draws_of_unequal_size_are_a_range(of):
    made = {**HUMAN, "human/none/draw-2": {"human": {"groups": 45}}}
    assert of(made, a="max_updates: 6") == []
    assert of({**made, **BOTH}, a="max_updates: 6")[0] == (
        "Training sets differ in size: 45 to 48 pairs (human); 96 pairs (both by gpt)."
    )


def test_what_is_said_stands_under_the_page():
    table = "# A table\n\n| a |\n| --- |\n"
    assert with_notes(table, [], ["Seeds 1 and 2.", "", "One, two."]) == f"{table}\nSeeds 1 and 2.\n\nOne, two.\n"
    assert with_notes(table, [], [""]) == table


def test_what_filters_dropped_is_said_of_each_training_set(tmp_path):
    def stats(name, counts):
        path = tmp_path / name / "stats.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(counts))
        return path

    plain = [stats(name, counts) for made in (HUMAN, ORDERS) for name, counts in made.items()]
    assert dropped_pairs(plain) == []
    kept = {"human": {"groups": 5}, "zero-shot": {"groups": 5, "filter_pairs": 1200, "filter_dropped": 700}}
    drawn = {"zero-shot": {"groups": 5, "filter_pairs": 1200, "filter_dropped": 690}}
    both = {name: {"groups": 2, "filter_pairs": 10, "filter_dropped": 3} for name in ("inpars", "zero-shot")}
    filtered = [stats("kept/gpt/draw-1", kept), stats("kept/gpt/draw-2", drawn), stats("both/none/draw-1", both)]
    assert dropped_pairs([*plain, *filtered]) == [
        "Filters dropped pairs of a query and a passage, for which further queries were taken: 690 to 700 of 1,200 "
        "(kept by gpt); 6 of 20 (both)."
    ]
