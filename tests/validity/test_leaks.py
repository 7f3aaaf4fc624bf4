"""Planted leaks of each kind are found, near misses are not."""

import random

import numpy as np
import pytest

from synthrank.leaks import LeakFinder, Text, kinds_of
from synthrank.specs.leaks import LeakTests

RUN = "water the rose every three days in summer and less in winter when it rests"


def passage(name, text):
    return Text(name, text, "passage")


def query(name, text):
    return Text(name, text, "query")


class Wheel:
    """Puts a text at the angle, in degrees, that its last word states; counts what it encodes."""

    def __init__(self):
        self.seen = []

    def queries(self, texts):
        return self.passages(texts)

    def passages(self, texts):
        self.seen += texts
        angles = np.radians([float(text.split()[-1]) for text in texts])
        return (3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.float32)


def found(testsets, texts, encoder=None, **tests):
    finder = LeakFinder(testsets, LeakTests(**{"ngrams": (), **tests}), encoder)
    return [(item.place, item.testset, item.kind, item.test.id, item.evidence) for item in finder.find(texts)]


def test_exact_is_after_normalisation():
    held = {"t": [query("q", "How do bees dance?"), passage("p", "Bees DANCE — in the hive.")]}
    texts = [
        passage("a", "bees dance in the \uff48ive"),
        passage("b", "how do bees dance"),
        passage("c", "bees dance in the hives"),
        query("d", "how do bees  dance!"),
    ]
    assert found(held, texts) == [(0, "t", "exact", "p", ""), (1, "t", "exact", "q", ""), (3, "t", "exact", "q", "")]
    assert found(held, texts, exact=False) == []


def test_runs_of_the_stated_length_and_none_shorter():
    held = {"t": [passage("p", f"Always {RUN} again.")]}
    words = RUN.split()
    shares = {count: passage(str(count), f"other {' '.join(words[:count])} words") for count in (7, 8, 9)}
    assert found(held, [shares[7]], ngrams=[8]) == []
    assert found(held, [shares[8]], ngrams=[8]) == [(0, "t", "8-gram", "p", " ".join(words[:8]))]
    assert found(held, [shares[9]], ngrams=[8, 9]) == [
        (0, "t", "8-gram", "p", " ".join(words[:8])),
        (0, "t", "9-gram", "p", " ".join(words[:9])),
    ]


def test_no_run_crosses_two_texts():
    words = RUN.split()
    held = {"t": [passage("p", RUN)]}
    texts = [passage("a", " ".join(words[:4])), passage("b", " ".join(words[4:9])), passage("c", "")]
    assert found(held, texts, ngrams=[6]) == []
    apart = {"t": [passage("p", " ".join(words[:4])), passage("r", " ".join(words[4:9]))]}
    assert found(apart, [passage("a", RUN)], ngrams=[6]) == []


def test_a_passage_that_quotes_a_query_leaks():
    held = {"t": [query("q", RUN)]}
    assert found(held, [passage("a", f"They ask: {RUN}?")], ngrams=[13])[0][:4] == (0, "t", "13-gram", "q")


def test_every_test_set_is_looked_into_and_named():
    held = {"one": [passage("p", RUN)], "none": [passage("r", "something else")], "two": [passage("s", RUN)]}
    assert [item[1:4] for item in found(held, [passage("a", RUN)], ngrams=[13])] == [
        ("one", "exact", "p"),
        ("two", "exact", "s"),
        ("one", "13-gram", "p"),
        ("two", "13-gram", "s"),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_runs_are_those_of_plain_code(seed):
    chance = random.Random(seed)
    words = "a b c d".split()

    def some(count):
        return [
            passage(f"x{place}", " ".join(chance.choices(words, k=chance.randint(0, 12)))) for place in range(count)
        ]

    held, texts = some(8), some(15)

    def runs(item, length):
        split = item.text.split()
        return {" ".join(split[start : start + length]) for start in range(len(split) - length + 1)}

    for length in (1, 4, 6):
        expected = {
            place for place, item in enumerate(texts) if any(runs(item, length) & runs(other, length) for other in held)
        }
        got = found({"t": held}, texts, exact=False, ngrams=[length])
        assert [item[0] for item in got] == sorted(expected)
        by_name = {item.id: item for item in held}
        for place, _, _, name, run in got:
            assert run in runs(texts[place], length)
            assert run in runs(by_name[name], length)


def test_near_duplicates_at_the_threshold_and_the_nearest_of_them():
    held = {"t": [passage("p", "at 0"), passage("r", "at 30"), query("q", "at 90")], "u": [passage("s", "at 41")]}
    texts = [
        passage("a", "is 26"),
        passage("b", "is 60"),
        query("c", "is 0"),
        query("d", "is 84"),
        passage("e", "is 15"),
    ]
    near = found(held, texts, Wheel(), exact=False, cosine=0.965, retriever="x")  # 15.2 degrees
    assert near == [
        (0, "t", "cosine", "r", f"{np.cos(np.radians(4)):.4f}"),
        (0, "u", "cosine", "s", f"{np.cos(np.radians(15)):.4f}"),
        (3, "t", "cosine", "q", f"{np.cos(np.radians(6)):.4f}"),
        (4, "t", "cosine", "p", f"{np.cos(np.radians(15)):.4f}"),
    ]


def test_blocks_of_test_texts_are_all_searched(monkeypatch):
    monkeypatch.setattr("synthrank.leaks.BLOCK", 2)
    held = {"t": [passage(str(angle), f"at {angle}") for angle in range(0, 180, 20)]}
    texts = [passage("a", "is 161"), passage("b", "is 1")]
    near = found(held, texts, Wheel(), exact=False, cosine=0.99, retriever="x")
    assert [(item[0], item[3]) for item in near] == [(0, "160"), (1, "0")]


def test_the_same_text_is_a_near_duplicate_and_is_encoded_once():
    wheel = Wheel()
    held = {"t": [passage("p", "at 7")], "u": [passage("p", "at 7")]}
    near = found(held, [passage("a", "at 7"), passage("b", "at 7")], wheel, exact=False, cosine=1.0, retriever="x")
    assert [(item[0], item[1], item[4]) for item in near] == [
        (0, "t", "1.0000"), (0, "u", "1.0000"), (1, "t", "1.0000"), (1, "u", "1.0000"),
    ]  # fmt: skip
    assert wheel.seen == ["at 7", "at 7"], "once for the test sets, once for what is tested"


def test_the_model_reads_the_stated_words():
    wheel = Wheel()
    held = {"t": [passage("p", "one two 3 four")]}
    assert found(held, [], wheel, cosine=0.9, retriever="x", words=3) == []
    assert wheel.seen == ["one two 3"]
    wheel.seen.clear()
    found({"t": [passage("p", "one two 3 4")]}, [], wheel, cosine=0.9, retriever="x", words=None)
    assert wheel.seen == ["one two 3 4"]


def test_texts_without_words_and_empty_test_sets_leak_nowhere():
    held = {"t": [passage("p", "…"), query("q", "")], "empty": []}
    texts = [passage("a", "…"), query("b", ""), passage("c", "!")]
    assert found(held, texts, Wheel(), ngrams=[1], cosine=0.5, retriever="x") == []
    assert found({}, texts) == []
    assert found(held, []) == []


def test_kinds_are_named_as_they_are_found():
    assert kinds_of(LeakTests(ngrams=(8, 13), cosine=0.9, retriever="x")) == ["exact", "8-gram", "13-gram", "cosine"]
    assert kinds_of(LeakTests(exact=False, ngrams=())) == []
