"""Step pair_trainset: positives of one or several paradigms against retrieved negatives."""

import logging
from collections import Counter
from functools import partial
from pathlib import Path

from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.order import drawn, seeded
from synthrank.records import Candidate, Group, Query
from synthrank.specs.base import load
from synthrank.specs.recipes import PairsRecipe, RecipeSpec
from synthrank.trainsets.chosen import choose, read_written
from synthrank.trainsets.filtered import filtered
from synthrank.trainsets.negatives import draw, open_source
from synthrank.trainsets.positive_aware import open_scorer
from synthrank.trainsets.same_text import copies
from synthrank.trainsets.taught import taught
from synthrank.trainsets.unleaked import open_unleaked
from synthrank.trec import answers, read_qrels, relevant

log = logging.getLogger(__name__)


def pair_trainset(
    *,
    spec: Path,
    size: int,
    query_draw: int = 0,
    negative_draw: int = 0,
    queries: list[Path],
    qrels: Path,
    held_out: list[Path],
    positives: list[Path],
    filters: list[Path],
    negative_runs: list[Path],
    negative_passages: list[Path],
    reworded: list[str],
    dropped_queries: list[Path],
    dropped_qrels: list[Path],
    dropped_passages: list[Path],
    dropped_retriever: list[Path],
    dropped_model: list[Path],
    guard_retriever: list[Path],
    guard_model: list[Path],
    teacher: list[Path],
    teacher_model: list[Path],
    trainset: Path,
    stats: Path,
) -> None:
    """Build one training group a positive.

    Every recipe with the same seed walks the training queries in the same order and takes the first ones that have a
    passage of the paradigm, so recipes of equal size train on the same queries, but for those without a usable
    passage; these are counted as ``queries_replaced``. Queries that were made from passages are walked in an order of
    theirs by the same seed, and as no one judged passages for them, the passage that each was made from is what is
    relevant to it. Of each query the best passages are taken, those of equal grade
    in a seeded order of its own; negatives are drawn for each query apart. Every positive gets the same number of
    negatives: where the guard leaves too few of the run, passages drawn at random fill up, and are counted as
    ``negatives_at_random``. No passage that answers a query of a held-out split is a positive or a negative. Where the
    recipe states a filter, pairs that it drops give way to those of further queries, and are counted as
    ``filter_dropped``. Where the recipe drops leaks, queries and passages that a test set holds too give way to the
    next ones, and are counted as ``leaking_…``. A teacher scores every passage for its query; labels stay 1 and 0.

    Args:
        spec: the recipe's entity file.
        size: how many queries of each paradigm in place of what the file says; 0 for what it says.
        query_draw: which draw of queries and of positives of equal grade; 0 is the one of the recipe's seed.
        negative_draw: which draw of negatives; likewise.
        queries: the queries of each of the recipe's positives.
        qrels: the training judgments, for the guard.
        held_out: judgments of the splits that training must not see.
        positives: written passages, one file for each of the recipe's positives.
        filters: what the filter of each goes by that has one: scores of all pairs, or a run for a round trip.
        negative_runs: the run that the negatives of each come from.
        negative_passages: the passages that each run names.
        reworded: the paradigms whose negative passages are another wording of those, of which some may be lost; such
            candidates are passed over and counted as ``negatives_absent``.
        dropped_queries: queries of the test sets whose leaks the recipe drops; empty where it drops none.
        dropped_qrels: the judgments of each; likewise.
        dropped_passages: the passages of the corpus of each; likewise.
        dropped_retriever: the dense retriever's entity file, where near duplicates are dropped.
        dropped_model: the folder of its model.
        guard_retriever: the entity file of the dense retriever that scores positives and candidates, where the guard
            states one.
        guard_model: the folder of its model.
        teacher: the entity file of the ranker that scores every passage, where the recipe names one.
        teacher_model: the folder of its model.
        trainset: written: the groups.
        stats: written: what was counted.

    Raises:
        BudgetError: too few queries have a passage, or too few passages are left for negatives.
    """
    recipe: PairsRecipe = load(RecipeSpec, spec)
    if size:
        recipe = recipe.sized(size)
    seed, negative_seed = drawn(recipe.seed, query_draw), drawn(recipe.seed, negative_draw)
    excluded = answers(held_out)
    judged = relevant(read_qrels(qrels))
    unleaked = open_unleaked(
        recipe.drop_leaks, dropped_queries, dropped_qrels, dropped_passages, dropped_retriever, dropped_model
    )
    evidence = iter(filters)
    groups: list[Group] = []
    counts: dict[str, dict[str, int]] = {}
    for wanted, asked, written, run, passages in zip(
        recipe.positives, queries, positives, negative_runs, negative_passages, strict=True
    ):
        count: Counter[str] = Counter(groups=0, queries=0, queries_replaced=0, negatives_at_random=0)
        order = seeded((query.id for query in read_jsonl(asked, Query)), seed)
        found = read_written(written, excluded, seed)
        known = {name: {item.id for item in items} for name, items in found.items()} | judged
        if wanted.filter:
            found = filtered(found, wanted.filter, next(evidence), count)
        usable = unleaked.written(found, order, wanted.queries, count)
        served = choose(usable, order, wanted.queries, count, written, "positives.queries")
        chosen = [item for items in served.values() for item in items[: wanted.per_query]]
        count["groups"] = len(chosen)
        source = open_source(run, passages, excluded, wanted.paradigm in reworded)
        same = copies(chosen, known, passages)
        drawing = partial(
            draw,
            chosen,
            settings=recipe.negatives,
            seed=negative_seed,
            known=known,
            copies=same,
            scorer=open_scorer(recipe.negatives.guard, source.run, guard_retriever, guard_model),
        )
        groups += [
            Group(
                item.query_id,
                item.query,
                (Candidate(item.id, item.text, 1.0, wanted.paradigm), *negatives),
                tuple(sorted({*known.get(item.query_id, ()), *same.get(item.query_id, ())})),
            )
            for item, negatives in unleaked.drawn(drawing, source, count)
        ]
        counts[wanted.paradigm] = dict(count)
        log.info("%s: %s", wanted.paradigm, dict(count))
    write_jsonl(trainset, taught(groups, teacher, teacher_model))
    write_json(stats, counts)
