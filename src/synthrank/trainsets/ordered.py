"""Training groups out of orders: which passages stay, what their labels are, and what the groups hold."""

import logging
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import write_json, write_jsonl
from synthrank.recorded import PADDING
from synthrank.records import Candidate, Group, Order
from synthrank.specs.recipes import OrderRecipe, TeacherRecipe

log = logging.getLogger(__name__)

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


def write_groups(groups: Iterable[Group], counts: Mapping[str, int], trainset: Path, stats: Path, origin: Path) -> None:
    """Write the groups, and what they hold beside what was counted before.

    Fake passages are candidates and have labels, but count neither in ``list_lengths`` nor in ``sources``.

    Args:
        groups: made while they are written.
        counts: what was counted on the way, the orders as ``orders``.
        trainset: written: the groups.
        stats: written: the counts.
        origin: the file of the orders, for the error.

    Raises:
        BudgetError: there is no group; the file has no final name yet.
    """
    queries, sources, labels, lengths = set[str](), Counter[str](), Counter[float](), Counter[int]()

    def counted() -> Iterator[Group]:
        for group in groups:
            real = [item for item in group.candidates if item.text != PADDING]
            queries.add(group.query_id)
            labels.update(item.label for item in group.candidates)
            lengths[len(real)] += 1
            sources.update(item.source for item in real)
            yield group
        if not lengths:
            raise BudgetError(f"{origin}: no query that may train has {FEWEST} passages in order; more are needed")

    write_jsonl(trainset, counted())
    log.info("%d groups of %d orders", lengths.total(), counts["orders"])
    held = {
        "queries": len(queries),
        "groups": lengths.total(),
        "candidates": labels.total(),
        "padded": labels.total() - sources.total(),
        "list_lengths": {str(length): lengths[length] for length in sorted(lengths)},
        "sources": {source: sources[source] for source in sorted(sources)},
        "labels": {f"{label:.4f}": labels[label] for label in sorted(labels, reverse=True)},
    }
    write_json(stats, {**held, **counts})
