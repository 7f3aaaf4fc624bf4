"""Runs and qrels: ties, strictly decreasing scores, and ids that look like numbers or null values."""

import math
import random

import numpy as np
import plain_runs
import pytest
import pytrec_eval

from synthrank.data.records import Judgment
from synthrank.data.trec import answers, rank, ranks_of, read_qrels, read_run, relevant, write_qrels, write_run
from synthrank.errors import DataError

IDS = ["007", "7", "NA", "null", "1e3", "1000.0", "nan", "None", "True", "#x", '"quoted', "ü"]


def strict(pairs):
    scores = np.array([score for _, score in pairs], dtype=np.float32)
    return bool(np.all(scores[1:] < scores[:-1])) and bool(np.all(np.isfinite(scores)))


def test_rank_sorts_by_descending_score_then_ascending_id():
    assert [name for name, _ in rank([("b", 1.0), ("a", 1.0), ("10", 1.0), ("9", 1.0), ("c", 2.0)])] == [
        *("c", "10", "9", "a", "b")
    ]


def test_rank_keeps_strictly_decreasing_scores():
    assert rank([("a", 0.25), ("b", 3.5), ("c", -2.0)]) == [("b", 3.5), ("a", 0.25), ("c", -2.0)]


@pytest.mark.parametrize(
    "scores",
    [
        [1.0] * 5,
        [1.0, 1.0 + 1e-9],  # different as 64-bit floats, equal as 32-bit
        [123456789.0] * 4,
        [123456789.0, 123456788.0, 123456787.0],  # 32-bit floats are 8 apart here
        [3e38] * 3,
        [0.0] * 4,
        [-0.0, 0.0],
        [-5.0] * 3,
        [
            1.0,
            1.0,
            float(np.nextafter(np.float32(1), np.float32(0))),
        ],  # the second score, made strict, equals the third
    ],
)
def test_rank_makes_ties_strict_as_32_bit_floats_with_the_smaller_id_first(scores, tmp_path):
    names = [f"p{place}" for place in range(len(scores))]
    ranked = rank(list(zip(names, scores, strict=True))[::-1])
    assert [name for name, _ in ranked] == sorted(names, key=lambda name: (-np.float32(scores[int(name[1:])]), name))
    assert strict(ranked)
    assert [score for _, score in ranked] == pytest.approx(sorted(scores, reverse=True), rel=1e-6, abs=1e-44)
    write_run(tmp_path / "a.trec", {"q": ranked}, "tag")
    assert read_run(tmp_path / "a.trec")["q"] == ranked, "nine digits represent a 32-bit float exactly"


def test_rank_lowers_a_tied_score_by_one_step():
    first, second = rank([("a", 1.0), ("b", 1.0)])
    assert first == ("a", 1.0)
    assert second == ("b", float(np.nextafter(np.float32(1), np.float32(0))))


def test_rank_does_not_depend_on_the_order_of_the_pairs():
    generator = random.Random(5)
    for _ in range(30):
        pairs = [(f"d{place}", generator.choice([0.0, 0.5, 1.0, 1.0 + 1e-9])) for place in range(20)]
        shuffled = generator.sample(pairs, len(pairs))
        assert rank(pairs) == rank(shuffled)
        assert strict(rank(pairs))
        assert rank(rank(pairs)) == rank(pairs)


def test_rank_cuts_to_the_depth_after_sorting():
    assert [name for name, _ in rank([("a", 1.0), ("b", 3.0), ("c", 2.0)], depth=2)] == ["b", "c"]
    assert rank([], depth=2) == []


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 1e39])
def test_rank_refuses_a_score_that_is_not_finite(score):
    with pytest.raises(DataError, match=r"passage b: the score is .*; expected a finite number"):
        rank([("a", 1.0), ("b", score)])


def test_read_run_keeps_ids_as_text(tmp_path):
    run = {query: [(name, float(len(IDS) - place)) for place, name in enumerate(IDS)] for query in IDS}
    write_run(tmp_path / "run.trec", run, "tag")
    assert read_run(tmp_path / "run.trec") == run
    lines = (tmp_path / "run.trec").read_text().splitlines()
    assert lines[0] == "007 Q0 007 1 12 tag"
    assert lines[1] == "007 Q0 7 2 11 tag"
    assert lines[-1] == "ü Q0 ü 12 1 tag"
    assert len(lines) == len(IDS) ** 2


def test_write_run_sorts_and_cuts_rankings(tmp_path):
    write_run(tmp_path / "run.trec", {"q2": [("b", 1), ("a", 1), ("c", 5)], "q1": []}, "tag", depth=2)
    assert (tmp_path / "run.trec").read_text() == "q2 Q0 c 1 5 tag\nq2 Q0 a 2 1 tag\n"


