"""Step choose_weight: the weight with the best mean on the development split."""

import ir_measures
import pytest

from synthrank.config.rankers import Mix
from synthrank.data.files import write_jsonl
from synthrank.data.records import Judgment, Query
from synthrank.data.trec import rank, write_qrels, write_run
from synthrank.errors import BudgetError
from synthrank.rankers.development import open_development
from synthrank.steps.runs.choose_weight import best_weight

MIX = Mix(corpus="c", weights=(0.0, 0.25, 0.5, 0.75, 1.0))
FIRST = {"q1": [("a", 9.0), ("b", 8.0), ("c", 1.0), ("d", 0.5)], "q2": [("b", 5.0), ("a", 4.5), ("c", 0.1)]}
OURS = {"q1": {"a": 0.0, "b": 0.6, "c": 1.0}, "q2": {"a": 1.0, "b": 0.5, "c": 0.0}}


@pytest.fixture
def split(tmp_path):
    """Return a function that opens a development split with some judgments."""
    folder = tmp_path / "corpora/c/dev"
    folder.mkdir(parents=True)
    write_jsonl(folder / "queries.jsonl", [Query("q1", "one?"), Query("q2", "two?"), Query("q3", "not judged?")])
    write_run(tmp_path / "first.trec", FIRST, "bm25")

    def do(*relevant):
        write_qrels(folder / "qrels.txt", [Judgment(query, passage, 1) for query, passage in relevant])
        names = folder / "queries.jsonl", folder / "qrels.txt", tmp_path / "p.jsonl", tmp_path / "first.trec"
        return open_development(*names)

    return do


def chosen(development):
    return best_weight(MIX, {query: rank(OURS[query].items()) for query in development.qrels}, development)


def test_best_weight_has_the_highest_mean_on_the_development_split(split):
    made = chosen(split(("q1", "b"), ("q2", "a")))
    # Reranker and first stage rank different passages before b of q1; only the reranker has a of q2 first.
    values = {trial["weight"]: trial["value"] for trial in made["trials"]}
    assert made["weight"] == 0.25
    assert values[0.25] == values[0.5] == 1.0
    assert values[0.25] > max(values[0.0], values[1.0])
    assert (made["split"], made["queries"], made["measure"]) == ("c/dev", 2, "nDCG@10")


def test_best_weight_of_zero_measures_the_first_stage(split):
    values = {trial["weight"]: trial["value"] for trial in chosen(split(("q1", "b"), ("q2", "a")))["trials"]}
    qrels = {"q1": {"b": 1}, "q2": {"a": 1}}
    for weight, run in ((0.0, {query: dict(ranked) for query, ranked in FIRST.items()}), (1.0, OURS)):
        expected = ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run)
        assert values[weight] == pytest.approx(expected[ir_measures.nDCG @ 10])


def test_best_weight_breaks_ties_by_the_lowest_weight(split):
    assert chosen(split(("q2", "nothing")))["weight"] == 0.0


def test_open_development_refuses_a_split_without_judgments(split):
    with pytest.raises(BudgetError, match=r"qrels\.txt: no query of .*queries\.jsonl is judged; expected at least"):
        split(("other", "a"))
