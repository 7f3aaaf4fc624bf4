"""Build training groups from rankings: selection of passages, labels and counts."""

import logging
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path

from synthrank.config.recipes import OrderRecipe, TeacherRecipe
from synthrank.data.external_rankings import PADDING
from synthrank.data.files import write_json, write_jsonl
from synthrank.data.records import Candidate, Group, Order
from synthrank.errors import BudgetError

log = logging.getLogger(__name__)

FEWEST = 2
"""Passages that a ranking must have; a single passage has no order."""


def leave_out(order: Order, left_out: Container[str]) -> Order:
    """Return the ranking without some passages; passages below move up."""
    return _pick(order, [place for place, name in enumerate(order.ids) if name not in left_out])


def take_top(order: Order, depth: int) -> Order:
    """Return the first ``depth`` passages of a ranking."""
    return _pick(order, range(min(depth, len(order.ids))))


def _pick(order: Order, places: Iterable[int]) -> Order:
    places = list(places)
    names, texts = tuple(order.ids[place] for place in places), order.texts
    return Order(order.query_id, order.query, names, tuple(texts[place] for place in places) if texts else ())


def find_without_texts(orders: Iterable[Order]) -> set[str]:
    """Return the passages of all rankings that have no texts."""
    return {name for order in orders if not order.texts for name in order.ids}


def group_of(
    order: Order, text_of: Mapping[str, str], source_of: Mapping[str, str], recipe: OrderRecipe | TeacherRecipe
) -> Group:
    """Return the training group of a ranking.

    Args:
        order: at most ``recipe.depth`` passages, best first.
        text_of: the texts of the passages, if the ranking has no texts.
        source_of: the source of each passage.
        recipe: states the labels, and whether fake passages at the end pad the ranking to the depth.
    """
    texts = order.texts or tuple(text_of[name] for name in order.ids)
    fakes = recipe.depth - len(texts) if recipe.pad_short_lists_with_fake_passages else 0
    labels = labels_of(recipe.label, len(texts) + fakes)
    real = [
        Candidate(name, text, label, source_of[name])
        for name, text, label in zip(order.ids, texts, labels, strict=False)
    ]
    # Each fake passage has a separate id, because ids in a group are distinct.
    fake = [Candidate(f"{PADDING}@{place}", PADDING, labels[place]) for place in range(len(real), len(labels))]
    return Group(order.query_id, order.query, (*real, *fake))


def labels_of(label: str, length: int) -> list[float]:
    """Return the labels of a ranking, best first: 1 / rank, or from 1 down to 1 / length in equal steps."""
    if label == "rank":
        return [(length - place) / length for place in range(length)]
    return [1 / rank for rank in range(1, length + 1)]


def write_groups(groups: Iterable[Group], counts: Mapping[str, int], trainset: Path, stats: Path, origin: Path) -> None:
    """Write the groups, and their counts together with earlier counts.

    Fake passages count as candidates and in ``labels``, but not in ``list_lengths`` and ``sources``.

    Args:
        groups: the groups; an iterator is read while writing.
        counts: the counts of earlier parts of the step, with the number of rankings as ``orders``.
        trainset: the groups to write.
        stats: the counts to write.
        origin: the file of the rankings, for error messages.

    Raises:
        BudgetError: ``groups`` is empty; ``trainset`` is not written.
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
            raise BudgetError(f"{origin}: no training query has a ranking of {FEWEST} passages; add longer rankings")

    write_jsonl(trainset, counted())
    log.info("%d groups from %d rankings", lengths.total(), counts["orders"])
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
