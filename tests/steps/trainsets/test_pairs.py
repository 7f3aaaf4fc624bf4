"""Filters of positives: drop and count exactly the pairs below the threshold."""

import random
from collections import Counter

import pytest
from pydantic import TypeAdapter

from synthrank.config.filters import FilterSpec
from synthrank.data.files import write_jsonl
from synthrank.data.records import ScoredList, WrittenPassage
from synthrank.data.trec import write_run
from synthrank.errors import DataError
from synthrank.steps.trainsets.pairs import apply_filter


def of(**spec):
    return TypeAdapter(FilterSpec).validate_python(spec)


def written_for(queries, per_query=2):
    return {
        name: [WrittenPassage(f"{name}@{place}", "text", name, "?") for place in range(per_query)] for name in queries
    }


def left(written):
    return {(name, item.id) for name, items in written.items() for item in items}


@pytest.fixture
def scored(tmp_path):
    """Return seven queries with two passages each, their scores with ties, and the file of the scores."""
    written = written_for([f"q{place}" for place in range(7)])
    values = [-2.5, -2.0, -1.0, -1.0, 0.0, 0.25, 0.25, 0.25, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    random.Random(5).shuffle(values)
    scores = {name: {item.id: values.pop() for item in items} for name, items in written.items()}
    path = tmp_path / "scores.jsonl"
    write_jsonl(path, [ScoredList(name, tuple(those), tuple(those.values())) for name, those in scores.items()])
    return written, {(name, item): score for name, those in scores.items() for item, score in those.items()}, path


@pytest.mark.parametrize("lowest", [-3.0, -1.0, 0.1, 0.25, 4.0])
def test_apply_filter_drops_and_counts_pairs_below_min_score(scored, lowest):
    written, scores, path = scored
    count = Counter()
    found = apply_filter(written, of(kind="ranker", ranker="r", min_score=lowest), path, count)
    expected = {pair for pair, score in scores.items() if score >= lowest}
    assert left(found) == expected
    assert all(found.values()), "a query without passages is left out"
    assert count == {"filter_pairs": 14, "filter_dropped": 14 - len(expected)}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.75, 1.0])
def test_apply_filter_keep_share_keeps_ties(scored, share):
    written, scores, path = scored
    found = left(apply_filter(written, of(kind="retriever", retriever="d", keep_share=share), path, Counter()))
    worst = min(scores[pair] for pair in found)
    assert found == {pair for pair, score in scores.items() if score >= worst}
    above = [score for score in scores.values() if score > worst]
    assert len(above) < share * 14 <= len(found) + 1e-9


def test_apply_filter_round_trip_requires_the_passage_within_the_depth(tmp_path):
    written = written_for(["a", "b", "c"], per_query=1)
    run = {"a": [("b@0", 3.0), ("a@0", 2.0)], "b": [("a@0", 9.0), ("c@0", 8.0), ("b@0", 7.0)]}
    write_run(tmp_path / "run.trec", run, "x")
    expected = {1: set(), 2: {("a", "a@0")}, 3: {("a", "a@0"), ("b", "b@0")}}
    for depth, pairs in expected.items():
        count = Counter()
        spec = of(kind="round-trip", retriever="bm25", depth=depth)
        assert left(apply_filter(written, spec, tmp_path / "run.trec", count)) == pairs
        assert count == {"filter_pairs": 3, "filter_dropped": 3 - len(pairs)}


def test_apply_filter_refuses_a_pair_without_a_score(scored):
    written, _, path = scored
    written["new"] = [WrittenPassage("new@0", "text", "new", "?")]
    with pytest.raises(
        DataError, match=r"scores\.jsonl: passage new@0 of query new has no score; delete the file to score again"
    ):
        apply_filter(written, of(kind="llm", ranking="r", llm="l", min_score=0), path, Counter())


@pytest.mark.parametrize("given", [{}, {"min_score": 0, "keep_share": 0.5}])
def test_score_filter_refuses_two_thresholds(given):
    with pytest.raises(ValueError, match="state either min_score or keep_share"):
        of(kind="ranker", ranker="r", **given)
