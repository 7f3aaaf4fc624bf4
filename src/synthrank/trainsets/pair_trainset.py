"""Step pair_trainset: positives of one or several paradigms against retrieved negatives."""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import json_lines, read_jsonl, write_json, write_jsonl
from synthrank.order import seeded
from synthrank.records import Candidate, Group, Query, WrittenPassage
from synthrank.specs.base import load
from synthrank.specs.recipes import Negatives, PairsRecipe, Positives, RecipeSpec
from synthrank.texts import texts_of
from synthrank.trainsets.guard import allowed
from synthrank.trec import Run, answers, read_qrels, read_run, relevant

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Source:
    """The negatives of one kind of positive: candidates by query, and every passage that may fill a gap."""

    run: Run
    names: tuple[str, ...]
    path: Path


def pair_trainset(
    *,
    spec: Path,
    queries: Path,
    qrels: Path,
    held_out: list[Path],
    positives: list[Path],
    negative_runs: list[Path],
    negative_passages: list[Path],
    trainset: Path,
    stats: Path,
) -> None:
    """Build one training group a positive.

    Every recipe with the same seed walks the training queries in the same order and takes the first ones that have a
    passage of the paradigm, so recipes of equal size train on the same queries, but for those without a usable
    passage; these are counted as ``queries_replaced``. Every positive gets the same number of negatives: where the
    guard leaves too few of the run, passages drawn at random fill up, and are counted as ``negatives_at_random``.
    No passage that answers a query of a held-out split is a positive or a negative.

    Args:
        spec: the recipe's entity file.
        queries: the training queries.
        qrels: the training judgments, for the guard.
        held_out: judgments of the splits that training must not see.
        positives: written passages, one file for each of the recipe's positives.
        negative_runs: the run that the negatives of each come from.
        negative_passages: the passages that each run names.
        trainset: written: the groups.
        stats: written: what was counted.

    Raises:
        BudgetError: too few queries have a passage, or too few passages are left for negatives.
    """
    recipe: PairsRecipe = load(RecipeSpec, spec)
    order = seeded((query.id for query in read_jsonl(queries, Query)), recipe.seed)
    excluded = answers(held_out)
    known = relevant(read_qrels(qrels))
    groups: list[Group] = []
    counts: dict[str, dict[str, int]] = {}
    for wanted, written, run, passages in zip(
        recipe.positives, positives, negative_runs, negative_passages, strict=True
    ):
        count: Counter[str] = Counter(groups=0, queries=0, queries_replaced=0, negatives_at_random=0)
        chosen = _choose(wanted, written, order, count, excluded)
        names = tuple(item["id"] for _, item in json_lines(passages) if item["id"] not in excluded)
        source = _Source(read_run(run), names, passages)
        groups += _groups(chosen, source, recipe, known, excluded, wanted.paradigm, count)
        counts[wanted.paradigm] = dict(count)
        log.info("%s: %s", wanted.paradigm, dict(count))
    write_jsonl(trainset, groups)
    write_json(stats, counts)


def _choose(
    wanted: Positives, written: Path, order: list[str], count: Counter[str], excluded: set[str]
) -> list[WrittenPassage]:
    """Return the positives: up to ``per_query`` for each of the first ``queries`` queries that have one."""
    of_query: dict[str, list[WrittenPassage]] = defaultdict(list)
    for item in read_jsonl(written, WrittenPassage):
        if item.id not in excluded:
            of_query[item.query_id].append(item)
    served = [name for name in order if name in of_query][: wanted.queries]
    if len(served) < wanted.queries:
        raise BudgetError(
            f"{written}: {len(served)} of {len(order)} training queries have a passage, the recipe wants "
            f"{wanted.queries}; lower positives.queries"
        )
    chosen = [item for name in served for item in of_query[name][: wanted.per_query]]
    count.update(
        queries=len(served), queries_replaced=len(set(served) - set(order[: wanted.queries])), groups=len(chosen)
    )
    return chosen


def _groups(
    chosen: list[WrittenPassage],
    source: _Source,
    recipe: PairsRecipe,
    known: dict[str, set[str]],
    excluded: set[str],
    paradigm: str,
    count: Counter[str],
) -> Iterator[Group]:
    settings = recipe.negatives
    reach = settings.guard.skip_top + settings.depth
    ranked_of = {
        item.query_id: [name for name, _ in source.run.get(item.query_id, []) if name not in excluded][:reach]
        for item in chosen
    }
    text_of = texts_of(source.path, (name for ranked in ranked_of.values() for name in ranked))
    for item in chosen:
        ranked = ranked_of[item.query_id]
        own = known.get(item.query_id, set()) | {item.id}
        names = seeded(allowed(ranked, text_of, item, own, settings.guard), recipe.seed)[: settings.count]
        spare = _spare(source, item, {*ranked, *own}, settings, recipe.seed, len(names))
        count["negatives_at_random"] += len(spare)
        text_of |= texts_of(source.path, spare) if spare else {}
        yield Group(
            item.query_id,
            item.query,
            (
                Candidate(item.id, item.text, 1.0, paradigm),
                *(Candidate(name, text_of[name], 0.0, settings.source) for name in (*names, *spare)),
            ),
        )


def _spare(
    source: _Source, item: WrittenPassage, taken: set[str], settings: Negatives, seed: int, found: int
) -> list[str]:
    """Return as many random passages as are missing, other than those taken or refused and the query's own."""
    missing = settings.count - found
    if not missing:
        return []
    free = [name for name in source.names if name not in taken and not name.startswith(f"{item.query_id}@")]
    if len(free) < missing:
        raise BudgetError(f"{source.path}: {len(free)} passages are left for query {item.query_id}, {missing} needed")
    # The query is part of the order's seed, or every query that lacks negatives would get the same ones.
    return [name.split("\0")[1] for name in seeded((f"{item.query_id}\0{name}" for name in free), seed)[:missing]]
