"""Statistics of passages: values computed by hand and by independent code."""

import gzip
import math
import random
from itertools import combinations

import numpy as np
import pytest

from synthrank.data.words import words_of
from synthrank.steps.validity.diversity import mean_cosine, self_bleu, vendi_score
from synthrank.steps.validity.duplicates import near_duplicates
from synthrank.steps.validity.lexical import (
    compression_ratio,
    distinct_ngrams,
    overlap,
    reading_grade,
    segmental_ratio,
    spread,
)
from synthrank.steps.validity.statistics import languages

WORDS = "river bee bread rain spider page table flower water yeast town sea hive flour salt dough".split()


def texts(count, seed=1, least=4, most=30):
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(least, most))) + "." for _ in range(count)]


def units(count, dimensions, seed=1):
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_words_of_normalises_words():
    assert words_of("\uff24on\u2019t  STOP\u2014the \ufb01re \u21165!") == ["don", "t", "stop", "the", "fire", "no5"]
    assert words_of("… — !") == []


def test_spread_matches_values_by_hand():
    found = spread([1, 2, 3, 4])
    assert found["mean"] == 2.5
    assert found["sd"] == pytest.approx(math.sqrt(1.25))
    assert (found["min"], found["q25"], found["median"], found["q75"], found["max"]) == (1, 1.75, 2.5, 3.25, 4)
    assert found["q05"] == pytest.approx(1.15)
    assert spread([7])["sd"] == 0
    assert set(spread([]).values()) == {None}


def test_overlap_counts_distinct_words_of_the_query():
    query = words_of("How do bees dance, how?")
    assert overlap(query, words_of("Bees dance and dance.")) == 0.5  # bees and dance, from how, do, bees and dance
    assert overlap([], ["bees"]) is None
    assert overlap(["bees"], []) == 0


def test_segmental_ratio_uses_disjoint_segments_within_passages():
    passages = [list("abab" + "abcd" + "zz"), list("aaa"), list("aaaa")]
    assert segmental_ratio(passages, 4) == pytest.approx((2 / 4 + 4 / 4 + 1 / 4) / 3)
    assert segmental_ratio([list("aaa")], 4) is None


def test_distinct_ngrams_matches_values_by_hand():
    passages = [list("abab"), list("ba"), []]
    assert distinct_ngrams(passages, 1) == pytest.approx(2 / 6)
    assert distinct_ngrams(passages, 2) == pytest.approx(2 / 4)  # ab, ba, ab and ba; n-grams do not cross passages
    assert distinct_ngrams(passages, 3) == pytest.approx(2 / 2)
    assert distinct_ngrams([["one"]], 2) is None


def test_compression_ratio_rises_with_repetition():
    plain = "alpha\nbeta"
    assert compression_ratio(["alpha", "beta"]) == len(plain) / len(gzip.compress(plain.encode(), 9, mtime=0))
    assert compression_ratio(["the same words again"] * 50) > 3 * compression_ratio(texts(50))
    assert compression_ratio([]) is None
    assert compression_ratio(["", " "]) is None


def test_reading_grade_matches_the_published_example():
    """Coleman and Liau: 639 letters, 119 words and 5 sentences have grade 14.5."""
    assert reading_grade(639, 119, 5) == pytest.approx(14.5, abs=0.05)
    assert reading_grade(0, 0, 1) is None
    assert reading_grade(3, 1, 0) is None


@pytest.mark.parametrize("seed", range(4))
def test_self_bleu_matches_sacrebleu(seed):
    from sacrebleu.metrics.bleu import BLEU

    sample = texts(12, seed)
    if seed == 3:
        sample += [sample[0], sample[0], "alone", "Bread, water & salt."]
    bleu = BLEU(effective_order=True)
    expected = [
        bleu.sentence_score(text, [*sample[:place], *sample[place + 1 :]]).score for place, text in enumerate(sample)
    ]
    assert self_bleu(sample) == pytest.approx(sum(expected) / len(expected))


def test_self_bleu_of_equal_and_of_single_texts():
    assert self_bleu(["the river meets the old sea"] * 3) == pytest.approx(100)
    assert self_bleu(["aa bb cc", "dd ee ff"]) == 0
    assert self_bleu(["alone"]) is None
    assert self_bleu([]) is None


def test_mean_cosine_matches_all_pairs():
    vectors = units(9, 5)
    assert mean_cosine(vectors) == pytest.approx(np.mean([float(a @ b) for a, b in combinations(vectors, 2)]), abs=1e-6)
    assert mean_cosine(vectors[:1]) is None


@pytest.mark.parametrize(("count", "dimensions"), [(6, 20), (20, 6), (1, 4)])
def test_vendi_score_matches_its_definition(count, dimensions):
    vectors = units(count, dimensions)
    values = np.linalg.eigvalsh((vectors @ vectors.T).astype(np.float64) / count)
    values = values[values > 1e-9]
    assert vendi_score(vectors) == pytest.approx(np.exp(-(values * np.log(values)).sum()), rel=1e-4)


def test_vendi_score_counts_different_vectors():
    assert vendi_score(np.eye(5, dtype=np.float32)) == pytest.approx(5)
    assert vendi_score(np.eye(5, dtype=np.float32)[[0, 0, 1, 1]]) == pytest.approx(2)
    assert vendi_score(np.tile(units(1, 8), (7, 1))) == pytest.approx(1)
    assert vendi_score(np.empty((0, 5), np.float32)) is None


def exact_rate(passages):
    """Compare all pairs."""
    shingles = [{tuple(words[start : start + 5]) for start in range(max(len(words) - 4, 1))} for words in passages]
    pairs = [
        (one, other)
        for one, other in combinations(range(len(passages)), 2)
        if len(shingles[one] & shingles[other]) / len(shingles[one] | shingles[other]) >= 0.8
    ]
    return len({place for pair in pairs for place in pair}) / len(passages)


def test_near_duplicates_matches_exact_jaccard():
    chance = random.Random(3)
    plain = [[f"w{chance.randrange(10**6)}" for _ in range(80)] for _ in range(60)]
    near = [[*words[:40], "other", *words[41:]] for words in plain[:4]]  # 71 of 81 shingles: 0.877
    miss = [[*words[:20], "one", *words[21:50], "two", *words[51:]] for words in plain[4:8]]  # 66 of 86: 0.767
    passages = [*plain, *near, *miss, plain[9], plain[9]]
    assert near_duplicates(passages, 13) == pytest.approx((8 + 3) / 70) == pytest.approx(exact_rate(passages))


def test_near_duplicates_of_short_and_equal_passages():
    assert near_duplicates([["a", "b"], ["a", "b"], ["a", "c"]], 13) == pytest.approx(2 / 3)
    assert near_duplicates([["a"] * 90] * 2500, 13) == 1
    assert near_duplicates([["alone"]], 13) == 0
    assert near_duplicates([], 13) is None


def test_languages_are_sorted_by_frequency():
    found = languages(
        [
            "The river rises in the mountains and reaches the sea near the old town.",
            "Bread needs flour, water, salt and yeast, and time for the dough to rise.",
            "Der Fluss entspringt in den Bergen und erreicht das Meer bei der alten Stadt.",
        ]
    )
    assert list(found.items()) == [("en", 2), ("de", 1)]
