"""The positive-aware cut agrees with sentence-transformers' mining, for scores of any sign."""

import random
from collections import Counter

import pytest
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

from synthrank.config.base import validate
from synthrank.config.recipes import Guard, Negatives
from synthrank.data.files import write_jsonl
from synthrank.data.records import Passage, WrittenPassage
from synthrank.data.trec import write_run
from synthrank.errors import ConfigError
from synthrank.steps.trainsets.false_negatives import limit, open_scorer
from synthrank.steps.trainsets.negatives import draw_negatives, open_negatives

PASSAGES = {f"p{number}": f"word{number} other{number % 5} more{number % 3}" for number in range(20)}


def drawn(folder, run, positives, guard, retriever=(), model=(), count=19):
    """Return the retrieved negatives of each query, and the counts."""
    write_run(folder / "run.trec", run, "x")
    more = [Passage(f"spare{number}", f"spare text {number}") for number in range(20)]  # to fill up groups
    write_jsonl(folder / "passages.jsonl", [*(Passage(name, text) for name, text in PASSAGES.items()), *more])
    source = open_negatives(folder / "run.trec", folder / "passages.jsonl", set())
    given = Guard(**guard)
    scorer = open_scorer(given, source.run, list(retriever), list(model))
    anchors = [WrittenPassage(name, PASSAGES.get(name, name), query, f"{query}?") for query, name in positives.items()]
    settings = Negatives(source="human", retriever="bm25", depth=100, count=count, guard=given)
    tally = Counter()
    found = {}
    for item, negatives in draw_negatives(anchors, source, settings, 13, {}, tally, copies={}, scorer=scorer):
        retrieved = {name for name, _ in run[item.query_id]}
        found[item.query_id] = {negative.id for negative in negatives} & retrieved
    return found, tally


def test_positive_aware_cut_by_run_scores_matches_an_example_by_hand(tmp_path):
    run = {"q": [("p1", 11.0), ("p0", 10.0), ("p2", 9.6), ("p3", 9.5), ("p4", 9.4), ("p5", 1.0)]}
    found, counts = drawn(tmp_path, run, {"q": "p0"}, {"max_share_of_positive": 0.95}, count=3)
    assert found == {"q": {"p3", "p4", "p5"}}, "a score at the limit is kept"
    assert counts["negatives_too_near"] == 2
    assert "positives_unscored" not in counts
    found, _ = drawn(tmp_path, run, {"q": "p0"}, {"max_share_of_positive": 1}, count=4)
    assert found == {"q": {"p2", "p3", "p4", "p5"}}
    found, counts = drawn(tmp_path, run, {"q": "p0"}, {}, count=5)
    assert found == {"q": {"p1", "p2", "p3", "p4", "p5"}}
    assert "negatives_too_near" not in counts


def test_positive_aware_cut_also_excludes_from_random_negatives(tmp_path):
    run = {"q": [(f"p{place}", 20.0 - place) for place in range(19)]}
    found, counts = drawn(tmp_path, run, {"q": "p5"}, {"max_share_of_positive": 0.8}, count=12)
    assert found == {"q": {f"p{place}" for place in range(8, 19)}}
    assert counts["negatives_too_near"] == 7
    assert counts["negatives_at_random"] == 1


def test_positive_aware_cut_counts_a_positive_without_a_score(tmp_path):
    run = {"q": [("p1", 11.0), ("p2", 9.0)], "r": [("p3", 2.0), ("p0", 1.0)]}
    found, counts = drawn(tmp_path, run, {"q": "p0", "r": "p0"}, {"max_share_of_positive": 0.95}, count=2)
    assert found == {"q": {"p1", "p2"}, "r": set()}
    assert counts["positives_unscored"] == 1
    assert counts["negatives_too_near"] == 1


