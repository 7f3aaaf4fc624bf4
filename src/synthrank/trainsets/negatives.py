"""Negatives of a training group: passages that a run brings up and the guard lets pass, filled up at random."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import json_lines
from synthrank.order import sample, seeded
from synthrank.records import Candidate, WrittenPassage
from synthrank.specs.recipes import Negatives
from synthrank.texts import text_key, texts_of
from synthrank.trainsets.guard import Scorer, allowed, below_limit
from synthrank.trec import Run, read_run

Drawn = list[tuple[WrittenPassage, tuple[Candidate, ...]]]
"""Positives with their negatives."""


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

    def without(self, names: Set[str]) -> "Source":
        """Return the source as if it did not have some passages."""
        left = tuple(name for name in self.names if name not in names)
        return replace(self, names=left, excluded={*self.excluded, *names})


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


@dataclass(frozen=True, slots=True)
class _Gap:
    """A positive with too few candidates: ``found`` are its negatives so far, with texts, ``missing`` lack.

    ``texts`` are the keys of the group's texts, ``taken`` the passages that cannot fill the gap.
    """

    item: WrittenPassage
    found: dict[str, str]
    missing: int
    texts: set[str]
    taken: set[str]


def draw(
    anchors: Sequence[WrittenPassage],
    source: Source,
    settings: Negatives,
    seed: int,
    known: Mapping[str, set[str]],
    count: Counter[str],
    *,
    copies: Mapping[str, Set[str]],
    scorer: Scorer | None = None,
    label: float = 0.0,
    taken: Mapping[str, set[str]] | None = None,
) -> Drawn:
    """Return each anchor with its negatives, always as many as the recipe states.

    What other passages were written for the same query is no negative of it, whatever the guard allows, nor is a copy
    of a relevant one. No two negatives of an anchor have the same text.

    Args:
        anchors: the positives that get negatives; the guard compares with their text.
        source: where negatives come from.
        settings: how many, how deep, under which guard.
        seed: of the choice, which is drawn for each query apart.
        known: per query the passages that are relevant to it.
        count: random ones are counted as ``negatives_at_random``, candidates without a text as ``negatives_absent``,
            copies among the candidates as ``negatives_same_text``, those that score too high as ``negatives_too_near``
            and positives without a score as ``positives_unscored``.
        copies: per query the passages that have the text of a relevant one (:func:`synthrank.trainsets.guard.copies`).
        scorer: scores for the guard's ``max_share_of_positive``, where it is stated. A positive without a score has
            no such limit, and passages drawn at random have none.
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
    drawn: list[tuple[WrittenPassage, dict[str, str]]] = []
    gaps: list[_Gap] = []
    for item in anchors:
        ranked, held = listed[item.query_id], (taken or {}).get(item.query_id, set())
        own, same = known.get(item.query_id, set()) | {item.id}, copies.get(item.query_id, frozenset())
        free = [
            name
            for name in allowed(ranked, text_of, item, own, settings.guard)
            if name not in held and name not in source.absent and name not in same and not _is_own(name, item)
        ]
        if repeated := sum(name in same for name in ranked):
            count["negatives_same_text"] += repeated
        if scorer:
            free = below_limit(free, text_of, item, scorer, settings.guard, count)
        texts = {text_key(item.text)}
        order = seeded(free, seed, of=item.query_id)
        found = {name: text_of[name] for name in islice(_others(order, text_of, texts), settings.count)}
        drawn.append((item, found))
        if missing := settings.count - len(found):
            gaps.append(_Gap(item, found, missing, texts, {*ranked, *own, *same, *held}))
    _fill(gaps, source, seed)
    count["negatives_at_random"] += sum(gap.missing for gap in gaps)
    return [
        (item, tuple(Candidate(name, text, label, settings.source) for name, text in found.items()))
        for item, found in drawn
    ]


def _is_own(name: str, item: WrittenPassage) -> bool:
    """Tell whether a passage was written for the query of another one."""
    return name.startswith(f"{item.query_id}@")


def _others(names: Iterable[str], text_of: Mapping[str, str], texts: set[str]) -> Iterator[str]:
    """Yield the names whose text is none of ``texts``, and put it there."""
    for name in names:
        text = text_key(text_of[name])
        if text not in texts:
            texts.add(text)
            yield name


def _fill(gaps: Sequence[_Gap], source: Source, seed: int) -> None:
    """Fill gaps with passages drawn at random per query, without those taken and those written for the query.

    The collection is read once for all gaps, for the texts of twice as many passages as are missing. It is read again,
    for four times as many, only if equal texts leave gaps open.

    Raises:
        BudgetError: too few passages are left for a query.
    """
    found: dict[int, dict[str, str]] = {}
    waiting, times = dict(enumerate(gaps)), 2
    while waiting:
        first = {
            place: sample(_free(gap, source), times * gap.missing, seed, str, gap.item.query_id)
            for place, gap in waiting.items()
        }
        text_of = texts_of(source.path, {name for names in first.values() for name in names})
        for place, names in first.items():
            gap = waiting[place]
            others = islice(_others(names, text_of, {*gap.texts}), gap.missing)
            found[place] = {name: text_of[name] for name in others}
            if len(found[place]) == gap.missing or len(names) < times * gap.missing:
                del waiting[place]
        times *= 4
    for place, gap in enumerate(gaps):
        if (left := len(found[place])) < gap.missing:
            raise BudgetError(
                f"{source.path}: {left} passages are left for query {gap.item.query_id}, {gap.missing} needed"
            )
        gap.found.update(found[place])


def _free(gap: _Gap, source: Source) -> Iterator[str]:
    return (name for name in source.names if name not in gap.taken and not _is_own(name, gap.item))
