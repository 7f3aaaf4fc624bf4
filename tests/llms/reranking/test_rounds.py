"""Conversations in lockstep: rounds, order of results, and the limit of requests."""

from synthrank.llms.reranking.rounds import run_in_rounds


def conversation(name, rounds, asks=1):
    received = []
    for number in range(rounds):
        answers = yield [(name, number, place) for place in range(asks)]
        received += answers
    return name, received


def echo(log):
    def ask(items):
        log.append(items)
        return [f"{name}{number}{place}" for name, number, place in items]

    return ask


def test_run_in_rounds_takes_as_many_rounds_as_the_longest_conversation():
    log = []
    lengths = {"a": 2, "b": 5, "c": 3}
    found = list(run_in_rounds([conversation(name, count) for name, count in lengths.items()], echo(log), 100))
    assert found == [(name, [f"{name}{number}0" for number in range(count)]) for name, count in lengths.items()]
    assert [len(items) for items in log] == [3, 3, 2, 1, 1]
    assert log[0] == [("a", 0, 0), ("b", 0, 0), ("c", 0, 0)]


def test_run_in_rounds_returns_answers_to_their_conversations():
    log = []
    found = list(
        run_in_rounds([conversation("a", 1, 3), conversation("b", 2, 1), conversation("c", 1, 2)], echo(log), 100)
    )
    assert found == [("a", ["a00", "a01", "a02"]), ("b", ["b00", "b10"]), ("c", ["c00", "c01"])]


def test_run_in_rounds_accepts_conversations_without_requests():
    log = []
    assert [
        name
        for name, _ in run_in_rounds([conversation("a", 0), conversation("b", 1), conversation("c", 0)], echo(log), 1)
    ] == [
        "a",
        "b",
        "c",
    ]
    assert len(log) == 1
    assert list(run_in_rounds([], echo(log), 1)) == []


def test_run_in_rounds_starts_conversations_up_to_the_limit():
    log, begun = [], []

    def conversations():
        for name, rounds in zip("abcdef", (1, 3, 1, 1, 1, 1), strict=True):
            begun.append(name)
            yield conversation(name, rounds)

    outcomes = run_in_rounds(conversations(), echo(log), 2)
    assert begun == []
    assert next(outcomes)[0] == "a"
    assert "".join(begun) == "abc"  # the second round has b and c
    assert [name for name, _ in outcomes] == list("bcdef")
    assert [[name for name, _, _ in items] for items in log] == [["a", "b"], ["b", "c"], ["b", "d"], ["e", "f"]]


def test_run_in_rounds_allows_a_conversation_above_the_limit():
    log = []
    assert len(list(run_in_rounds([conversation("a", 1, 50), conversation("b", 1, 50)], echo(log), 10))) == 2
    assert [len(items) for items in log] == [50, 50]