def test_limit_of_a_negative_score_is_lower():
    assert limit(10, 0.95) == pytest.approx(9.5)
    assert limit(-10, 0.95) == pytest.approx(-10.5)
    assert limit(0, 0.95) == 0
    assert limit(-10, 1) == -10


def mined(model, positives, share, cross_encoder=None):
    """Return the passages per query that sentence-transformers keeps."""
    rows = mine_hard_negatives(
        Dataset.from_dict(
            {"query": [f"{query}?" for query in positives], "positive": [PASSAGES[name] for name in positives.values()]}
        ),
        model,
        corpus=list(PASSAGES.values()),
        cross_encoder=cross_encoder,
        relative_margin=1 - share,
        range_max=len(PASSAGES),
        num_negatives=len(PASSAGES),
        output_format="labeled-pair",
        verbose=False,
    )
    id_of = {text: name for name, text in PASSAGES.items()}
    found = {query: set() for query in positives}
    for query, text, label in zip(rows["query"], rows["positive"], rows["label"], strict=True):
        if not label:
            found[query[:-1]].add(id_of[text])
    return found


POSITIVES = {f"q{number}": f"p{number}" for number in range(6)}


@pytest.mark.parametrize("share", [0.9999, 0.999, 0.99])
def test_positive_aware_cut_by_model_matches_sentence_transformers(tmp_path, encoder, one_thread, share):
    run = {query: [(name, 30.0 - place) for place, name in enumerate(PASSAGES)] for query in POSITIVES}
    (tmp_path / "dense.yaml").write_text("kind: dense\nmodel: tiny\nmax_length: 64\n")
    guard = {"max_share_of_positive": share, "scored_by": "dense"}
    found, counts = drawn(tmp_path, run, POSITIVES, guard, [tmp_path / "dense.yaml"], [encoder], count=1)
    expected = mined(SentenceTransformer(str(encoder), device="cpu"), POSITIVES, share)
    left = sum(map(len, expected.values()))
    assert 0 < left < len(POSITIVES) * (len(PASSAGES) - 1), "some passages are removed and some are kept"
    assert counts["negatives_too_near"] == len(POSITIVES) * (len(PASSAGES) - 1) - left
    assert all(found[query] <= expected[query] for query in POSITIVES)


class Stated:
    """A cross-encoder for the library that returns the scores of a run."""

    def __init__(self, run):
        self.run = {query: dict(listed) for query, listed in run.items()}
        self.id_of = {text: name for name, text in PASSAGES.items()}

    def predict(self, pairs, **_):
        return torch.tensor([self.run[query[:-1]][self.id_of[text]] for query, text in pairs])


@pytest.mark.parametrize("share", [0.95, 0.5])
@pytest.mark.parametrize("lowest", [-20.0, -5.0, 1.0])
def test_positive_aware_cut_by_run_matches_sentence_transformers(tmp_path, encoder, one_thread, share, lowest):
    generator = random.Random(3)
    run = {query: [(name, lowest + 15 * generator.random()) for name in PASSAGES] for query in POSITIVES}
    expected = mined(SentenceTransformer(str(encoder), device="cpu"), POSITIVES, share, Stated(run))
    found, counts = drawn(tmp_path, run, POSITIVES, {"max_share_of_positive": share}, count=1)
    left = sum(map(len, expected.values()))
    assert counts["negatives_too_near"] == len(POSITIVES) * (len(PASSAGES) - 1) - left > 0
    assert all(found[query] <= expected[query] for query in POSITIVES)


@pytest.mark.parametrize(
    ("guard", "message"),
    [
        ({"max_share_of_positive": 0}, "must be more than 0; got 0"),
        ({"max_share_of_positive": 1.01}, "must be at most 1; got 1"),
        ({"scored_by": "minilm"}, "scored_by has no effect without max_share_of_positive; state both"),
    ],
)
def test_guard_refuses_invalid_settings(guard, message):
    with pytest.raises(ConfigError, match=message):
        validate(Guard, guard, "x.yaml")
