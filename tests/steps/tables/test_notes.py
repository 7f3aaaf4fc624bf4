"""Notes around a table: overlap with test sets, selected settings, unequal budgets."""

import json

import pytest
from rule_inputs import RuleInputs

from synthrank.config.base import read_yaml
from synthrank.config.consistency.splits import answerable_testsets, selections
from synthrank.config.study import Study
from synthrank.steps.tables.notes import add_notes, note_dropped_pairs, note_unequal_budgets

TABLE = "# Title\n\nWords.\n\n| a |\n|---|\n"


@pytest.fixture
def counted(tmp_path):
    """Return a function that writes a file of step count_answers and returns its path."""

    def do(recipe, llm, passages, place="draw-0", queries=None, **testsets):
        path = tmp_path / "results/validity/trainsets" / recipe / llm / place / "answers.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"passages": passages, "testsets": testsets, "queries": queries or {}}))
        return path

    return do


def test_with_notes_warns_of_test_queries_in_training_sets(counted):
    files = [counted("human", "none", 9, queries={"gardens": 2, "kitchens": 0}), counted("zero", "echo", 9)]
    text = " ".join(add_notes(TABLE, files, []).split())
    assert text.startswith(
        "# Title **Training sets contain queries with the text of test queries**, under other ids: 2 of test set "
        "`gardens` by recipe `human`. Words."
    )


def test_with_notes_warns_of_passages_that_answer_test_queries(counted):
    files = [counted("human", "none", 1000, gardens=962, kitchens=0), counted("zero", "echo", 900, gardens=3)]
    text = add_notes(TABLE, files, [])
    head, first, *rest = text.replace("\n", " ").split("  ")
    assert head == "# Title"
    assert first.startswith("**Rankers were trained on passages that answer test queries.**")
    assert "962 of 1,000 of recipe `human` (test set `gardens`); 3 of 900 of recipe `zero` by echo" in first
    assert "kitchens" not in text
    assert text.endswith(TABLE.removeprefix("# Title\n\n"))
    assert rest[0].startswith("Words.")


def test_with_notes_adds_nothing_without_overlap(counted):
    assert add_notes(TABLE, [counted("human", "none", 1000, gardens=0)], []) == TABLE
    assert add_notes(TABLE, [], []) == TABLE


def test_with_notes_gives_the_range_over_draws(counted):
    files = [counted("human", "none", 100 + draw, f"draw-{draw}", gardens=90 - draw) for draw in (1, 2, 3)]
    assert "87 to 89 of 101 to 103 of recipe `human`" in add_notes(TABLE, files, []).replace("\n", " ")


def test_with_notes_adds_sentences_below_the_table(counted):
    text = add_notes(TABLE, [], ["Settings of `r` were chosen on `dev`."])
    assert text == TABLE + "\nSettings of `r` were chosen on `dev`.\n"


@pytest.fixture
def study(config):
    return Study(config, read_yaml(config / "experiments/nfcorpus-selected.yaml"))


def test_selections_states_split_grid_and_budget(study):
    sentences = dict(zip(study.experiment.rankers, selections(study, study.experiment.rankers), strict=True))
    sentence = sentences["nfcorpus-static-selected"]
    assert "chosen on the development split `dev` of `nfcorpus-shared`, which is not a test set" in sentence
    grid = "learning rate among 0.01, 0.03, 0.1, and updates among 20, 40, 80, 160"
    assert f"{grid}, by nDCG@10 over all queries" in sentence
    assert "has this budget of 3 trainings" in sentence
    assert selections(study, ["nfcorpus-static"]) == []
    assert RuleInputs(study).inputs.tables.selected_of("main")(None) == list(sentences.values())


def test_answers_are_counted_for_corpora_that_may_contain_test_answers(config):
    """These are corpora with `answers_may_train`, and corpora whose data another corpus reads too."""
    study = Study(config, read_yaml(config / "experiments/nfcorpus-cross-encoder.yaml"))
    assert answerable_testsets(study, "nfcorpus-shared-human") == ["nfcorpus-shared"]
    files = RuleInputs(study)("make_tables.answers")(None)
    assert {path.split("/")[3] for path in files} == {"nfcorpus-shared-human", "nfcorpus-shared-llama2"}
    plain = {**read_yaml(config / "experiments/nfcorpus.yaml"), "suites": ["medicine", "nfcorpus-study"]}
    plain["suites"] = ["medicine"]
    assert RuleInputs(Study(config, plain))("make_tables.answers")(None) == []
    assert answerable_testsets(Study(config, plain), "nfcorpus-shared-human") == ["nfcorpus"]


