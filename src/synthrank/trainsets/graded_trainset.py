"""Step graded_trainset: written passages of several levels of relevance, labelled with their level."""

import logging
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.order import drawn, place, seeded
from synthrank.records import Candidate, Group, Query, WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.recipes import GradedRecipe, RecipeSpec
from synthrank.texts import texts_of
from synthrank.trainsets.chosen import Written, choose, read_written
from synthrank.trainsets.negatives import draw, open_source
from synthrank.trainsets.positive_aware import open_scorer
from synthrank.trainsets.same_text import copies
from synthrank.trainsets.unleaked import open_unleaked
from synthrank.trec import Qrels, answers, read_qrels, relevant

log = logging.getLogger(__name__)

HUMAN = "human"
"""The source of a passage that people wrote, as in recipes of pairs."""

HUMAN_GRADE = -1
"""Below every level, so that negatives stand against the best written passage; the recipe says the label."""


def graded_trainset(
    *,
    spec: Path,
    size: int,
    query_draw: int = 0,
    negative_draw: int = 0,
    queries: Path,
    qrels: Path,
    passages: Path,
    held_out: list[Path],
    positives: Path,
    negative_runs: list[Path],
    negative_passages: list[Path],
    dropped_queries: list[Path],
    dropped_qrels: list[Path],
    dropped_passages: list[Path],
    dropped_retriever: list[Path],
    dropped_model: list[Path],
    guard_retriever: list[Path],
    guard_model: list[Path],
    trainset: Path,
    stats: Path,
) -> None:
    """Build one training group a query: a passage of each level, labelled with it (Esfandiarpoor et al. 2025, SyCL).

    Queries are walked in the order of recipes of pairs with the same seed. Where the recipe gives human passages a
    label, the best one of each query stands in its group, and a query that has none is passed over. Negatives are
    drawn as for pairs, the guard comparing with the passage of the highest level. No passage that answers a query of a
    held-out split stands in a group. Where the recipe drops leaks, a query of which any passage leaks is passed over:
    a list without one of its levels is none.

    Args:
        spec: the recipe's entity file.
        size: how many queries in place of what the file says; 0 for what it says.
        query_draw: which draw of queries and of positives of equal grade; 0 is the one of the recipe's seed.
        negative_draw: which draw of negatives; likewise.
        queries: the training queries.
        qrels: the training judgments, for human passages and for the guard.
        passages: the passages of the corpus.
        held_out: judgments of the splits that training must not see.
        positives: the written passages, of all levels.
        negative_runs: the run that negatives come from; empty where the recipe takes none.
        negative_passages: the passages that it names; likewise.
        dropped_queries: queries of the test sets whose leaks the recipe drops; empty where it drops none.
        dropped_qrels: the judgments of each; likewise.
        dropped_passages: the passages of the corpus of each; likewise.
        dropped_retriever: the dense retriever's entity file, where near duplicates are dropped.
        dropped_model: the folder of its model.
        guard_retriever: the entity file of the dense retriever that scores positives and candidates, where the guard
            states one.
        guard_model: the folder of its model.
        trainset: written: the groups, best label first.
        stats: written: what was counted.

    Raises:
        BudgetError: too few queries have passages, or too few passages are left for negatives.
    """
    recipe: GradedRecipe = load(RecipeSpec, spec)
    if size:
        recipe = recipe.sized(size)
    seed, negative_seed = drawn(recipe.seed, query_draw), drawn(recipe.seed, negative_draw)
    order = seeded((query.id for query in read_jsonl(queries, Query)), seed)
    excluded, judged = answers(held_out), read_qrels(qrels)
    unleaked = open_unleaked(
        recipe.drop_leaks, dropped_queries, dropped_qrels, dropped_passages, dropped_retriever, dropped_model
    )
    count: Counter[str] = Counter(groups=0, queries=0, queries_replaced=0, negatives_at_random=0)
    written, human = read_written(positives, excluded, seed), dict[str, str]()
    if recipe.human_label is not None:
        human = _best_human(judged, excluded, seed)
        count["queries_without_human"] = len(written.keys() - human.keys())
        written = _with_human(written, human, passages)
    # All are tested, for how many of the first ones keep every passage is not known before.
    clean = unleaked.written(written, order, len(order), count)
    whole = {name: items for name, items in clean.items() if len(items) == len(written[name])}
    chosen = choose(whole, order, recipe.queries, count, positives, "queries")
    count["groups"] = len(chosen)
    negatives = dict[str, tuple[Candidate, ...]]()
    if recipe.negatives:
        ((run, collection),) = zip(negative_runs, negative_passages, strict=True)
        source = open_source(run, collection, excluded)
        drawing = partial(
            draw,
            [max(items, key=lambda item: item.grade) for items in chosen.values()],
            settings=recipe.negatives,
            seed=negative_seed,
            known=relevant(judged),
            copies=copies([item for items in chosen.values() for item in items], relevant(judged), collection),
            scorer=open_scorer(recipe.negatives.guard, source.run, guard_retriever, guard_model),
            label=recipe.negative_label,
            taken={name: {found} for name, found in human.items()},
        )
        negatives = {item.query_id: found for item, found in unleaked.drawn(drawing, source, count)}
    log.info("%s: %s", recipe.paradigm, dict(count))
    write_jsonl(
        trainset, (_group(items, human.get(name), negatives.get(name, ()), recipe) for name, items in chosen.items())
    )
    write_json(stats, {recipe.paradigm: dict(count)})


def _best_human(judged: Qrels, excluded: set[str], seed: int) -> dict[str, str]:
    """Return the best human passage of each query that has one: of equal grades the one that pairs would take."""
    allowed = {query: names - excluded for query, names in relevant(judged).items()}
    return {
        query: min(names, key=lambda name: (-judged[query][name], place(name, seed, query)))
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
    """Return a query's group, best label first; of one label the human passage, then the written, then negatives."""
    found = [
        Candidate(item.id, item.text, float(recipe.human_label), HUMAN)
        if item.id == human and recipe.human_label is not None
        else Candidate(item.id, item.text, float(item.grade), recipe.paradigm)
        for item in items
    ]
    ranked = sorted([*found, *negatives], key=lambda item: -item.label)
    return Group(items[0].query_id, items[0].query, tuple(ranked))
