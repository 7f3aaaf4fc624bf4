"""The finder finds planted overlap of each kind, and no near miss."""

import random

import numpy as np
import pytest

from synthrank.config.leaks import LeakTests
from synthrank.contamination.finder import OverlapFinder, OverlapText, kinds_of, read_vectors, write_vectors
from synthrank.errors import DataError

RUN = "water the rose every three days in summer and less in winter when it rests"


def passage(name, text):
    return OverlapText(name, text, "passage")


def query(name, text):
    return OverlapText(name, text, "query")


class Wheel:
    """An encoder whose vector has the angle, in degrees, in the last word of a text; records the encoded texts."""

    def __init__(self):
        self.seen = []

    def queries(self, texts):
        return self.passages(texts)

    def passages(self, texts):
        self.seen += texts
        angles = np.radians([float(text.split()[-1]) for text in texts])
        return (3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.float32)


def found(testsets, texts, encoder=None, **tests):
    finder = OverlapFinder(testsets, LeakTests(**{"ngrams": (), **tests}), encoder)
    return [(item.place, item.testset, item.kind, item.test.id, item.evidence) for item in finder.find(texts)]


def test_find_compares_normalised_texts():
    held = {"t": [query("q", "How do bees dance?"), passage("p", "Bees DANCE — in the hive.")]}
    texts = [
        passage("a", "bees dance in the \uff48ive"),
        passage("b", "how do bees dance"),
        passage("c", "bees dance in the hives"),
        query("d", "how do bees  dance!"),
    ]
    assert found(held, texts) == [(0, "t", "exact", "p", ""), (1, "t", "exact", "q", ""), (3, "t", "exact", "q", "")]
    assert found(held, texts, exact=False) == []


def test_find_finds_only_runs_of_the_stated_length():
    held = {"t": [passage("p", f"Always {RUN} again.")]}
    words = RUN.split()
    shares = {count: passage(str(count), f"other {' '.join(words[:count])} words") for count in (7, 8, 9)}
    assert found(held, [shares[7]], ngrams=[8]) == []
    assert found(held, [shares[8]], ngrams=[8]) == [(0, "t", "8-gram", "p", " ".join(words[:8]))]
    assert found(held, [shares[9]], ngrams=[8, 9]) == [
        (0, "t", "8-gram", "p", " ".join(words[:8])),
        (0, "t", "9-gram", "p", " ".join(words[:9])),
    ]


def test_find_does_not_join_runs_of_two_texts():
    words = RUN.split()
    held = {"t": [passage("p", RUN)]}
    texts = [passage("a", " ".join(words[:4])), passage("b", " ".join(words[4:9])), passage("c", "")]
    assert found(held, texts, ngrams=[6]) == []
    apart = {"t": [passage("p", " ".join(words[:4])), passage("r", " ".join(words[4:9]))]}
    assert found(apart, [passage("a", RUN)], ngrams=[6]) == []


def test_find_finds_a_passage_that_quotes_a_query():
    held = {"t": [query("q", RUN)]}
    assert found(held, [passage("a", f"They ask: {RUN}?")], ngrams=[13])[0][:4] == (0, "t", "13-gram", "q")