def test_read_run_sorts_by_score_and_ignores_lines_and_ranks(tmp_path):
    (tmp_path / "run.trec").write_text("q Q0 low 1 0.5 x\nq Q0 high 2 1.5 x\n")
    assert [name for name, _ in read_run(tmp_path / "run.trec")["q"]] == ["high", "low"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q Q0 b 2 1.0", "5 columns; a run line has six: qid Q0 docno rank score tag"),
        ("", "0 columns; a run line has six: qid Q0 docno rank score tag"),
        ("q Q0 b 2 high tag", "score 'high' is not a number"),
        ("q Q0 b 2 1_0 tag", "score '1_0' is not a number in the digits 0 to 9"),
        ("q Q0 b 2 \u0661\u0662 tag", "score '\u0661\u0662' is not a number in the digits 0 to 9"),
        ("q Q0 b 2 nan tag", "score 'nan' is not a finite number of 32 bits"),
        ("q Q0 b 2 -inf tag", "score '-inf' is not a finite number of 32 bits"),
        ("q Q0 b 2 1e39 tag", "score '1e39' is not a finite number of 32 bits"),
        ("q Q0 a 2 1.0 tag", "passage a is listed twice for query q"),
    ],
)
def test_read_run_names_an_invalid_line(tmp_path, line, message):
    path = tmp_path / "run.trec"
    path.write_text(f"q Q0 a 1 2.0 tag\n{line}\n")
    with pytest.raises(DataError) as error:
        read_run(path)
    assert str(error.value) == f"{path}:2: {message}"


def test_read_run_refuses_nan(tmp_path):
    (tmp_path / "run.trec").write_text("q Q0 a 1 nan tag\n")
    with pytest.raises(DataError, match="finite"):
        read_run(tmp_path / "run.trec")


def test_read_qrels_returns_the_written_qrels(tmp_path):
    write_qrels(tmp_path / "qrels.txt", [Judgment("007", "NA", 2), Judgment("007", "1e3", 0), Judgment("q", "null", 1)])
    assert (tmp_path / "qrels.txt").read_text() == "007 0 NA 2\n007 0 1e3 0\nq 0 null 1\n"
    assert read_qrels(tmp_path / "qrels.txt") == {"007": {"NA": 2, "1e3": 0}, "q": {"null": 1}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q p 1", "3 columns; a qrels line has four: qid 0 docno grade"),
        ("q 0 p 1 0.5", "5 columns; a qrels line has four: qid 0 docno grade"),
        ("q 0 p 1.5", "grade '1.5' is not a whole number"),
        ("q 0 p 1_0", "grade '1_0' is not a whole number"),
        ("q 0 p \u0663", "grade '\u0663' is not a whole number"),
        ("q 0 p --1", "grade '--1' is not a whole number"),
        (f"q 0 p {'9' * 20}", f"grade '{'9' * 20}' is out of range; expected -10 to 100"),
        (f"q 0 p {'9' * 6000}", f"grade '{'9' * 60}' is out of range; expected -10 to 100"),
        ("q 0 p 3000000000", "grade '3000000000' is out of range; expected -10 to 100"),
        ("q 0 p 101", "grade '101' is out of range; expected -10 to 100"),
        ("q 0 p -11", "grade '-11' is out of range; expected -10 to 100"),
    ],
)
def test_read_qrels_names_an_invalid_line(tmp_path, line, message):
    path = tmp_path / "qrels.txt"
    path.write_text(f"q 0 a 1\nq 0 b 0\n{line}\n")
    with pytest.raises(DataError) as error:
        read_qrels(path)
    assert str(error.value) == f"{path}:3: {message}"


def test_read_qrels_accepts_the_limits_of_grades(tmp_path):
    (tmp_path / "qrels.txt").write_text("q 0 a -10\nq 0 b 100\n")
    assert read_qrels(tmp_path / "qrels.txt") == {"q": {"a": -10, "b": 100}}


@pytest.mark.parametrize("place", ["1_0", "nan", "\u0661", "1.0"])
def test_ranks_of_refuses_a_rank_that_is_not_a_whole_number(tmp_path, place):
    path = tmp_path / "run.trec"
    path.write_text(f"q Q0 a {place} 2.0 tag\n")
    with pytest.raises(DataError) as error:
        ranks_of(path, {"q": "a"})
    assert str(error.value) == f"{path}:1: rank {place!r} is not a whole number"


