"""Sorts that ask: each yields what is to be compared and is sent what was answered, until it returns an order.

A sort knows no passages, prompts or models. It sees the places 0 to count - 1 of a pool's candidates, yields lists of
places to be shown together, and is sent one answer for each, None where there is none. What is yielded together may be
asked together. Wherever an answer does not decide, the candidate that the pool has higher is taken, so that a model
that never answers leaves the pool's order as it is.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import combinations
from typing import TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Shown: TypeAlias = tuple[int, ...]
"""The places of the candidates that are shown together, in the order in which they are shown."""

Asking: TypeAlias = Generator[list[Shown], Sequence[T | None], R]
"""Yields what is to be shown, is sent the answers, and returns something."""

Sort: TypeAlias = Asking[T, list[int]]
"""Returns the order: all places, best first."""

Choose: TypeAlias = Callable[[Shown], Asking[int, int]]
"""Finds the best of a few places."""


def windows(count: int, window: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the windows that slide over a list from its end to its top.

    RankGPT's loop takes windows of full size as long as they begin at 0 or after it: a list shorter than a window gets
    none, and of 95 places in windows of 20 and steps of 10 the first five are never shown. Here, as in RankLLM, the
    window that would begin before the top is cut there, and is the last; every list is one window at least, and none
    has less than two places. Where both published loops reach the top, these are their windows.

    Source: Sun et al., Is ChatGPT Good at Search?, EMNLP 2023, section 3.2; Pradeep et al., RankZephyr, 2023.
    """
    end = count
    while True:
        start = max(0, end - window)
        yield start, max(end, min(2, count))
        if start == 0:
            return
        end -= step


def listwise(count: int, window: int, step: int, passes: int) -> Sort[Sequence[int]]:
    """Order each window as the answer says, the places within it best first; one without an answer stays as it is."""
    order = list(range(count))
    for _ in range(passes):
        for start, end in windows(count, window, step):
            shown = tuple(order[start:end])
            (answer,) = yield [shown]
            if answer is not None:
                order[start:end] = [shown[place] for place in answer]
    return order


def name_best(shown: Shown) -> Asking[int, int]:
    """Find the best of a few by one answer: where it stands among those shown."""
    (answer,) = yield [shown]
    return min(shown) if answer is None else shown[answer]


def duels(shown: Shown) -> Asking[int, int]:
    """Find the best of a few by comparing two at a time, each pair in both orders."""
    best, *rivals = shown
    for rival in rivals:
        first, second = yield [(best, rival), (rival, best)]
        winner = _winner(best, rival, first, second)
        best = min(best, rival) if winner is None else winner
    return best


def heap(count: int, compared: int, top: int, choose: Choose) -> Sort[int]:
    """Sort the first ``top`` places by a heap whose nodes have ``compared`` - 1 children; the rest keep their order.

    Source: Zhuang et al., A Setwise Approach for Effective and Highly Efficient Zero-shot Ranking, SIGIR 2024.
    """
    nodes = list(range(count))
    for root in reversed(range(count)):
        yield from _sift(nodes, count, root, compared, choose)
    best: list[int] = []
    for size in reversed(range(count)):
        best.append(nodes[0])
        if len(best) == top:
            break
        nodes[0] = nodes[size]
        yield from _sift(nodes, size, 0, compared, choose)
    return _completed(best, count)


def _sift(nodes: list[int], size: int, root: int, compared: int, choose: Choose) -> Asking[int, None]:
    """Let the node at ``root`` sink until none of its children is better; the heap is the first ``size`` nodes."""
    children = compared - 1
    while (first := children * root + 1) < size:
        family = [root, *range(first, min(first + children, size))]
        best = yield from choose(tuple(nodes[place] for place in family))
        winner = next(place for place in family if nodes[place] == best)
        if winner == root:
            return
        nodes[root], nodes[winner] = nodes[winner], nodes[root]
        root = winner


def bubble(count: int, compared: int, top: int, choose: Choose) -> Sort[int]:
    """Sort the first ``top`` places by letting the best of ``compared`` rise from the end; the rest keep their order.

    Windows share one place. Those at the end that no pass has changed are yielded again as they were: who remembers
    the answers asks no more than the published sort, which begins later passes higher up.

    Source: as :func:`heap`; with ``compared`` 2, the sliding window of Qin et al., Large Language Models are Effective
    Text Rankers with Pairwise Ranking Prompting, NAACL Findings 2024.
    """
    order = list(range(count))
    for done in range(min(top, count - 1)):
        end = count
        while end > done + 1:
            start = max(done, end - compared)
            best = yield from choose(tuple(order[start:end]))
            place = order.index(best)
            order[start], order[place] = order[place], order[start]
            end = start + 1
    return _completed(order[:top], count)


def all_pairs(count: int) -> Sort[int]:
    """Order by wins over all others, each pair compared in both orders; half a win each where these disagree.

    Source: Qin et al. 2024, equation 1.
    """
    points = [0.0] * count
    pairs = list(combinations(range(count), 2))
    answers = yield [shown for one, other in pairs for shown in ((one, other), (other, one))]
    for (one, other), first, second in zip(pairs, answers[::2], answers[1::2], strict=True):
        winner = _winner(one, other, first, second)
        for place in (one, other):
            points[place] += 0.5 if winner is None else float(place == winner)
    return sorted(range(count), key=lambda place: -points[place])


def by_score(count: int) -> Sort[float]:
    """Order by a score of each place alone, the highest first; equal ones keep their order."""
    scores = yield [(place,) for place in range(count)]
    return sorted(range(count), key=lambda place: -(scores[place] or 0.0))


def _winner(one: int, other: int, first: int | None, second: int | None) -> int | None:
    """Return who is better by the answers to (one, other) and (other, one); None unless they agree."""
    if (first, second) == (0, 1):
        return one
    return other if (first, second) == (1, 0) else None


def _completed(best: list[int], count: int) -> list[int]:
    chosen = set(best)
    return best + [place for place in range(count) if place not in chosen]