def test_find_searches_and_names_all_test_sets():
    held = {"one": [passage("p", RUN)], "none": [passage("r", "something else")], "two": [passage("s", RUN)]}
    assert [item[1:4] for item in found(held, [passage("a", RUN)], ngrams=[13])] == [
        ("one", "exact", "p"),
        ("two", "exact", "s"),
        ("one", "13-gram", "p"),
        ("two", "13-gram", "s"),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_find_equals_a_plain_search_of_runs(seed):
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


def test_find_returns_the_nearest_duplicate_above_the_threshold():
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


def test_find_searches_all_blocks(monkeypatch):
    monkeypatch.setattr("synthrank.contamination.finder.BLOCK", 2)
    held = {"t": [passage(str(angle), f"at {angle}") for angle in range(0, 180, 20)]}
    texts = [passage("a", "is 161"), passage("b", "is 1")]
    near = found(held, texts, Wheel(), exact=False, cosine=0.99, retriever="x")
    assert [(item[0], item[3]) for item in near] == [(0, "160"), (1, "0")]


def test_find_encodes_equal_texts_once():
    wheel = Wheel()
    held = {"t": [passage("p", "at 7")], "u": [passage("p", "at 7")]}
    near = found(held, [passage("a", "at 7"), passage("b", "at 7")], wheel, exact=False, cosine=1.0, retriever="x")
    assert [(item[0], item[1], item[4]) for item in near] == [
        (0, "t", "1.0000"), (0, "u", "1.0000"), (1, "t", "1.0000"), (1, "u", "1.0000"),
    ]  # fmt: skip
    assert wheel.seen == ["at 7", "at 7"], "once for the test sets, once for the training texts"


def test_find_with_stored_vectors_equals_encoding(tmp_path):
    """Includes test sets without texts of a side, and texts without words, which have no vector."""
    held = {
        "t": [query("q", "at 90"), query("none", "…"), passage("p", "at 0"), passage("r", "at 0")],
        "u": [passage("s", "at 41")],
        "empty": [],
    }
    texts = [passage("a", "is 3"), query("b", "is 88"), passage("c", "is 40")]
    stated = {"exact": False, "cosine": 0.99, "retriever": "x"}
    expected = found(held, texts, Wheel(), **stated)
    assert [item[:4] for item in expected] == [
        (0, "t", "cosine", "p"), (1, "t", "cosine", "q"), (2, "u", "cosine", "s"),
    ]  # fmt: skip
    wheel = Wheel()
    for name, texts_of in held.items():
        write_vectors(tmp_path / name, texts_of, wheel, 32)
    assert wheel.seen == ["at 90", "at 0", "at 41"], "equal texts once"
    wheel.seen.clear()
    vectors = {name: read_vectors(tmp_path / name, texts_of) for name, texts_of in held.items()}
    finder = OverlapFinder(held, LeakTests(ngrams=(), **stated), wheel, vectors)
    got = [(item.place, item.testset, item.kind, item.test.id, item.evidence) for item in finder.find(texts)]
    assert got == expected
    assert wheel.seen == ["is 88", "is 3", "is 40"], "only the training texts"


def test_read_vectors_refuses_vectors_of_other_texts(tmp_path):
    write_vectors(tmp_path / "t", [passage("p", "at 0"), passage("r", "at 9")], Wheel(), None)
    with pytest.raises(DataError, match=r"^.*/t/passage: its ids differ from the test set's; delete the folder"):
        read_vectors(tmp_path / "t", [passage("r", "at 9"), passage("p", "at 0")])


def test_find_encodes_the_stated_number_of_words():
    wheel = Wheel()
    held = {"t": [passage("p", "one two 3 four")]}
    assert found(held, [], wheel, cosine=0.9, retriever="x", words=3) == []
    assert wheel.seen == ["one two 3"]
    wheel.seen.clear()
    found({"t": [passage("p", "one two 3 4")]}, [], wheel, cosine=0.9, retriever="x", words=None)
    assert wheel.seen == ["one two 3 4"]


def test_find_ignores_texts_without_words_and_empty_test_sets():
    held = {"t": [passage("p", "…"), query("q", "")], "empty": []}
    texts = [passage("a", "…"), query("b", ""), passage("c", "!")]
    assert found(held, texts, Wheel(), ngrams=[1], cosine=0.5, retriever="x") == []
    assert found({}, texts) == []
    assert found(held, []) == []


def test_kinds_of_names_the_configured_tests():
    assert kinds_of(LeakTests(ngrams=(8, 13), cosine=0.9, retriever="x")) == ["exact", "8-gram", "13-gram", "cosine"]
    assert kinds_of(LeakTests(exact=False, ngrams=())) == []