def test_read_run_and_read_qrels_ignore_a_byte_order_mark(tmp_path):
    run, qrels = tmp_path / "run.trec", tmp_path / "qrels.txt"
    run.write_text("\ufeffq1 Q0 a 1 2.0 tag\nq1 Q0 b 2 1.0 tag\n", encoding="utf-8")
    qrels.write_text("\ufeffq1 0 a 1\n", encoding="utf-8")
    assert read_run(run) == {"q1": [("a", 2.0), ("b", 1.0)]}
    assert read_qrels(qrels) == {"q1": {"a": 1}}
    assert ranks_of(run, {"q1": "b"}) == {"q1": 2}


def test_relevant_and_answers_select_by_grade(tmp_path):
    qrels = {"a": {"p1": 2, "p2": 1, "p3": 0}, "b": {"p4": 0}, "c": {"p5": -1, "p6": 1}}
    assert relevant(qrels) == {"a": {"p1", "p2"}, "c": {"p6"}}
    assert relevant(qrels, 2) == {"a": {"p1"}}
    (tmp_path / "x").write_text("a 0 p1 1\na 0 p2 0\n")
    (tmp_path / "y").write_text("b 0 p3 2\n")
    assert answers([tmp_path / "x", tmp_path / "y"]) == {"p1", "p3"}
    assert answers([]) == set()


def test_trec_eval_of_a_tied_run_uses_the_order_of_rank(tmp_path):
    """Without read_run, trec_eval breaks ties by descending id, so that p9 is first."""
    names = [f"p{place}" for place in range(10)]
    qrels = {"q": {"p0": 3, "p9": 1, "p4": 2}}
    (tmp_path / "run.trec").write_text("".join(f"q Q0 {name} 1 1.0 x\n" for name in names))
    ranked = read_run(tmp_path / "run.trec")
    gains = [qrels["q"].get(name, 0) for name in names]
    ideal = sorted(gains, reverse=True)
    value, best = (sum(gain / math.log2(place + 2) for place, gain in enumerate(row)) for row in (gains, ideal))
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut_10"})
    assert evaluator.evaluate({"q": dict(ranked["q"])})["q"]["ndcg_cut_10"] == pytest.approx(value / best, abs=1e-9)
    untouched = evaluator.evaluate({"q": dict.fromkeys(names, 1.0)})["q"]["ndcg_cut_10"]
    assert untouched != pytest.approx(value / best, abs=0.1)


# Comparison with the plain implementations


SMALLEST, LARGEST = (float(value) for value in (np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max))
SCORES = [
    lambda chance: chance.choice([0.0, -0.0, 0.5, 1.0, 1.0 + 1e-9, 2]),
    lambda chance: chance.choice([SMALLEST, -SMALLEST, 2 * SMALLEST, 0.0, -0.0]),
    lambda chance: chance.choice([LARGEST, -LARGEST, 3e38, 123456789, 123456788]),
    lambda chance: round(chance.gauss(0, 5), 1),
    lambda chance: np.float32(chance.random()),
    lambda chance: chance.randrange(2**53, 2**53 + 2**31),
    lambda chance: chance.uniform(-1, 1) * 10 ** chance.randrange(-45, 38),
]


def spelt(ranked):
    """Return pairs with hexadecimal scores, in which minus zero differs from zero."""
    assert all(type(score) is float for _, score in ranked)
    return [(name, score.hex()) for name, score in ranked]


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("score", SCORES)
def test_rank_equals_the_plain_implementation(score):
    chance = random.Random(7)
    for depth in (None, 0, 1, 7, 40):
        for size in (0, 1, 2, 5, 30) * 8:
            pairs = [(f"d{place}", score(chance)) for place in chance.sample(range(100), size)]
            if chance.random() < 0.3:
                pairs.sort(key=lambda pair: -pair[1])
            assert spelt(rank(iter(pairs), depth)) == spelt(plain_runs.rank(pairs, depth))


def test_rank_of_the_smallest_score_twice_gives_minus_infinity():
    pairs = [(name, -LARGEST) for name in "abc"]
    with np.errstate(over="ignore"):
        assert rank(pairs) == plain_runs.rank(pairs) == [("a", -LARGEST), ("b", -math.inf), ("c", -math.inf)]


@pytest.mark.filterwarnings("ignore:overflow")
def test_rank_names_the_same_invalid_passage_as_the_plain_implementation():
    chance = random.Random(3)
    for _ in range(50):
        pairs = [(f"d{place}", chance.choice([1.0, 2.0, 3.0])) for place in chance.sample(range(50), 12)]
        for place in chance.sample(range(12), chance.choice([1, 2, 3])):
            pairs[place] = pairs[place][0], chance.choice([math.nan, math.inf, -math.inf, 1e39, -1e39])
        messages = []
        for ranking in (rank, plain_runs.rank):
            with pytest.raises(DataError) as error:
                ranking(pairs)
            messages.append(str(error.value))
        assert messages[0] == messages[1]


