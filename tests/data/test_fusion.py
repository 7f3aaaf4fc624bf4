"""Fusion by reciprocal ranks and by weighted scores, compared with the definitions."""

import random
import statistics
from collections import defaultdict

import plain_runs
import pytest

from synthrank.data import fusion
from synthrank.data.fusion import reciprocal_rank_fusion, weighted_fusion
from synthrank.data.trec import rank


def by_hand(runs, k):
    fused = defaultdict(lambda: defaultdict(float))
    for run in runs:
        for query, ranked in run.items():
            for place, (name, _) in enumerate(ranked, 1):
                fused[query][name] += 1 / (k + place)
    return {query: dict(scores) for query, scores in fused.items()}


def as_dicts(run):
    return {query: dict(ranked) for query, ranked in run.items()}


@pytest.mark.parametrize("k", [0, 10, 60])
@pytest.mark.parametrize("count", [2, 3])
def test_reciprocal_rank_fusion_sums_reciprocal_ranks(k, count):
    generator = random.Random(k + count)
    runs = [
        {
            query: rank((f"d{name}", generator.random()) for name in generator.sample(range(30), 12))
            for query in ("007", "q2", f"only{number}")
        }
        for number in range(count)
    ]
    fused, expected = as_dicts(reciprocal_rank_fusion(runs, k)), by_hand(runs, k)
    assert fused.keys() == expected.keys()
    for query, scores in expected.items():
        assert fused[query] == pytest.approx(scores, abs=1e-12)


def test_reciprocal_rank_fusion_of_two_short_runs():
    one, two = {"q": [("a", 9.0), ("b", 8.0)]}, {"q": [("b", 0.2), ("c", 0.1)]}
    assert reciprocal_rank_fusion([one, two], 10)["q"] == [
        ("b", pytest.approx(1 / 12 + 1 / 11)),
        ("a", pytest.approx(1 / 11)),
        ("c", pytest.approx(1 / 12)),
    ]


def test_reciprocal_rank_fusion_keeps_ids_as_text():
    names = ["007", "7", "NA", "null", "1e3", "nan", "True"]
    run = {query: [(name, 9.0 - place) for place, name in enumerate(names)] for query in names}
    fused = reciprocal_rank_fusion([run, run], 60)
    assert sorted(fused) == sorted(names)
    assert all(dict(ranked).keys() == set(names) for ranked in fused.values())
    assert all(isinstance(name, str) for ranked in fused.values() for name, _ in ranked)


def test_reciprocal_rank_fusion_uses_the_order_and_ignores_scores():
    """Runs are best first. Passages with equal scores have different ranks."""
    tied = {"q": [("b", 1.0), ("a", 1.0)]}
    assert as_dicts(reciprocal_rank_fusion([tied, tied], 0)) == {"q": {"b": 2.0, "a": 1.0}}


def test_reciprocal_rank_fusion_keeps_the_union_of_long_rankings():
    """trectools keeps 1000 passages by default. The union of two rankings of 800 may have 1600."""
    runs = [{"q": [(f"{letter}{place}", float(-place)) for place in range(800)]} for letter in "ab"]
    assert len(reciprocal_rank_fusion(runs, 60)["q"]) == 1600


@pytest.mark.parametrize("other", [{}, {"q": []}])
def test_reciprocal_rank_fusion_accepts_an_empty_run(other):
    run = {"q": [("a", 1.0), ("b", 0.5)]}
    assert as_dicts(reciprocal_rank_fusion([run, other], 1)) == {"q": {"a": 1 / 2, "b": 1 / 3}}
    assert reciprocal_rank_fusion([other, other], 1) == {}


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_reciprocal_rank_fusion_equals_trectools_with_its_own_frames(monkeypatch, at_once):
    generator = random.Random(at_once)
    runs = [
        {
            f"q{query}": rank((f"d{name}", generator.random()) for name in generator.sample(range(40), 15))
            for query in generator.sample(range(20), 14)
        }
        for _ in range(4)
    ]
    monkeypatch.setattr(fusion, "QUERIES_AT_ONCE", at_once)
    fused, framed = reciprocal_rank_fusion(runs, 60), plain_runs.fuse(runs, 60)
    assert fused == framed
    assert list(fused) == list(framed)


def test_reciprocal_rank_fusion_reads_the_first_thousand_passages():
    run = {"q": [(f"d{place}", float(-place)) for place in range(1200)]}
    assert len(reciprocal_rank_fusion([run], 60)["q"]) == 1000


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_weighted_fusion_averages_standardised_scores(weight):
    generator = random.Random(4)
    first = {"q": rank((f"d{name}", generator.gauss(3, 9)) for name in range(9))}
    ours = {"q": rank((name, generator.gauss(-1, 0.1)) for name, _ in first["q"][:6])}
    fused = weighted_fusion(ours, first, weight)["q"]

    def standardised(scores):
        middle, spread = statistics.fmean(scores.values()), statistics.pstdev(scores.values())
        return {name: (score - middle) / spread for name, score in scores.items()}

    one, other = standardised(dict(ours["q"])), standardised(dict(first["q"][:6]))
    wanted = {name: weight * one[name] + (1 - weight) * other[name] for name in one}
    assert dict(fused[:6]) == pytest.approx(wanted)
    assert [name for name, _ in fused[:6]] == sorted(wanted, key=wanted.get, reverse=True)
    assert [name for name, _ in fused[6:]] == [name for name, _ in first["q"][6:]], (
        "passages that were not reranked keep their order"
    )
    assert [score for _, score in fused] == sorted((score for _, score in fused), reverse=True)


def test_weighted_fusion_of_equal_scores_keeps_the_first_stage():
    first = {"q": [("a", 3.0), ("b", 2.0), ("c", 1.0)]}
    for scores in (1.0, 1.0, 1.0), (1.0,):
        ours = {"q": [(name, score) for (name, _), score in zip(first["q"], scores, strict=False)]}
        assert [name for name, _ in weighted_fusion(ours, first, 0.5)["q"]] == ["a", "b", "c"]
