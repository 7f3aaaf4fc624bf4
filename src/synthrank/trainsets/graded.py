"""Groups of a graded recipe: a written passage of each level per query, labelled with its level."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from synthrank.order import place
from synthrank.records import Candidate, Group, WrittenPassage
from synthrank.specs.recipes import GradedRecipe
from synthrank.texts import texts_of
from synthrank.trainsets.selection import Selection, choose
from synthrank.trainsets.unleaked import Written
from synthrank.trec import Qrels, relevant

HUMAN = "human"
"""The source of a passage that people wrote, as in recipes of pairs."""

HUMAN_GRADE = -1
"""Below every level, so that the guard compares with the best written passage; the recipe states the label."""


def graded_groups(
    recipe: GradedRecipe,
    selection: Selection,
    judged: Qrels,
    queries: Path,
    positives: Path,
    negatives: Sequence[tuple[Path, Path]],
    passages: Sequence[Path],
    count: Counter[str],
) -> list[Group]:
    """Return one group a query: a passage of each level, labelled with it (Esfandiarpoor et al. 2025, SyCL).

    If the recipe gives human passages a label, each group has the best one of its query, and a query without one is
    skipped. The guard of negatives compares with the passage of the highest level. If the recipe drops leaks, a query
    is skipped if any of its passages leaks: its list would lack a level.

    Args:
        recipe: the recipe.
        selection: takes the queries, passages and negatives.
        judged: the training qrels.
        queries: the training queries.
        positives: the written passages, of all levels.
        negatives: the run that negatives come from and the passages that it names; empty if the recipe takes none.
        passages: the passages of the corpus, for human ones; empty if the recipe takes none.
        count: what was counted.
    """
    order, known = selection.order(queries), relevant(judged)
    written, human = selection.written(positives), dict[str, str]()
    if recipe.human_label is not None:
        human = _best_human(judged, selection)
        count["queries_without_human"] = len(written.keys() - human.keys())
        written = _with_human(written, human, passages[0])
    # All queries are tested: it is not known before how many of the first ones keep every passage.
    clean = selection.unleaked.written(written, order, len(order), count)
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


def _best_human(judged: Qrels, selection: Selection) -> dict[str, str]:
    """Return the best human passage of each query that has one: of equal grades the one that pairs would take."""
    allowed = {query: names - selection.excluded for query, names in relevant(judged).items()}
    return {
        query: min(names, key=lambda name: (-judged[query][name], place(name, selection.seed, query)))
        for query, names in allowed.items()
        if names
    }


def _with_human(written: Written, human: Mapping[str, str], passages: Path) -> Written:
    """Return the passages of each query that has a human one, that one first; a grade below all levels marks it."""
    served = {name: items for name, items in written.items() if name in human}
    text_of = texts_of(passages, (human[name] for name in served))
    return {
        name: [WrittenPassage(human[name], text_of[human[name]], name, items[0].query, HUMAN_GRADE), *items]
        for name, items in served.items()
    }


def _group(
    items: list[WrittenPassage], human: str | None, negatives: tuple[Candidate, ...], recipe: GradedRecipe
) -> Group:
    """Return the group of a query, best label first; with equal labels human, then written passages, then negatives."""
    found = [
        Candidate(item.id, item.text, float(recipe.human_label), HUMAN)
        if item.id == human and recipe.human_label is not None
        else Candidate(item.id, item.text, float(item.grade), recipe.paradigm)
        for item in items
    ]
    ranked = sorted([*found, *negatives], key=lambda item: -item.label)
    return Group(items[0].query_id, items[0].query, tuple(ranked))
