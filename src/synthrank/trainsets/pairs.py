"""Groups of a recipe of pairs: a positive, labelled 1, and its negatives, labelled 0."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from synthrank.records import Candidate, Group
from synthrank.specs.recipes import PairsRecipe
from synthrank.trainsets.filtered import filtered
from synthrank.trainsets.selection import Selection, choose


def pair_groups(
    recipe: PairsRecipe,
    selection: Selection,
    judged: Mapping[str, set[str]],
    files: Iterable[tuple[Path, Path, tuple[Path, Path]]],
    filters: Sequence[Path],
    reworded: Collection[str],
    counts: Mapping[str, Counter[str]],
) -> list[Group]:
    """Return one group a positive, paradigm by paradigm.

    Args:
        recipe: the recipe.
        selection: takes the queries, passages and negatives.
        judged: per query the passages that are judged relevant to it.
        files: of each paradigm its queries, its written passages, and the run and the passages of its negatives.
        filters: what the filter of each goes by that has one.
        reworded: the paradigms whose negative passages are another wording of those that the run names.
        counts: by paradigm, what was counted.
    """
    groups: list[Group] = []
    evidence = iter(filters)
    for wanted, (queries, positives, negatives) in zip(recipe.positives, files, strict=True):
        count, order, found = counts[wanted.paradigm], selection.order(queries), selection.written(positives)
        known = {name: {item.id for item in items} for name, items in found.items()} | judged
        if wanted.filter:
            found = filtered(found, wanted.filter, next(evidence), count)
        usable = selection.unleaked.written(found, order, wanted.queries, count)
        served = choose(usable, order, wanted.queries, count, positives, "positives.queries")
        chosen = [item for items in served.values() for item in items[: wanted.per_query]]
        count["groups"] = len(chosen)
        drawn, same = selection.negatives(
            chosen, chosen, negatives, recipe.negatives, known, count, reworded=wanted.paradigm in reworded
        )
        groups += [
            Group(
                item.query_id,
                item.query,
                (Candidate(item.id, item.text, 1.0, wanted.paradigm), *items),
                tuple(sorted({*known.get(item.query_id, ()), *same.get(item.query_id, ())})),
            )
            for item, items in drawn
        ]
    return groups
