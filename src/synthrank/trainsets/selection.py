"""What a recipe of written passages takes: training queries, passages for them, and negatives.

Nothing of it answers a query of a held-out split. If the recipe drops leaks, nothing of it is in a test set.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl
from synthrank.order import place, seeded
from synthrank.records import Query, WrittenPassage
from synthrank.specs.recipes import Negatives
from synthrank.trainsets.guard import copies, open_scorer
from synthrank.trainsets.negatives import Drawn, draw, open_source
from synthrank.trainsets.unleaked import Unleaked, Written

COUNTED = {"groups": 0, "queries": 0, "queries_replaced": 0, "negatives_at_random": 0}
"""What is counted of a paradigm even if there is none."""


class Selection(NamedTuple):
    """How a recipe takes queries, passages and negatives; two recipes with one seed take the same queries.

    ``excluded`` are the passages that answer a held-out query. ``guard_retriever`` and ``guard_model`` are the entity
    file and the model of the dense retriever that scores for the guard; both are empty if the guard names none.
    """

    seed: int
    negative_seed: int
    excluded: set[str]
    unleaked: Unleaked
    guard_retriever: Sequence[Path]
    guard_model: Sequence[Path]

    def order(self, queries: Path) -> list[str]:
        """Return the training queries in the order in which they are taken."""
        return seeded((query.id for query in read_jsonl(queries, Query)), self.seed)

    def written(self, path: Path) -> Written:
        """Return the written passages of each query, the best grade first.

        Those of equal grade are in an order that depends on the seed, the query and their ids. So recipes with one seed
        take the same passages of a query, in any wording, and no passage is first because of its name.
        """
        found: Written = defaultdict(list)
        for item in read_jsonl(path, WrittenPassage):
            if item.id not in self.excluded:
                found[item.query_id].append(item)
        return {
            name: sorted(items, key=lambda item: (-item.grade, place(item.id, self.seed, item.query_id)))
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
        """Return each anchor with its negatives, and per query the copies of passages that are relevant to it.

        Negatives that leak are replaced, as if the source did not have them.

        Args:
            anchors: the positives that get negatives.
            positives: all positives of their queries.
            files: the run that negatives come from, and the passages that it names.
            settings: how many, how deep, under which guard.
            known: per query the passages that are relevant to it.
            count: what was drawn at last (:func:`synthrank.trainsets.negatives.draw`), and what leaked.
            reworded: whether the passages are another wording of those that the run names, and may be fewer.
            label: what negatives are labelled with.
            taken: per query further passages that the group holds already.
        """
        source, same = open_source(*files, self.excluded, reworded), copies(positives, known, files[1])
        scorer = open_scorer(settings.guard, source.run, self.guard_retriever, self.guard_model)
        while True:
            tally: Counter[str] = Counter()
            found = draw(
                anchors, source, settings, self.negative_seed, known, tally,
                copies=same, scorer=scorer, label=label, taken=taken,
            )  # fmt: skip
            texts = {item.id: item.text for _, items in found for item in items}
            if not (leaking := self.unleaked.negatives(texts, count)):
                count.update(tally)
                return found, same
            source = source.without(leaking)


def choose(written: Written, order: Sequence[str], wanted: int, count: Counter[str], origin: Path, key: str) -> Written:
    """Return the passages of the first ``wanted`` queries of an order that have any.

    Args:
        written: the passages of each query that may serve.
        order: all training queries.
        wanted: how many queries.
        count: gets ``queries``, and ``queries_replaced`` for those that take the place of an earlier one; has what was
            dropped before, for the error, as ``filter_dropped``, ``leaking_query`` and ``leaking_passage``.
        origin: the file of the passages, for the error.
        key: of the recipe that states how many, for the error.

    Raises:
        BudgetError: fewer queries have one.
    """
    served = [name for name in order if name in written][:wanted]
    if len(served) < wanted:
        leaking = count["leaking_query"] + count["leaking_passage"]
        clean = f" that leaks into no test set ({leaking:,} texts that do were dropped)" if leaking else ""
        if dropped := count["filter_dropped"]:
            clean += f" that the filter keeps (it dropped {dropped:,} of {count['filter_pairs']:,} pairs)"
        raise BudgetError(
            f"{origin}: {len(served)} of {len(order)} training queries have a passage{clean}, the recipe wants "
            f"{wanted}; lower {key}"
        )
    count.update(queries=len(served), queries_replaced=len(set(served) - set(order[:wanted])))
    return {name: written[name] for name in served}
