"""Step pair_trainset: written passages of one or several paradigms, with retrieved negatives."""

import logging
from collections import Counter
from pathlib import Path

from synthrank.files import write_json, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.order import drawn
from synthrank.specs.base import load
from synthrank.specs.recipes import GradedRecipe, RecipeSpec, Sized
from synthrank.trainsets.graded import graded_groups
from synthrank.trainsets.pairs import pair_groups
from synthrank.trainsets.selection import Selection
from synthrank.trainsets.taught import taught
from synthrank.trainsets.unleaked import open_unleaked
from synthrank.trec import read_qrels, relevant

log = logging.getLogger(__name__)


def pair_trainset(
    *,
    spec: Path,
    size: int,
    query_draw: int = 0,
    negative_draw: int = 0,
    queries: list[Path],
    qrels: Path,
    passages: list[Path],
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
    """Build one training group a positive or, for a graded recipe, one a query with a passage of each level.

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
    next ones, and are counted as ``leaking_…``. A teacher scores every passage for its query; labels stay as they are.

    Args:
        spec: the recipe's entity file, of kind pairs or graded.
        size: how many queries of each paradigm in place of what the file says; 0 for what it says.
        query_draw: which draw of queries and of positives of equal grade; 0 is the one of the recipe's seed.
        negative_draw: which draw of negatives; likewise.
        queries: the queries of each paradigm of the recipe.
        qrels: the training qrels, for the guard and for human passages of a graded recipe.
        passages: the passages of the corpus, for these human passages; empty if the recipe takes none.
        held_out: qrels of the splits that training must not see.
        positives: written passages, one file for each paradigm.
        filters: what the filter of each goes by that has one: scores of all pairs, or a run for a round trip.
        negative_runs: the run that the negatives of each come from; empty if the recipe takes none.
        negative_passages: the passages that each run names.
        reworded: the paradigms whose negative passages are another wording of those, of which some may be lost; such
            candidates are passed over and counted as ``negatives_absent``.
        dropped_queries: queries of the test sets whose leaks the recipe drops; empty where it drops none.
        dropped_qrels: the qrels of each; likewise.
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
    recipe: Sized = load(RecipeSpec, spec)
    if size:
        recipe = recipe.sized(size)
    judged = read_qrels(qrels)
    selection = Selection(
        seed=drawn(recipe.seed, query_draw),
        negative_seed=drawn(recipe.seed, negative_draw),
        excluded=excluded_passages(held_out),
        unleaked=open_unleaked(
            recipe.drop_leaks, dropped_queries, dropped_qrels, dropped_passages, dropped_retriever, dropped_model
        ),
        guard_retriever=guard_retriever,
        guard_model=guard_model,
    )
    negatives = list(zip(negative_runs, negative_passages, strict=True))
    counts = {
        name: Counter(groups=0, queries=0, queries_replaced=0, negatives_at_random=0) for name in recipe.paradigms
    }
    if isinstance(recipe, GradedRecipe):
        count = counts[recipe.paradigm]
        groups = graded_groups(recipe, selection, judged, *queries, *positives, negatives, passages, count)
    else:
        files = zip(queries, positives, negatives, strict=True)
        groups = pair_groups(recipe, selection, relevant(judged), files, filters, reworded, counts)
    log.info("%s", {name: dict(count) for name, count in counts.items()})
    write_jsonl(trainset, taught(groups, teacher, teacher_model))
    write_json(stats, counts)
