"""Step pair_trainset: build training groups from passages of one or several paradigms and retrieved negatives."""

import logging
from collections import Counter
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.recipes import GradedRecipe, RecipeSpec, Sized
from synthrank.contamination.decontaminate import open_overlap_filter
from synthrank.data.files import write_json, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.sampling import draw_seed
from synthrank.data.trec import read_qrels, relevant
from synthrank.steps.trainsets.graded import make_graded_groups
from synthrank.steps.trainsets.pairs import pair_groups
from synthrank.steps.trainsets.selection import COUNTED, GroupSelection
from synthrank.steps.trainsets.taught import add_teacher_scores

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
    excluded: Path,
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

    Recipes with the same seed use the training queries in the same order, so recipes of equal size train on the same
    queries. A query without a usable passage is replaced by the next query and counted as ``queries_replaced``. The
    passages of a query are used by grade, best first; passages of equal grade are in an order seeded per query. The
    only relevant passage of a query that was made from a passage is that passage.

    Negatives are drawn per query, the same number for each positive. If the guard leaves too few candidates, random
    passages fill the group and are counted as ``negatives_at_random``. Passages that answer a query of a held-out split
    are not used as positives or negatives. More queries replace the pairs that a filter drops (``filter_dropped``) and,
    if the recipe drops leaks, the texts that overlap with a test set (``leaking_…``).

    Args:
        spec: the recipe's entity file, of kind pairs or graded.
        size: the number of queries of each paradigm; 0 for the number in the file.
        query_draw: the draw of queries, and of positives of equal grade; 0 for the recipe's seed.
        negative_draw: the draw of negatives; 0 for the recipe's seed.
        queries: the queries of each paradigm of the recipe.
        qrels: the training qrels, for the guard and for human passages of a graded recipe.
        passages: the passages of the corpus, for these human passages; empty if the recipe uses none.
        excluded: the file of passages that training must not use.
        positives: the passages of each paradigm.
        filters: the scores, or the run of a round trip, for each filter of the recipe.
        negative_runs: the run of the negatives of each paradigm; empty if the recipe has no negatives.
        negative_passages: the passages that each of these runs names.
        reworded: the paradigms whose negatives are rewritten versions of the passages that the run names. Candidates
            without a rewritten version are skipped and counted as ``negatives_absent``.
        dropped_queries: the queries of each test set whose overlap the recipe drops; empty if it drops none.
        dropped_qrels: the qrels of each of these test sets.
        dropped_passages: the passages of the corpus of each of these test sets.
        dropped_retriever: the entity file of the dense retriever that finds near duplicates; empty to skip them.
        dropped_model: the folder of its model.
        guard_retriever: the entity file of the dense retriever that scores for the guard; empty without one.
        guard_model: the folder of its model.
        teacher: the entity file of the ranker that scores every passage; empty if the recipe names none.
        teacher_model: the folder of its model.
        trainset: the groups to write.
        stats: the counts to write, by paradigm.

    Raises:
        BudgetError: the recipe asks for more queries or negatives than available.
    """
    recipe: Sized = load(RecipeSpec, spec)
    if size:
        recipe = recipe.sized(size)
    judged = read_qrels(qrels)
    selection = GroupSelection(
        seed=draw_seed(recipe.seed, query_draw),
        negative_seed=draw_seed(recipe.seed, negative_draw),
        excluded=read_excluded(excluded),
        overlap_filter=open_overlap_filter(
            recipe.drop_leaks, dropped_queries, dropped_qrels, dropped_passages, dropped_retriever, dropped_model
        ),
        guard_retriever=guard_retriever,
        guard_model=guard_model,
    )
    negatives = list(zip(negative_runs, negative_passages, strict=True))
    counts: dict[str, Counter[str]] = {}
    if isinstance(recipe, GradedRecipe):
        count = counts[recipe.paradigm] = Counter(COUNTED)
        groups = make_graded_groups(recipe, selection, judged, queries[0], positives[0], negatives, passages, count)
    else:
        files = zip(queries, positives, negatives, strict=True)
        groups = pair_groups(recipe, selection, relevant(judged), files, filters, reworded, counts)
    log.info("%s", {name: dict(count) for name, count in counts.items()})
    write_jsonl(trainset, add_teacher_scores(groups, teacher, teacher_model))
    write_json(stats, counts)
