"""The sorts with an oracle: the right order with the theoretical number of questions."""

import random
from itertools import pairwise

import pytest

from synthrank.llms.reranking.sorts import all_pairs, bubble, by_score, duels, heap, listwise, name_best, windows


def run(sort, answer):
    """Run a sort; return its order, the number of distinct questions, and the rounds."""
    known, rounds = {}, []
    try:
        wanted = next(sort)
        while True:
            rounds.append([shown for shown in wanted if shown not in known])
            known |= {shown: answer(shown) for shown in wanted}
            wanted = sort.send([known[shown] for shown in wanted])
    except StopIteration as stop:
        return stop.value, sum(map(len, rounds)), rounds


def shuffled(count, seed=0):
    """Return the right place of each candidate."""
    right = list(range(count))
    random.Random(seed).shuffle(right)
    return right


def in_order(right):
    return lambda shown: sorted(range(len(shown)), key=lambda place: right[shown[place]])


def best(right):
    return lambda shown: min(range(len(shown)), key=lambda place: right[shown[place]])


def ranked(right):
    return sorted(range(len(right)), key=lambda place: right[place])


@pytest.mark.parametrize(
    ("count", "window", "step", "expected"),
    [
        (100, 20, 10, [(start, start + 20) for start in range(80, -1, -10)]),
        (30, 20, 10, [(10, 30), (0, 20)]),
        (30, 30, 30, [(0, 30)]),
        (20, 20, 10, [(0, 20)]),
        (7, 20, 10, [(0, 7)]),
        (2, 20, 10, [(0, 2)]),
        (25, 20, 10, [(5, 25), (0, 15)]),  # the published loop never shows the first five
        (21, 20, 10, [(1, 21), (0, 11)]),
        (31, 30, 30, [(1, 31), (0, 2)]),  # a window has at least two passages
    ],
)
def test_windows_slide_from_the_end_to_the_top(count, window, step, expected):
    assert list(windows(count, window, step)) == expected


@pytest.mark.parametrize("window", [2, 3, 10, 20])
def test_windows_always_reach_the_top_and_overlap(window):
    for count in range(2, 70):
        for step in range(1, window + 1):
            found = list(windows(count, window, step))
            assert found[0][1] == count
            assert found[-1][0] == 0
            assert all(0 <= start < end and end - start >= 2 for start, end in found)
            assert all(end - start == window for start, end in found[:-1])
            assert all(later[1] >= earlier[0] for earlier, later in pairwise(found))
            assert [end for _, end in found[:-1]] == [count - step * place for place in range(len(found) - 1)]


def test_listwise_sorts_one_more_step_with_each_pass():
    right = shuffled(50)
    for passes, sorted_places in [(1, 10), (2, 20), (3, 30), (5, 50)]:
        order, asked, rounds = run(listwise(50, 20, 10, passes), in_order(right))
        assert order[:sorted_places] == ranked(right)[:sorted_places]
        assert sorted(order) == list(range(50))
        assert asked <= 4 * passes == len(rounds)
    worst = list(range(50))[::-1]
    assert run(listwise(50, 20, 10, 1), in_order(worst))[0][:11] == [*range(49, 39, -1), 9]


@pytest.mark.parametrize(("count", "window", "step", "calls"), [(100, 20, 10, 9), (30, 20, 10, 2), (30, 30, 30, 1)])
def test_listwise_yields_one_window_per_round(count, window, step, calls):
    _, asked, rounds = run(listwise(count, window, step, 1), in_order(shuffled(count)))
    assert asked == calls
    assert [len(shown) for shown in rounds] == [1] * calls


def test_listwise_leaves_a_window_without_an_answer_unchanged():
    right = shuffled(30)
    answers = iter([None, in_order(right)])
    order, _, rounds = run(listwise(30, 20, 10, 1), lambda shown: (say := next(answers)) and say(shown))
    assert rounds == [[tuple(range(10, 30))], [tuple(range(20))]]
    assert order == sorted(range(20), key=lambda place: right[place]) + list(range(20, 30))


SORTS = {
    "setwise heap": lambda count, top: heap(count, 4, top, name_best),
    "setwise heap of three": lambda count, top: heap(count, 3, top, name_best),
    "setwise bubble": lambda count, top: bubble(count, 4, top, name_best),
    "setwise bubble of two": lambda count, top: bubble(count, 2, top, name_best),
    "pairwise heap": lambda count, top: heap(count, 3, top, duels),
    "pairwise bubble": lambda count, top: bubble(count, 2, top, duels),
}


@pytest.mark.parametrize("name", SORTS)
@pytest.mark.parametrize("count", [2, 3, 4, 5, 30])
def test_sorts_order_the_top_and_keep_the_rest(name, count):
    for seed in range(10):
        right = shuffled(count, seed)
        for top in (1, 2, 10, 40):
            order, _, _ = run(SORTS[name](count, top), best(right))
            chosen = ranked(right)[:top]
            assert order == chosen + [place for place in range(count) if place not in chosen]


def test_sorts_need_the_theoretical_number_of_questions():
    worst = list(range(30))[::-1]
    _, asked, _ = run(bubble(30, 2, 1, name_best), best(worst))
    assert asked == 29
    _, asked, _ = run(bubble(28, 4, 1, name_best), best(worst))
    assert asked == 9
    _, asked, rounds = run(all_pairs(30), best(worst))
    assert (asked, len(rounds)) == (870, 1)
    # In an ordered list, each window is yielded once: 10 in the first pass, and one cut window per later pass.
    _, asked, _ = run(bubble(31, 4, 3, name_best), best(list(range(31))))
    assert asked == 10 + 2
    # A heap of 40 with three children has 13 inner nodes, each compared once if the best is already on top.
    _, asked, _ = run(heap(40, 4, 1, name_best), best(list(range(40))))
    assert asked == 13
    _, asked, _ = run(heap(40, 4, 10, name_best), best(shuffled(40)))
    assert asked <= 13 + 10 + 9 * 4


@pytest.mark.parametrize("name", SORTS)
def test_sorts_without_answers_keep_the_order(name):
    assert run(SORTS[name](30, 10), lambda shown: None)[0] == list(range(30))


@pytest.mark.parametrize("sort", [lambda: all_pairs(9), lambda: heap(9, 3, 9, duels), lambda: bubble(9, 2, 9, duels)])
def test_sorts_ignore_a_preference_for_a_position(sort):
    assert run(sort(), lambda shown: 0)[0] == list(range(9))
    assert run(sort(), lambda shown: 1)[0] == list(range(9))


def test_all_pairs_gives_half_a_win_if_the_orders_disagree():
    # 1 beats 0; 2 against 0 and against 1 is undecided: 1 has 1.5, 2 has 1.0, 0 has 0.5
    said = {(0, 1): 1, (1, 0): 0, (0, 2): 0, (2, 0): 0, (1, 2): 0, (2, 1): None}
    assert run(all_pairs(3), said.__getitem__)[0] == [1, 2, 0]


def test_by_score_is_stable():
    scores = [1.0, 3.0, 1.0, 3.0, 2.0]
    order, asked, rounds = run(by_score(5), lambda shown: scores[shown[0]])
    assert order == [1, 3, 4, 0, 2]
    assert (asked, len(rounds)) == (5, 1)
