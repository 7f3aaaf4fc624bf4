"""Negatives of a training group: passages that a run brings up and the guard lets pass, filled up at random."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import json_lines
from synthrank.order import seeded
from synthrank.records import Candidate, WrittenPassage
from synthrank.specs.recipes import Negatives
from synthrank.texts import texts_of
from synthrank.trainsets.guard import allowed
from synthrank.trec import Run, read_run


@dataclass(frozen=True, slots=True)
class Source:
    """Where negatives come from: candidates by query, the passages that may fill a gap, in order, and their texts.

    ``excluded`` never serve. ``absent`` are candidates of the run without a text: of passages that were rewritten
    elsewhere some may have been lost.
    """

    run: Run
    names: tuple[str, ...]
    path: Path
    excluded: Collection[str]
    absent: frozenset[str] = frozenset()


def open_source(run: Path, passages: Path, excluded: Collection[str], reworded: bool = False) -> Source:
    """Read a source of negatives.

    Args:
        run: the run that candidates come from.
        passages: the passages that the run names.
        excluded: passages that never serve, because they answer a held-out query.
        reworded: whether the passages are another wording of those that the run names, and may be fewer.
    """
    held = [item["id"] for _, item in json_lines(passages)]
    ranked = read_run(run)
    absent = {name for listed in ranked.values() for name, _ in listed}.difference(held) if reworded else ()
    return Source(ranked, tuple(name for name in held if name not in excluded), passages, excluded, frozenset(absent))


def draw(
    anchors: Sequence[WrittenPassage],
    source: Source,
    settings: Negatives,
    seed: int,
    known: Mapping[str, set[str]],
    count: Counter[str],
    *,
    label: float = 0.0,
    taken: Mapping[str, set[str]] | None = None,
) -> Iterator[tuple[WrittenPassage, tuple[Candidate, ...]]]:
    """Yield each anchor with its negatives, always as many as the recipe states.

    What other passages were written for the same query is no negative of it, whatever the guard allows.

    Args:
        anchors: the positives that negatives stand against; the guard compares with their text.
        source: where negatives come from.
        settings: how many, how deep, under which guard.
        seed: of the choice, which is drawn for each query apart.
        known: per query the passages that are relevant to it.
        count: random ones are counted as ``negatives_at_random``, candidates without a text as ``negatives_absent``.
        label: what negatives are labelled with.
        taken: per query further passages that the group holds already.

    Raises:
        BudgetError: too few passages are left.
    """
    reach = settings.guard.skip_top + settings.depth
    listed = {
        item.query_id: [name for name, _ in source.run.get(item.query_id, []) if name not in source.excluded][:reach]
        for item in anchors
    }
    if source.absent:
        count["negatives_absent"] += sum(name in source.absent for names in listed.values() for name in names)
    wanted = {name for names in listed.values() for name in names}
    # An absent one keeps its place until the guard has counted from the top, so that all others are as without it.
    text_of = dict.fromkeys(wanted & source.absent, "") | texts_of(source.path, wanted - source.absent)
    for item in anchors:
        ranked, held = listed[item.query_id], (taken or {}).get(item.query_id, set())
        own = known.get(item.query_id, set()) | {item.id}
        free = [
            name
            for name in allowed(ranked, text_of, item, own, settings.guard)
            if name not in held and name not in source.absent and not _is_own(name, item)
        ]
        names = seeded(free, seed, of=item.query_id)[: settings.count]
        spare = _spare(source, item, {*ranked, *own, *held}, settings.count - len(names), seed)
        count["negatives_at_random"] += len(spare)
        text_of |= texts_of(source.path, spare) if spare else {}
        yield item, tuple(Candidate(name, text_of[name], label, settings.source) for name in (*names, *spare))


def _is_own(name: str, item: WrittenPassage) -> bool:
    """Tell whether a passage was written for the query of another one."""
    return name.startswith(f"{item.query_id}@")


def _spare(source: Source, item: WrittenPassage, taken: set[str], missing: int, seed: int) -> list[str]:
    """Return as many random passages as are missing, other than those taken or refused and the query's own."""
    if not missing:
        return []
    free = [name for name in source.names if name not in taken and not _is_own(name, item)]
    if len(free) < missing:
        raise BudgetError(f"{source.path}: {len(free)} passages are left for query {item.query_id}, {missing} needed")
    return seeded(free, seed, of=item.query_id)[:missing]
