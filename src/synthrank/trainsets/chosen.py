"""Which training queries a recipe takes, and the passages that were written for them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl
from synthrank.order import place
from synthrank.records import WrittenPassage

Written = dict[str, list[WrittenPassage]]
"""Per query its written passages, in the order in which recipes take them."""


def read_written(path: Path, excluded: Collection[str], seed: int) -> Written:
    """Return the written passages of each query, the best grade first.

    Those of equal grade are in an order that the seed, the query and their ids fix. So recipes with one seed take the
    same passages of a query, be it in people's words or in others', and no passage is first because of its name.

    Args:
        path: the written passages.
        excluded: passages that answer a held-out query and are left out.
        seed: of the order of equal grades.
    """
    found: Written = defaultdict(list)
    for item in read_jsonl(path, WrittenPassage):
        if item.id not in excluded:
            found[item.query_id].append(item)
    return {
        name: sorted(items, key=lambda item: (-item.grade, place(item.id, seed, item.query_id)))
        for name, items in found.items()
    }


def choose(written: Written, order: Sequence[str], wanted: int, count: Counter[str], origin: Path, key: str) -> Written:
    """Return the passages of the first ``wanted`` queries of an order that have any.

    Args:
        written: the passages of each query that may serve.
        order: all training queries.
        wanted: how many queries.
        count: ``queries``, and ``queries_replaced`` where an earlier one has none; what was dropped before stands in
            it as ``filter_dropped``, ``leaking_query`` and ``leaking_passage``, which the error tells.
        origin: the file of the passages, for the error.
        key: of the recipe that states how many, for the error.

    Raises:
        BudgetError: fewer queries have one.
    """
    served = [name for name in order if name in written][:wanted]
    if len(served) < wanted:
        leaking = count["leaking_query"] + count["leaking_passage"]
        clean = f" that leaks into no test set ({leaking:,} texts that do were dropped)" if leaking else ""
        if dropped := count["filter_dropped"]:
            clean += f" that the filter keeps (it dropped {dropped:,} of {count['filter_pairs']:,} pairs)"
        raise BudgetError(
            f"{origin}: {len(served)} of {len(order)} training queries have a passage{clean}, the recipe wants "
            f"{wanted}; lower {key}"
        )
    count.update(queries=len(served), queries_replaced=len(set(served) - set(order[:wanted])))
    return {name: written[name] for name in served}
