"""Step order_trainset: build training groups from a language model's rankings."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.recipes import OrderRecipe, RecipeSpec
from synthrank.data.files import read_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Group, Order, Pool
from synthrank.data.sampling import shuffle
from synthrank.errors import DataError
from synthrank.steps.trainsets.from_orders import (
    FEWEST,
    find_without_texts,
    group_of,
    leave_out,
    take_top,
    write_groups,
)


def order_trainset(
    *,
    spec: Path,
    orders: Path,
    candidates: Path,
    passages: Path,
    excluded: Path,
    trainset: Path,
    stats: Path,
) -> None:
    """Build one group per query: the first passages of its ranking, labelled by rank (Baldelli et al. 2024, TWOLAR).

    Passages that answer a query of a held-out split are removed before rankings are cut to the depth; passages below
    move up. Rankings with fewer than two remaining passages, and rankings of another source than the recipe's
    ``source``, are left out and counted. The source of a candidate names the first stages that found it.

    Args:
        spec: the recipe's entity file.
        orders: the rankings of the language model.
        candidates: the pools that it ranked.
        passages: the passages of the corpus, for rankings without texts.
        excluded: the file of passages that training must not use.
        trainset: the groups to write, in the order of ``orders``.
        stats: the counts to write.

    Raises:
        BudgetError: no ranking has two passages.
        DataError: a query has two rankings, or a ranked passage is not in the query's pool or not in the corpus.
    """
    recipe: OrderRecipe = load(RecipeSpec, spec)
    counts: Counter[str] = Counter(orders=0, other_source=0, held_out_answers=0, too_short=0, beyond_max_queries=0)
    served = None
    if recipe.source:
        served = {pool.query_id for pool in read_jsonl(candidates, Pool) if pool.source == recipe.source}
    usable = _read_usable_orders(orders, served, read_excluded(excluded), recipe.depth, counts)
    chosen = set(shuffle(usable, recipe.seed)[: recipe.max_queries])
    counts["beyond_max_queries"] = len(usable) - len(chosen)
    groups = _make_groups([order for name, order in usable.items() if name in chosen], candidates, passages, recipe)
    write_groups(groups, counts, trainset, stats, orders)


def _read_usable_orders(
    path: Path, served: set[str] | None, excluded: set[str], depth: int, counts: Counter[str]
) -> dict[str, Order]:
    """Return the top of each ranking with at least two passages left, for the queries of ``served`` or for all."""
    tops: dict[str, Order] = {}
    for order in read_jsonl(path, Order):
        if order.query_id in tops:
            raise DataError(f"{path}: query {order.query_id} has two rankings; expected one per query")
        if served is not None and order.query_id not in served:
            counts["other_source"] += 1
            continue
        kept = leave_out(order, excluded)
        counts.update(orders=1, held_out_answers=len(order.ids) - len(kept.ids))
        tops[order.query_id] = take_top(kept, depth)
    usable = {name: order for name, order in tops.items() if len(order.ids) >= FEWEST}
    counts["too_short"] = len(tops) - len(usable)
    return usable


def _make_groups(orders: Sequence[Order], candidates: Path, passages: Path, recipe: OrderRecipe) -> Iterator[Group]:
    text_of = texts_of(passages, find_without_texts(orders))
    wanted = {order.query_id for order in orders}
    found = {
        pool.query_id: {item.id: "+".join(sorted(item.ranks)) for item in pool.candidates}
        for pool in read_jsonl(candidates, Pool)
        if pool.query_id in wanted
    }
    for order in orders:
        source_of = found.get(order.query_id, {})
        unknown = [name for name in order.ids if name not in source_of]
        if unknown:
            raise DataError(
                f"{candidates}: query {order.query_id}: ranked passage {unknown[0]} is not a candidate; use the pools "
                "from which the rankings were made"
            )
        yield group_of(order, text_of, source_of, recipe)
