"""Talks side by side: in step, in order, and no more of them than there is room for."""

from synthrank.ordering.together import together


def talk(name, rounds, asks=1):
    said = []
    for number in range(rounds):
        answers = yield [(name, number, place) for place in range(asks)]
        said += answers
    return name, said


def echo(log):
    def ask(items):
        log.append(items)
        return [f"{name}{number}{place}" for name, number, place in items]

    return ask


def test_rounds_are_those_of_the_longest_talk():
    log = []
    lengths = {"a": 2, "b": 5, "c": 3}
    found = list(together([talk(name, count) for name, count in lengths.items()], echo(log), 100))
    assert found == [(name, [f"{name}{number}0" for number in range(count)]) for name, count in lengths.items()]
    assert [len(items) for items in log] == [3, 3, 2, 1, 1]
    assert log[0] == [("a", 0, 0), ("b", 0, 0), ("c", 0, 0)]


def test_answers_go_to_those_who_asked():
    log = []
    found = list(together([talk("a", 1, 3), talk("b", 2, 1), talk("c", 1, 2)], echo(log), 100))
    assert found == [("a", ["a00", "a01", "a02"]), ("b", ["b00", "b10"]), ("c", ["c00", "c01"])]


def test_a_talk_that_asks_nothing_is_over_at_once():
    log = []
    assert [name for name, _ in together([talk("a", 0), talk("b", 1), talk("c", 0)], echo(log), 1)] == ["a", "b", "c"]
    assert len(log) == 1
    assert list(together([], echo(log), 1)) == []


def test_talks_begin_as_there_is_room():
    log, begun = [], []

    def talks():
        for name, rounds in zip("abcdef", (1, 3, 1, 1, 1, 1), strict=True):
            begun.append(name)
            yield talk(name, rounds)

    outcomes = together(talks(), echo(log), 2)
    assert begun == []
    assert next(outcomes)[0] == "a"
    assert "".join(begun) == "abc"  # b waits for its second round beside c
    assert [name for name, _ in outcomes] == list("bcdef")
    assert [[name for name, _, _ in items] for items in log] == [["a", "b"], ["b", "c"], ["b", "d"], ["e", "f"]]


def test_a_talk_larger_than_the_room_is_let():
    log = []
    assert len(list(together([talk("a", 1, 50), talk("b", 1, 50)], echo(log), 10))) == 2
    assert [len(items) for items in log] == [50, 50]
