"""Step order_trainset: candidates in the order that a language model gave them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import read_jsonl
from synthrank.held_out import excluded_passages
from synthrank.order import seeded
from synthrank.records import Group, Order, Pool
from synthrank.specs.base import load
from synthrank.specs.recipes import OrderRecipe, RecipeSpec
from synthrank.texts import texts_of
from synthrank.trainsets.ordered import FEWEST, group_of, top, without, without_texts, write_groups


def order_trainset(
    *,
    spec: Path,
    orders: Path,
    candidates: Path,
    passages: Path,
    held_out: list[Path],
    trainset: Path,
    stats: Path,
) -> None:
    """Build one group a query: the top of its order, labelled by rank (Baldelli et al. 2024, TWOLAR).

    Passages that answer a query of a held-out split are left out before the depth counts, and those below move up. An
    order that keeps fewer than two passages is left out and counted, and so is one of another source than the recipe's
    ``source``. The source of a candidate names the first stages
    that found it.

    Args:
        spec: the recipe's entity file.
        orders: the orders of the language model.
        candidates: the pools that it ordered.
        passages: the passages of the corpus, for orders that come without texts.
        held_out: qrels of the splits that training must not see.
        trainset: written: the groups, in the order of ``orders``.
        stats: written: what was counted.

    Raises:
        BudgetError: no order has two passages.
        DataError: a query has two orders, or a passage that is in order is in no pool or not in the corpus.
    """
    recipe: OrderRecipe = load(RecipeSpec, spec)
    counts: Counter[str] = Counter(orders=0, other_source=0, held_out_answers=0, too_short=0, beyond_max_queries=0)
    served = None
    if recipe.source:
        served = {pool.query_id for pool in read_jsonl(candidates, Pool) if pool.source == recipe.source}
    usable = _usable(orders, served, excluded_passages(held_out), recipe.depth, counts)
    chosen = set(seeded(usable, recipe.seed)[: recipe.max_queries])
    counts["beyond_max_queries"] = len(usable) - len(chosen)
    groups = _groups([order for name, order in usable.items() if name in chosen], candidates, passages, recipe)
    write_groups(groups, counts, trainset, stats, orders)


def _usable(
    path: Path, served: set[str] | None, excluded: set[str], depth: int, counts: Counter[str]
) -> dict[str, Order]:
    """Return the top of each order of the queries served, or of all, where at least two passages are left of it."""
    tops: dict[str, Order] = {}
    for order in read_jsonl(path, Order):
        if order.query_id in tops:
            raise DataError(f"{path}: query {order.query_id} has two orders; expected one a query")
        if served is not None and order.query_id not in served:
            counts["other_source"] += 1
            continue
        kept = without(order, excluded)
        counts.update(orders=1, held_out_answers=len(order.ids) - len(kept.ids))
        tops[order.query_id] = top(kept, depth)
    usable = {name: order for name, order in tops.items() if len(order.ids) >= FEWEST}
    counts["too_short"] = len(tops) - len(usable)
    return usable


def _groups(orders: Sequence[Order], candidates: Path, passages: Path, recipe: OrderRecipe) -> Iterator[Group]:
    text_of = texts_of(passages, without_texts(orders))
    wanted = {order.query_id for order in orders}
    found = {
        pool.query_id: {item.id: "+".join(sorted(item.ranks)) for item in pool.candidates}
        for pool in read_jsonl(candidates, Pool)
        if pool.query_id in wanted
    }
    for order in orders:
        source_of = found.get(order.query_id, {})
        strange = [name for name in order.ids if name not in source_of]
        if strange:
            raise DataError(
                f"{candidates}: query {order.query_id}: passage {strange[0]} is ordered, but is no candidate; expected "
                "the pools that the orders were made of"
            )
        yield group_of(order, text_of, source_of, recipe)
