"""Sorts as generators: each yields comparisons, receives their answers, and returns a ranking.

A sort is independent of passages, prompts and models. It works on the places 0 to count - 1 of a pool's candidates. It
yields lists of places to show together, and receives one answer for each, or None. Comparisons yielded together may be
sent together. If an answer does not decide, the candidate that is higher in the pool wins, so without any answer the
pool's order is unchanged.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import combinations
from typing import TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Shown: TypeAlias = tuple[int, ...]
"""The places of the candidates that are shown together, in the order shown."""

Asking: TypeAlias = Generator[list[Shown], Sequence[T | None], R]
"""Yields places to show, receives the answers, and returns a result."""

Sort: TypeAlias = Asking[T, list[int]]
"""Returns all places, best first."""

Choose: TypeAlias = Callable[[Shown], Asking[int, int]]
"""Finds the best of several places."""


def windows(count: int, window: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the windows that slide over a list from its end to its top.

    RankGPT's loop takes only full windows that start at 0 or later: a list shorter than a window gets no window, and
    with 95 places, windows of 20 and steps of 10, the first five places are never shown. Here, as in RankLLM, a window
    that would start before the top is cut and is the last one. Every list gets at least one window, and a window has at
    least two places. If both published loops reach the top, their windows are the same as these.

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
    """Reorder each window by its answer, the places within the window best first; None leaves the window unchanged."""
    order = list(range(count))
    for _ in range(passes):
        for start, end in windows(count, window, step):
            shown = tuple(order[start:end])
            (answer,) = yield [shown]
            if answer is not None:
                order[start:end] = [shown[place] for place in answer]
    return order


def name_best(shown: Shown) -> Asking[int, int]:
    """Find the best of several places by one answer: its index among the places shown."""
    (answer,) = yield [shown]
    return min(shown) if answer is None else shown[answer]


def duels(shown: Shown) -> Asking[int, int]:
    """Find the best of several places by pairwise comparisons, each pair in both orders."""
    best, *rivals = shown
    for rival in rivals:
        first, second = yield [(best, rival), (rival, best)]
        winner = _winner(best, rival, first, second)
        best = min(best, rival) if winner is None else winner
    return best


def heap(count: int, compared: int, top: int, choose: Choose) -> Sort[int]:
    """Find the best ``top`` places with a heap whose nodes have ``compared`` - 1 children; the rest keep their order.

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
    return _complete(best, count)


def _sift(nodes: list[int], size: int, root: int, compared: int, choose: Choose) -> Asking[int, None]:
    """Move the node at ``root`` down until no child is better; the heap is the first ``size`` nodes."""
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
    """Find the best ``top`` places by moving the best of ``compared`` up from the end; the rest keep their order.

    Windows share one place. Later passes yield unchanged windows at the end again. With cached answers, this needs no
    more requests than the published sort, which starts later passes higher up.

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
    return _complete(order[:top], count)


def all_pairs(count: int) -> Sort[int]:
    """Rank by wins over all others, each pair compared in both orders; if these disagree, each place gets half a win.

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
    """Rank by one score per place, the highest first; equal scores keep their order."""
    scores = yield [(place,) for place in range(count)]
    return sorted(range(count), key=lambda place: -(scores[place] or 0.0))


def _winner(one: int, other: int, first: int | None, second: int | None) -> int | None:
    """Return the better place by the answers to (one, other) and (other, one), or None if they disagree."""
    if (first, second) == (0, 1):
        return one
    return other if (first, second) == (1, 0) else None


def _complete(best: list[int], count: int) -> list[int]:
    chosen = set(best)
    return best + [place for place in range(count) if place not in chosen]
