"""Training groups out of orders: which passages stay, what their labels are, and what the groups hold."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from synthrank.errors import BudgetError
from synthrank.recorded import PADDING
from synthrank.records import Candidate, Group, Order
from synthrank.specs.recipes import OrderRecipe, TeacherRecipe

FEWEST = 2
"""Passages that an order must have: one alone says nothing about which is better."""


def without(order: Order, left_out: Container[str]) -> Order:
    """Return the order without some passages; those below move up."""
    return _at(order, [place for place, name in enumerate(order.ids) if name not in left_out])


def top(order: Order, depth: int) -> Order:
    """Return the first ``depth`` passages of an order."""
    return _at(order, range(min(depth, len(order.ids))))


def _at(order: Order, places: Iterable[int]) -> Order:
    places = list(places)
    names, texts = tuple(order.ids[place] for place in places), order.texts
    return Order(order.query_id, order.query, names, tuple(texts[place] for place in places) if texts else ())


def without_texts(orders: Iterable[Order]) -> set[str]:
    """Return the passages whose texts the orders do not bring along."""
    return {name for order in orders if not order.texts for name in order.ids}


def group_of(
    order: Order, text_of: Mapping[str, str], source_of: Mapping[str, str], recipe: OrderRecipe | TeacherRecipe
) -> Group:
    """Return the training group of an order.

    Args:
        order: at most ``recipe.depth`` passages, best first.
        text_of: the texts of passages whose texts the order does not bring along.
        source_of: where each passage came from.
        recipe: how they are labelled, and whether fake passages fill the list up to its depth, worst-ranked.
    """
    texts = order.texts or tuple(text_of[name] for name in order.ids)
    fakes = recipe.depth - len(texts) if recipe.pad_short_lists_with_fake_passages else 0
    labels = labels_of(recipe.label, len(texts) + fakes)
    real = [
        Candidate(name, text, label, source_of[name])
        for name, text, label in zip(order.ids, texts, labels, strict=False)
    ]
    # Each has an id of its own, because ids within a group are distinct.
    fake = [Candidate(f"{PADDING}@{place}", PADDING, labels[place]) for place in range(len(real), len(labels))]
    return Group(order.query_id, order.query, (*real, *fake))


def labels_of(label: str, length: int) -> list[float]:
    """Return the labels of a list, best first: 1 / rank, or from 1 down to 1 / length in equal steps."""
    if label == "rank":
        return [(length - place) / length for place in range(length)]
    return [1 / rank for rank in range(1, length + 1)]


class Contents:
    """What the groups of a training set hold, counted while they are written."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.groups = 0
        self._queries: set[str] = set()
        self._padded = 0
        self._labels: Counter[float] = Counter()
        self._lengths: Counter[int] = Counter()
        self._sources: Counter[str] = Counter()

    def counted(self, groups: Iterable[Group], origin: str) -> Iterator[Group]:
        """Yield the groups.

        Raises:
            BudgetError: there was none; raised at the end, while the file they are written to has no final name yet.
        """
        for group in groups:
            real = [item for item in group.candidates if item.text != PADDING]
            self.groups += 1
            self._queries.add(group.query_id)
            self._padded += len(group.candidates) - len(real)
            self._labels.update(item.label for item in group.candidates)
            self._lengths[len(real)] += 1
            self._sources.update(item.source for item in real)
            yield group
        if not self.groups:
            raise BudgetError(f"{origin}: no query that may train has {FEWEST} passages in order; more are needed")

    def report(self) -> dict[str, Any]:
        """Return the counts.

        Fake passages are candidates and have labels, but count neither in ``list_lengths`` nor in ``sources``.
        """
        return {
            "queries": len(self._queries),
            "groups": self.groups,
            "candidates": self._labels.total(),
            "padded": self._padded,
            "list_lengths": {str(length): self._lengths[length] for length in sorted(self._lengths)},
            "sources": {source: self._sources[source] for source in sorted(self._sources)},
            "labels": {f"{label:.4f}": self._labels[label] for label in sorted(self._labels, reverse=True)},
        }