RANKER = (
    "architecture: bi-encoder\nbase: {{model: m}}\nmax_length: 8\nloss: multiple-negatives\n"
    "optimiser: {{learning_rate: 1.0e-5, {}, batch_size: 16}}\n"
)


@pytest.fixture
def budgets(tmp_path):
    """Return a function that returns the sentences on unequal budgets of training sets and rankers."""

    def do(trainsets, **durations):
        stats = []
        for name, counts in trainsets.items():
            path = tmp_path / "results/trainsets" / name / "stats.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(counts))
            stats.append(path)
        rankers = [tmp_path / f"{name}.yaml" for name in durations]
        for path, duration in zip(rankers, durations.values(), strict=True):
            path.write_text(RANKER.format(duration))
        return note_unequal_budgets(stats, rankers)

    return do


HUMAN = {"human/none/draw-1": {"human": {"groups": 48, "queries": 48}}}
BOTH = {"both/gpt/draw-1": {"human": {"groups": 48}, "zero-shot": {"groups": 48}}}
ORDERS = {"orders/gpt/draw-0": {"groups": 40, "dropped": {}}}


def test_unequal_budgets_is_empty_for_equal_budgets(budgets):
    assert (
        budgets({**HUMAN, "zero-shot/gpt/draw-1": {"zero-shot": {"groups": 48}}}, a="epochs: 2", b="max_updates: 6")
        == []
    )


def test_unequal_budgets_states_sizes_and_updates(budgets):
    assert budgets({**HUMAN, **BOTH, **ORDERS}, fixed="max_updates: 6", passes="epochs: 2") == [
        "Training sets differ in size: 48 pairs (human); 96 pairs (both by gpt); 40 pairs (orders by gpt).",
        "Training updates: fixed 6 on each training set; passes 6 updates (human, orders by gpt), 12 updates (both "
        "by gpt).",
    ]


def test_unequal_budgets_gives_the_range_over_draws(budgets):
    made = {**HUMAN, "human/none/draw-2": {"human": {"groups": 45}}}
    assert budgets(made, a="max_updates: 6") == []
    assert budgets({**made, **BOTH}, a="max_updates: 6")[0] == (
        "Training sets differ in size: 45 to 48 pairs (human); 96 pairs (both by gpt)."
    )


def test_with_notes_leaves_out_empty_sentences():
    table = "# A table\n\n| a |\n| --- |\n"
    assert add_notes(table, [], ["Seeds 1 and 2.", "", "One, two."]) == f"{table}\nSeeds 1 and 2.\n\nOne, two.\n"
    assert add_notes(table, [], [""]) == table


def test_dropped_pairs_states_counts_per_training_set(tmp_path):
    def stats(name, counts):
        path = tmp_path / "results/trainsets" / name / "stats.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(counts))
        return path

    plain = [stats(name, counts) for made in (HUMAN, ORDERS) for name, counts in made.items()]
    assert note_dropped_pairs(plain) == []
    kept = {"human": {"groups": 5}, "zero-shot": {"groups": 5, "filter_pairs": 1200, "filter_dropped": 700}}
    drawn = {"zero-shot": {"groups": 5, "filter_pairs": 1200, "filter_dropped": 690}}
    both = {name: {"groups": 2, "filter_pairs": 10, "filter_dropped": 3} for name in ("inpars", "zero-shot")}
    filtered = [stats("kept/gpt/draw-1", kept), stats("kept/gpt/draw-2", drawn), stats("both/none/draw-1", both)]
    assert note_dropped_pairs([*plain, *filtered]) == [
        "Filters dropped query-passage pairs, which were replaced by pairs of other queries: 690 to 700 of 1,200 "
        "(kept by gpt); 6 of 20 (both)."
    ]