@pytest.mark.parametrize("score", [math.nan, -math.inf])
def test_rank_refuses_a_score_beyond_the_depth_that_is_not_finite(score):
    """NaN has no position in an order. A cut before the check would keep arbitrary passages."""
    with pytest.raises(DataError, match=r"passage b: the score is (nan|-inf); expected a finite number"):
        rank([("a", 1.0), ("b", score), ("c", 5.0)], depth=1)


def random_run(chance, queries, together):
    """Return shuffled lines of a run with ties, with the lines of each query together or not."""
    lines = [
        f"q{query} Q0 d{name} {chance.randrange(9)} {chance.choice([0.5, 1, -2, 3.25, round(chance.random(), 6)])!r} x"
        for query in range(queries)
        for name in chance.sample(range(60), chance.choice([1, 2, 30]))
    ]
    return lines if together else chance.sample(lines, len(lines))


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("depth", [None, 1, 7, 100])
def test_read_run_equals_the_plain_implementation(tmp_path, together, depth):
    chance, path = random.Random(11), tmp_path / "run.trec"
    for _ in range(10):
        path.write_text("\n".join(random_run(chance, 9, together)) + "\n", encoding="utf-8")
        whole, found = plain_runs.read_run(path), read_run(path, depth)
        assert {query: spelt(ranked) for query, ranked in found.items()} == {
            query: spelt(ranked[:depth]) for query, ranked in whole.items()
        }
        assert list(found) == list(whole)


@pytest.mark.parametrize("together", [True, False])
def test_read_run_has_the_same_errors_as_the_plain_implementation(tmp_path, together):
    chance, path = random.Random(12), tmp_path / "run.trec"
    bad = ["q1 Q0 d1 1 1.0", "q1 Q0 d1 1 1.0 x y", "", "q1 Q0 d99 1 high x", "q2 Q0 d98 1 nan x", "q2 Q0 d98 1 -inf x"]
    for _ in range(40):
        lines = random_run(chance, 5, together)
        number = chance.randrange(len(lines))
        lines.insert(number + 1, chance.choice([*bad, lines[chance.randrange(number + 1)]]))
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        messages = []
        for reading in (read_run, plain_runs.read_run):
            with pytest.raises(DataError) as error:
                reading(path)
            messages.append(str(error.value))
        assert messages[0] == messages[1]


def test_read_run_refuses_a_repeated_passage_in_scattered_lines_beyond_the_depth(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text("q Q0 a 1 3 x\nq Q0 b 1 2 x\nr Q0 b 1 2 x\nq Q0 b 1 1 x\n")
    with pytest.raises(DataError, match=r"run\.trec:4: passage b is listed twice for query q"):
        read_run(path, depth=1)


def test_write_run_equals_the_plain_implementation(tmp_path):
    chance = random.Random(13)
    run = {
        f"q{query}": [(f"d{name}", SCORES[query % 2](chance)) for name in chance.sample(range(60), 25)]
        for query in range(20)
    }
    for depth in (None, 10):
        write_run(tmp_path / "fast.trec", run, "tag", depth)
        plain_runs.write_run(tmp_path / "plain.trec", run, "tag", depth)
        assert (tmp_path / "fast.trec").read_bytes() == (tmp_path / "plain.trec").read_bytes()


def test_ranks_of_returns_the_rank_of_one_passage_per_query(tmp_path):
    run = {"q1": [("a", 1.0), ("b", 3.0), ("c", 2.0)], "q2": [("a", 1.0), ("b", 1.0)], "q3": [("b", 1.0)]}
    write_run(tmp_path / "run.trec", run, "tag")
    wanted = {"q1": "c", "q2": "b", "q3": "a", "q4": "a"}
    assert ranks_of(tmp_path / "run.trec", wanted) == {"q1": 2, "q2": 2}
    (tmp_path / "run.trec").write_text("q1 Q0 c first 1.0 tag\n")
    with pytest.raises(DataError, match=r"run\.trec:1: rank 'first' is not a whole number"):
        ranks_of(tmp_path / "run.trec", wanted)
    (tmp_path / "run.trec").write_text("q1 c 1\n")
    with pytest.raises(DataError, match=r"run\.trec:1: 3 columns; a run line has six"):
        ranks_of(tmp_path / "run.trec", wanted)
