"""Step teacher_trainset: build training groups from recorded rankings of an external ranker."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.recipes import RecipeSpec, TeacherRecipe
from synthrank.data.external_rankings import PADDING, query_id_of, read_orders
from synthrank.data.files import read_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.passage_texts import find_absent, find_texts
from synthrank.data.records import Group, Order, Query
from synthrank.errors import DataError
from synthrank.steps.trainsets.from_orders import (
    FEWEST,
    find_without_texts,
    group_of,
    leave_out,
    take_top,
    write_groups,
)

TeacherOrders = list[tuple[str, Order]]
"""Rankings, each with the name of its file in the recipe."""


def teacher_trainset(
    *,
    spec: Path,
    files: list[Path],
    queries: list[Path],
    passages: Path,
    excluded: Path,
    held_out_queries: list[Path],
    trainset: Path,
    stats: Path,
) -> None:
    """Build one group per ranking of a training query: the first passages, labelled by rank.

    A query of the files matches a query of the split by id or, if the file has no ids, by its words. If several files
    rank the same query, for example from several first stages, each ranking becomes a separate group with the same
    query id. Texts are from the files if they have texts, otherwise from the corpus. Passages that answer a query of a
    held-out split, and the passages that fill up short rankings, are removed before rankings are cut to the depth;
    passages below move up. Rankings with fewer than two remaining passages are left out. Everything removed is counted,
    and so are queries with other words in the files (``other_words``).

    Args:
        spec: the recipe's entity file.
        files: the recorded rankings, in the order of the recipe.
        queries: the training queries, if the recipe names their split.
        passages: the passages of the corpus, for files without texts.
        excluded: the file of passages that training must not use.
        held_out_queries: the held-out queries, which are left out if the recipe names no split.
        trainset: the groups to write, file by file.
        stats: the counts to write.

    Raises:
        BudgetError: no ranking of a training query has two passages.
        DataError: a file does not match the recipe, a passage has no text and the recipe refuses that, or a query has
            no text and the recipe names no split.
    """
    recipe: TeacherRecipe = load(RecipeSpec, spec)
    excluded_ids = read_excluded(excluded)
    counts: Counter[str] = Counter(
        orders=0, other_queries=0, other_words=0, padding=0, held_out_answers=0, unknown_passages=0, too_short=0
    )
    may_train = _OfSplit(queries) if recipe.split else _NotHeldOut(held_out_queries)
    lists = _read_lists(recipe, files, may_train, counts)
    kept = [(file, leave_out(order, excluded_ids)) for file, order in lists]
    counts["held_out_answers"] = _count_passages(lists) - _count_passages(kept)
    known = _drop_unknown(kept, passages, recipe, counts)
    usable = [(file, take_top(order, recipe.depth)) for file, order in known]
    usable = [(file, order) for file, order in usable if len(order.ids) >= FEWEST]
    counts["too_short"] = len(lists) - len(usable)
    write_groups(_make_groups(usable, passages, recipe), counts, trainset, stats, spec)


class _OfSplit:
    """Accept only queries of a split, with the id and the words of their corpus."""

    def __init__(self, files: Iterable[Path]) -> None:
        queries = [query for path in files for query in read_jsonl(path, Query)]
        by_words = {query_id_of(query.text): query for query in reversed(queries)}
        self._named = {**by_words, **{query.id: query for query in queries}}

    def query_of(self, order: Order, path: Path) -> Query | None:
        return self._named.get(order.query_id)


class _NotHeldOut:
    """Accept all queries except held-out queries, which match by id or by their words, ignoring case."""

    def __init__(self, files: Iterable[Path]) -> None:
        queries = [query for path in files for query in read_jsonl(path, Query)]
        self._names = {query.id for query in queries}
        self._words = {query_id_of(query.text.casefold()) for query in queries}

    def query_of(self, order: Order, path: Path) -> Query | None:
        if not order.query.strip():
            raise DataError(f"{path}: query {order.query_id} has no text; state the split of its text in the recipe")
        held_out = order.query_id in self._names or query_id_of(order.query.casefold()) in self._words
        return None if held_out else Query(order.query_id, order.query)


def _read_lists(
    recipe: TeacherRecipe, files: Sequence[Path], may_train: _OfSplit | _NotHeldOut, counts: Counter[str]
) -> TeacherOrders:
    """Return the rankings of training queries."""
    lists = []
    for file, path in zip(recipe.files, files, strict=True):
        for order in read_orders(path, recipe.format, recipe.query_key, recipe.order_key):
            counts["orders"] += 1
            own = may_train.query_of(order, path)
            if own is None:
                counts["other_queries"] += 1
                continue
            counts["other_words"] += bool(order.query) and query_id_of(order.query) != query_id_of(own.text)
            real = leave_out(order, {name for name in order.ids if name.startswith(PADDING)})
            counts["padding"] += len(order.ids) - len(real.ids)
            lists.append((file, replace(real, query_id=own.id, query=own.text)))
    return lists


def _count_passages(lists: TeacherOrders) -> int:
    return sum(len(order.ids) for _, order in lists)


def _drop_unknown(lists: TeacherOrders, passages: Path, recipe: TeacherRecipe, counts: Counter[str]) -> TeacherOrders:
    """Return the rankings without passages that have no text, if the recipe drops such passages."""
    if recipe.unknown_passages == "refuse":
        return lists
    unknown = find_absent(passages, find_without_texts(order for _, order in lists))
    known = [(file, order if order.texts else leave_out(order, unknown)) for file, order in lists]
    counts["unknown_passages"] = _count_passages(lists) - _count_passages(known)
    return known


def _make_groups(lists: TeacherOrders, passages: Path, recipe: TeacherRecipe) -> Iterator[Group]:
    needed = find_without_texts(order for _, order in lists)
    text_of = find_texts(passages, needed)
    if unknown := needed - text_of.keys():
        raise DataError(
            f"{passages}: {len(unknown)} ranked passages are missing, first {min(unknown)!r}, and the files have no "
            "texts; add them to the corpus, or state unknown_passages: drop"
        )
    for file, order in lists:
        yield group_of(order, text_of, dict.fromkeys(order.ids, file), recipe)
