"""Selection of training queries, their passages and negatives for a recipe.

Passages that answer a query of a held-out split are not selected, and texts that overlap with a test set are not
selected if the recipe drops leaks.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from synthrank.config.recipes import Negatives
from synthrank.contamination.decontaminate import OverlapFilter, WrittenByQuery
from synthrank.data.files import read_jsonl
from synthrank.data.records import Query, WrittenPassage
from synthrank.data.sampling import shuffle, sort_key
from synthrank.errors import BudgetError
from synthrank.steps.trainsets.false_negatives import find_copies, open_scorer
from synthrank.steps.trainsets.negatives import Drawn, draw_negatives, open_negatives

COUNTED = {"groups": 0, "queries": 0, "queries_replaced": 0, "negatives_at_random": 0}
"""Counts that are reported for every paradigm, even if zero."""


class GroupSelection(NamedTuple):
    """Settings of the selection; recipes with the same seed select the same queries.

    ``excluded`` are the passages that answer a held-out query. ``guard_retriever`` and ``guard_model`` are the entity
    file and the model of the dense retriever that scores for the guard; both are empty without one.
    """

    seed: int
    negative_seed: int
    excluded: set[str]
    overlap_filter: OverlapFilter
    guard_retriever: Sequence[Path]
    guard_model: Sequence[Path]

    def order(self, queries: Path) -> list[str]:
        """Return the training queries in the order of selection."""
        return shuffle((query.id for query in read_jsonl(queries, Query)), self.seed)

    def written(self, path: Path) -> WrittenByQuery:
        """Return the passages of each query, best grade first.

        Passages of equal grade are in an order that depends on the seed, the query and their ids. So recipes with the
        same seed select the same passages of a query, original or rewritten, and ids do not favour a passage.
        """
        found: WrittenByQuery = defaultdict(list)
        for item in read_jsonl(path, WrittenPassage):
            if item.id not in self.excluded:
                found[item.query_id].append(item)
        return {
            name: sorted(items, key=lambda item: (-item.grade, sort_key(item.id, self.seed, item.query_id)))
            for name, items in found.items()
        }

    def negatives(
        self,
        anchors: Sequence[WrittenPassage],
        positives: Sequence[WrittenPassage],
        files: tuple[Path, Path],
        settings: Negatives,
        known: Mapping[str, set[str]],
        count: Counter[str],
        *,
        reworded: bool = False,
        label: float = 0.0,
        taken: Mapping[str, set[str]] | None = None,
    ) -> tuple[Drawn, Mapping[str, Set[str]]]:
        """Return each anchor with its negatives, and per query the copies of its relevant passages.

        Negatives that overlap with a test set are replaced, as if the source did not contain them.

        Args:
            anchors: the positives that get negatives.
            positives: all positives of their queries.
            files: the run of the negatives, and the passages that it names.
            settings: number, depth and guard of the negatives.
            known: per query, its relevant passages.
            count: gets the counts of the final draw (:func:`synthrank.steps.trainsets.negatives.draw_negatives`) and
                of overlapping texts.
            reworded: whether the passages are rewritten versions of those that the run names, and may lack some.
            label: the label of the negatives.
            taken: per query, other passages of the group.
        """
        source, same = open_negatives(*files, self.excluded, reworded), find_copies(positives, known, files[1])
        scorer = open_scorer(settings.guard, source.run, self.guard_retriever, self.guard_model)
        while True:
            tally: Counter[str] = Counter()
            found = draw_negatives(
                anchors, source, settings, self.negative_seed, known, tally,
                copies=same, scorer=scorer, label=label, taken=taken,
            )  # fmt: skip
            texts = {item.id: item.text for _, items in found for item in items}
            if not (leaking := self.overlap_filter.negatives(texts, count)):
                count.update(tally)
                return found, same
            source = source.without(leaking)


def choose(
    written: WrittenByQuery, order: Sequence[str], wanted: int, count: Counter[str], origin: Path, key: str
) -> WrittenByQuery:
    """Return the passages of the first ``wanted`` queries that have any.

    Args:
        written: the usable passages of each query.
        order: all training queries, in the order of selection.
        wanted: the number of queries.
        count: gets ``queries``, and ``queries_replaced`` for queries that replace an earlier one; its earlier counts
            ``filter_dropped``, ``leaking_query`` and ``leaking_passage`` are used in the error message.
        origin: the file of the passages, for the error message.
        key: the recipe's key for the number of queries, for the error message.

    Raises:
        BudgetError: fewer than ``wanted`` queries have a passage.
    """
    served = [name for name in order if name in written][:wanted]
    if len(served) < wanted:
        leaking = count["leaking_query"] + count["leaking_passage"]
        clean = f" without overlap with a test set ({leaking:,} overlapping texts were dropped)" if leaking else ""
        if dropped := count["filter_dropped"]:
            clean += f" that the filter keeps (it dropped {dropped:,} of {count['filter_pairs']:,} pairs)"
        raise BudgetError(
            f"{origin}: {len(served)} of {len(order)} training queries have a passage{clean}, but the recipe asks for "
            f"{wanted}; set {key} to at most {len(served)}"
        )
    count.update(queries=len(served), queries_replaced=len(set(served) - set(order[:wanted])))
    return {name: written[name] for name in served}
