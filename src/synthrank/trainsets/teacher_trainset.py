"""Step teacher_trainset: passages in the order that others recorded."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import read_jsonl
from synthrank.held_out import excluded_passages
from synthrank.recorded import PADDING, query_id_of, read_orders
from synthrank.records import Group, Order, Query
from synthrank.specs.base import load
from synthrank.specs.recipes import RecipeSpec, TeacherRecipe
from synthrank.texts import absent, known_texts
from synthrank.trainsets.ordered import FEWEST, group_of, top, without, without_texts, write_groups

Lists = list[tuple[str, Order]]
"""Orders, each with the file it is from as the recipe names it."""


def teacher_trainset(
    *,
    spec: Path,
    files: list[Path],
    queries: list[Path],
    passages: Path,
    held_out: list[Path],
    held_out_queries: list[Path],
    trainset: Path,
    stats: Path,
) -> None:
    """Build one group for each order of a query that may train: its top, labelled by rank.

    A query of the files is one of the split's if it has its id, or, where the file gives it none, its words. Several
    files may order one query, from several first stages: each order is a group of its own, under the same query id.
    Texts are those of the files where they have some, the corpus's otherwise. Passages that answer a query of a
    held-out split, and padding of short lists, are left out before the depth counts, and those below move up; an order
    that keeps fewer than two is left out. All that is left out is counted, and so are queries that read otherwise in
    the files (``other_words``).

    Args:
        spec: the recipe's entity file.
        files: the recorded orders, in the order of the recipe.
        queries: the queries that may train, where the recipe names their split.
        passages: the passages of the corpus, for files without texts.
        held_out: qrels of the splits that training must not see.
        held_out_queries: their queries, which may not train where the recipe names no split.
        trainset: written: the groups, file by file.
        stats: written: what was counted.

    Raises:
        BudgetError: no order of a query that may train has two passages.
        DataError: a file is not what the recipe says, a passage has no text, where that is refused, or a query has
            none and the recipe names no split.
    """
    recipe: TeacherRecipe = load(RecipeSpec, spec)
    excluded = excluded_passages(held_out)
    counts: Counter[str] = Counter(
        orders=0, other_queries=0, other_words=0, padding=0, held_out_answers=0, unknown_passages=0, too_short=0
    )
    may_train = _OfSplit(queries) if recipe.split else _NotHeldOut(held_out_queries)
    lists = _lists(recipe, files, may_train, counts)
    kept = [(file, without(order, excluded)) for file, order in lists]
    counts["held_out_answers"] = _passages(lists) - _passages(kept)
    known = _known(kept, passages, recipe, counts)
    usable = [(file, top(order, recipe.depth)) for file, order in known]
    usable = [(file, order) for file, order in usable if len(order.ids) >= FEWEST]
    counts["too_short"] = len(lists) - len(usable)
    write_groups(_groups(usable, passages, recipe), counts, trainset, stats, spec)


class _OfSplit:
    """The queries of a split may train, under the id and in the words that their corpus gives them."""

    def __init__(self, files: Iterable[Path]) -> None:
        queries = [query for path in files for query in read_jsonl(path, Query)]
        by_words = {query_id_of(query.text): query for query in reversed(queries)}
        self._named = {**by_words, **{query.id: query for query in queries}}

    def query_of(self, order: Order, path: Path) -> Query | None:
        return self._named.get(order.query_id)


class _NotHeldOut:
    """All queries may train but those that a held-out split asks, by their id or, case aside, in the same words."""

    def __init__(self, files: Iterable[Path]) -> None:
        queries = [query for path in files for query in read_jsonl(path, Query)]
        self._names = {query.id for query in queries}
        self._words = {query_id_of(query.text.casefold()) for query in queries}

    def query_of(self, order: Order, path: Path) -> Query | None:
        if not order.query.strip():
            raise DataError(f"{path}: query {order.query_id} has no text; name the split that has it in the recipe")
        held_out = order.query_id in self._names or query_id_of(order.query.casefold()) in self._words
        return None if held_out else Query(order.query_id, order.query)


def _lists(
    recipe: TeacherRecipe, files: Sequence[Path], may_train: _OfSplit | _NotHeldOut, counts: Counter[str]
) -> Lists:
    """Return the orders of queries that may train."""
    lists = []
    for file, path in zip(recipe.files, files, strict=True):
        for order in read_orders(path, recipe.format, recipe.query_key, recipe.order_key):
            counts["orders"] += 1
            own = may_train.query_of(order, path)
            if own is None:
                counts["other_queries"] += 1
                continue
            counts["other_words"] += bool(order.query) and query_id_of(order.query) != query_id_of(own.text)
            real = without(order, {name for name in order.ids if name.startswith(PADDING)})
            counts["padding"] += len(order.ids) - len(real.ids)
            lists.append((file, replace(real, query_id=own.id, query=own.text)))
    return lists


def _passages(lists: Lists) -> int:
    return sum(len(order.ids) for _, order in lists)


def _known(lists: Lists, passages: Path, recipe: TeacherRecipe, counts: Counter[str]) -> Lists:
    """Return the orders without passages that have no text anywhere, where the recipe drops these."""
    if recipe.unknown_passages == "refuse":
        return lists
    unknown = absent(passages, without_texts(order for _, order in lists))
    known = [(file, order if order.texts else without(order, unknown)) for file, order in lists]
    counts["unknown_passages"] = _passages(lists) - _passages(known)
    return known


def _groups(lists: Lists, passages: Path, recipe: TeacherRecipe) -> Iterator[Group]:
    needed = without_texts(order for _, order in lists)
    text_of = known_texts(passages, needed)
    if unknown := needed - text_of.keys():
        raise DataError(
            f"{passages}: {len(unknown)} passages of the orders are not in it, first {min(unknown)!r}, and the files "
            "have no texts; mend the corpus, or state unknown_passages: drop where it holds only a part"
        )
    for file, order in lists:
        yield group_of(order, text_of, dict.fromkeys(order.ids, file), recipe)
