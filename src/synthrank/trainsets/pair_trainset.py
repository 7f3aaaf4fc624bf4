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
from synthrank.trainsets.selection import COUNTED, Selection
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
    """Build the training set of a recipe: one group per positive, or per query with a passage of each level.

    Recipes with the same seed take the training queries in the same order, so that recipes of equal size train on the
    same queries. A query without a usable passage is replaced by the next one, and counted as ``queries_replaced``. A
    query's passages are taken by grade, best first, and in a seeded order of the query among equal grades. A query that
    was made from a passage has no qrels: its own passage is what is relevant to it.

    Negatives are drawn for each query. Each positive gets the same number: if the guard leaves too few candidates,
    passages drawn at random fill the group, and are counted as ``negatives_at_random``. No passage that answers a query
    of a held-out split is a positive or a negative. Further queries replace the pairs that a filter drops
    (``filter_dropped``) and the texts that a test set has too, if the recipe drops leaks (``leaking_…``).

    Args:
        spec: the recipe's entity file, of kind pairs or graded.
        size: how many queries of each paradigm, in place of the number in the file; 0 for that number.
        query_draw: which draw of queries, and of positives of equal grade; 0 for the recipe's own seed.
        negative_draw: which draw of negatives; 0 for the recipe's own seed.
        queries: the queries of each paradigm of the recipe.
        qrels: the training qrels, for the guard and for human passages of a graded recipe.
        passages: the passages of the corpus, for these human passages; empty if the recipe takes none.
        held_out: qrels of the splits that training must not see.
        positives: the written passages of each paradigm.
        filters: the scores, or the run of a round trip, that each filter of the recipe needs.
        negative_runs: the run that the negatives of each paradigm come from; empty if the recipe takes none.
        negative_passages: the passages that each of these runs names.
        reworded: the paradigms whose negative passages are another wording of those that the run names. Candidates
            without another wording are skipped, and counted as ``negatives_absent``.
        dropped_queries: the queries of each test set whose leaks the recipe drops; empty if it drops none.
        dropped_qrels: the qrels of each of these test sets.
        dropped_passages: the passages of the corpus of each of these test sets.
        dropped_retriever: the entity file of the dense retriever that finds near duplicates; empty if none are dropped.
        dropped_model: the folder of its model.
        guard_retriever: the entity file of the dense retriever that scores for the guard; empty if it names none.
        guard_model: the folder of its model.
        teacher: the entity file of the ranker that scores every passage; empty if the recipe names none.
        teacher_model: the folder of its model.
        trainset: written: the groups.
        stats: written: what was counted, by paradigm.

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
    counts: dict[str, Counter[str]] = {}
    if isinstance(recipe, GradedRecipe):
        count = counts[recipe.paradigm] = Counter(COUNTED)
        groups = graded_groups(recipe, selection, judged, queries[0], positives[0], negatives, passages, count)
    else:
        files = zip(queries, positives, negatives, strict=True)
        groups = pair_groups(recipe, selection, relevant(judged), files, filters, reworded, counts)
    log.info("%s", {name: dict(count) for name, count in counts.items()})
    write_jsonl(trainset, taught(groups, teacher, teacher_model))
    write_json(stats, counts)
