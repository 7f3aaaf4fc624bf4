"""Groups of a graded recipe: per query, a generated passage of each level, labelled with its level."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from synthrank.config.recipes import GradedRecipe
from synthrank.contamination.decontaminate import WrittenByQuery
from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Candidate, Group, WrittenPassage
from synthrank.data.sampling import sort_key
from synthrank.data.trec import Qrels, relevant
from synthrank.steps.trainsets.selection import GroupSelection, choose

HUMAN = "human"
"""The source of human passages, as in recipes of pairs."""

HUMAN_GRADE = -1
"""Grade of human passages: below every level, so that the guard uses the best generated passage; not their label."""


def make_graded_groups(
    recipe: GradedRecipe,
    selection: GroupSelection,
    judged: Qrels,
    queries: Path,
    positives: Path,
    negatives: Sequence[tuple[Path, Path]],
    passages: Sequence[Path],
    count: Counter[str],
) -> list[Group]:
    """Return one group per query: a passage of each level, labelled with the level (Esfandiarpoor et al. 2025, SyCL).

    If the recipe gives human passages a label, each group has the best human passage of its query, and queries without
    a human passage are skipped. The guard of negatives compares with the passage of the highest level. If the recipe
    drops overlapping texts, a query with an overlapping passage is skipped, because its group would lack a level.

    Args:
        recipe: the recipe.
        selection: takes the queries, passages and negatives.
        judged: the training qrels.
        queries: the training queries.
        positives: the generated passages of all levels.
        negatives: the run of the negatives and the passages that it names; empty if the recipe has no negatives.
        passages: the passages of the corpus, for human passages; empty if the recipe uses none.
        count: the counts to update.
    """
    order, known = selection.order(queries), relevant(judged)
    written, human = selection.written(positives), dict[str, str]()
    if recipe.human_label is not None:
        human = _find_best_human(judged, selection)
        count["queries_without_human"] = len(written.keys() - human.keys())
        written = _add_human(written, human, passages[0])
    # All queries are tested, because the number of queries that keep every passage is not known before.
    clean = selection.overlap_filter.written(written, order, len(order), count)
    whole = {name: items for name, items in clean.items() if len(items) == len(written[name])}
    chosen = choose(whole, order, recipe.queries, count, positives, "queries")
    count["groups"] = len(chosen)
    drawn: dict[str, tuple[Candidate, ...]] = {}
    if recipe.negatives:
        anchors = [max(items, key=lambda item: item.grade) for items in chosen.values()]
        every = [item for items in chosen.values() for item in items]
        taken = {name: {found} for name, found in human.items()}
        found, _ = selection.negatives(
            anchors, every, negatives[0], recipe.negatives, known, count, label=recipe.negative_label, taken=taken
        )
        drawn = {item.query_id: items for item, items in found}
    return [_group(items, human.get(name), drawn.get(name, ()), recipe) for name, items in chosen.items()]


def _find_best_human(judged: Qrels, selection: GroupSelection) -> dict[str, str]:
    """Return the best human passage of each query that has one; ties are broken as in recipes of pairs."""
    allowed = {query: names - selection.excluded for query, names in relevant(judged).items()}
    return {
        query: min(names, key=lambda name: (-judged[query][name], sort_key(name, selection.seed, query)))
        for query, names in allowed.items()
        if names
    }


def _add_human(written: WrittenByQuery, human: Mapping[str, str], passages: Path) -> WrittenByQuery:
    """Return the passages of each query with a human passage, which comes first, with a grade below all levels."""
    served = {name: items for name, items in written.items() if name in human}
    text_of = texts_of(passages, (human[name] for name in served))
    return {
        name: [WrittenPassage(human[name], text_of[human[name]], name, items[0].query, HUMAN_GRADE), *items]
        for name, items in served.items()
    }


def _group(
    items: list[WrittenPassage], human: str | None, negatives: tuple[Candidate, ...], recipe: GradedRecipe
) -> Group:
    """Return the group of a query, best label first; equal labels: human, then generated passages, then negatives."""
    found = [
        Candidate(item.id, item.text, float(recipe.human_label), HUMAN)
        if item.id == human and recipe.human_label is not None
        else Candidate(item.id, item.text, float(item.grade), recipe.paradigm)
        for item in items
    ]
    ranked = sorted([*found, *negatives], key=lambda item: -item.label)
    return Group(items[0].query_id, items[0].query, tuple(ranked))
