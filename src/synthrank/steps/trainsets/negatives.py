"""Negatives of a training group: passages of a run that pass the guard, and random passages to fill up."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from synthrank.config.recipes import Negatives
from synthrank.data.files import json_lines
from synthrank.data.passage_texts import text_key, texts_of
from synthrank.data.records import Candidate, WrittenPassage
from synthrank.data.sampling import sample, shuffle
from synthrank.data.trec import Run, read_run
from synthrank.errors import BudgetError
from synthrank.steps.trainsets.false_negatives import Scorer, drop_false_negatives, keep_below_limit

Drawn = list[tuple[WrittenPassage, tuple[Candidate, ...]]]
"""Positives with their negatives."""


@dataclass(frozen=True, slots=True)
class NegativeSource:
    """Source of negatives: candidates by query, the passages that may fill a gap, in order, and the file of the texts.

    ``excluded`` passages are not used. ``absent`` are candidates of the run without a text; imported rewritten passages
    may lack some.
    """

    run: Run
    names: tuple[str, ...]
    path: Path
    excluded: Collection[str]
    absent: frozenset[str] = frozenset()

    def without(self, names: Set[str]) -> "NegativeSource":
        """Return the source without some passages."""
        left = tuple(name for name in self.names if name not in names)
        return replace(self, names=left, excluded={*self.excluded, *names})


def open_negatives(run: Path, passages: Path, excluded: Collection[str], reworded: bool = False) -> NegativeSource:
    """Read a source of negatives.

    Args:
        run: the run of the candidates.
        passages: the passages that the run names.
        excluded: passages that are not used, because they answer a held-out query.
        reworded: whether the passages are rewritten versions of those that the run names, and may lack some.
    """
    held = [item["id"] for _, item in json_lines(passages)]
    ranked = read_run(run)
    absent = {name for listed in ranked.values() for name, _ in listed}.difference(held) if reworded else ()
    return NegativeSource(
        ranked, tuple(name for name in held if name not in excluded), passages, excluded, frozenset(absent)
    )


@dataclass(frozen=True, slots=True)
class _Gap:
    """A positive with too few candidates: ``found`` are its negatives with texts, ``missing`` the number to add.

    ``texts`` are the keys of the group's texts, ``taken`` the passages that cannot fill the gap.
    """

    item: WrittenPassage
    found: dict[str, str]
    missing: int
    texts: set[str]
    taken: set[str]


def draw_negatives(
    anchors: Sequence[WrittenPassage],
    source: NegativeSource,
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
    """Return each anchor with its negatives, always the number that the recipe states.

    Other passages generated for the same query, and copies of relevant passages, are not used as negatives, with any
    guard. The negatives of an anchor have different texts.

    Args:
        anchors: the positives that get negatives; the guard compares with their text.
        source: the source of the negatives.
        settings: number, depth and guard of the negatives.
        seed: the seed of the choice, which is drawn separately per query.
        known: per query, its relevant passages.
        count: counts random negatives as ``negatives_at_random``, candidates without a text as ``negatives_absent``,
            copies among the candidates as ``negatives_same_text``, candidates with too high a score as
            ``negatives_too_near`` and positives without a score as ``positives_unscored``.
        copies: per query, the passages that have the text of a relevant passage
            (:func:`synthrank.steps.trainsets.false_negatives.find_copies`).
        scorer: the scorer for the guard's ``max_share_of_positive``, if the guard states it. It does not limit
            negatives of a positive without a score, or random negatives.
        label: the label of the negatives.
        taken: per query, other passages of the group.

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
    # An absent candidate keeps its rank until the guard has skipped the top, so that other candidates do not change.
    text_of = dict.fromkeys(wanted & source.absent, "") | texts_of(source.path, wanted - source.absent)
    drawn: list[tuple[WrittenPassage, dict[str, str]]] = []
    gaps: list[_Gap] = []
    for item in anchors:
        ranked, held = listed[item.query_id], (taken or {}).get(item.query_id, set())
        own, same = known.get(item.query_id, set()) | {item.id}, copies.get(item.query_id, frozenset())
        free = [
            name
            for name in drop_false_negatives(ranked, text_of, item, own, settings.guard)
            if name not in held and name not in source.absent and name not in same and not _is_own(name, item)
        ]
        if repeated := sum(name in same for name in ranked):
            count["negatives_same_text"] += repeated
        if scorer:
            free = keep_below_limit(free, text_of, item, scorer, settings.guard, count)
        texts = {text_key(item.text)}
        order = shuffle(free, seed, of=item.query_id)
        found = {name: text_of[name] for name in islice(_find_other_texts(order, text_of, texts), settings.count)}
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
    """Return whether a passage was generated for the query of ``item``."""
    return name.startswith(f"{item.query_id}@")


def _find_other_texts(names: Iterable[str], text_of: Mapping[str, str], texts: set[str]) -> Iterator[str]:
    """Yield the names whose text is not in ``texts``, and add their text to it."""
    for name in names:
        text = text_key(text_of[name])
        if text not in texts:
            texts.add(text)
            yield name


def _fill(gaps: Sequence[_Gap], source: NegativeSource, seed: int) -> None:
    """Fill gaps with random passages per query, except taken passages and passages generated for the query.

    The file is read once for all gaps, for the texts of twice the number of missing passages. If equal texts leave gaps
    open, it is read again with four times the number.

    Raises:
        BudgetError: too few passages are left for a query.
    """
    found: dict[int, dict[str, str]] = {}
    waiting, times = dict(enumerate(gaps)), 2
    while waiting:
        first = {
            place: sample(_skip_taken(gap, source), times * gap.missing, seed, str, gap.item.query_id)
            for place, gap in waiting.items()
        }
        text_of = texts_of(source.path, {name for names in first.values() for name in names})
        for place, names in first.items():
            gap = waiting[place]
            others = islice(_find_other_texts(names, text_of, {*gap.texts}), gap.missing)
            found[place] = {name: text_of[name] for name in others}
            if len(found[place]) == gap.missing or len(names) < times * gap.missing:
                del waiting[place]
        times *= 4
    for place, gap in enumerate(gaps):
        if (left := len(found[place])) < gap.missing:
            raise BudgetError(
                f"{source.path}: query {gap.item.query_id} needs {gap.missing} random negatives, {left} available; "
                "lower negatives.count or relax the guard"
            )
        gap.found.update(found[place])


def _skip_taken(gap: _Gap, source: NegativeSource) -> Iterator[str]:
    return (name for name in source.names if name not in gap.taken and not _is_own(name, gap.item))
