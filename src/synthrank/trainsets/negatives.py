"""Negatives of a training group: passages that a run brings up and the guard lets pass, filled up at random."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import json_lines
from synthrank.order import seeded
from synthrank.records import Candidate, WrittenPassage
from synthrank.specs.recipes import Guard, Negatives
from synthrank.texts import chunks, text_key, texts_of
from synthrank.trainsets.guard import allowed
from synthrank.trainsets.positive_aware import Scorer, limit
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
    copies: Mapping[str, AbstractSet[str]],
    scorer: Scorer | None = None,
    label: float = 0.0,
    taken: Mapping[str, set[str]] | None = None,
) -> Iterator[tuple[WrittenPassage, tuple[Candidate, ...]]]:
    """Yield each anchor with its negatives, always as many as the recipe states.

    What other passages were written for the same query is no negative of it, whatever the guard allows, nor is a copy
    of a relevant one. No two negatives of an anchor have the same text.

    Args:
        anchors: the positives that negatives stand against; the guard compares with their text.
        source: where negatives come from.
        settings: how many, how deep, under which guard.
        seed: of the choice, which is drawn for each query apart.
        known: per query the passages that are relevant to it.
        count: random ones are counted as ``negatives_at_random``, candidates without a text as ``negatives_absent``,
            copies among the candidates as ``negatives_same_text``, those that score too high as ``negatives_too_near``
            and positives without a score as ``positives_unscored``.
        copies: per query the passages that have the text of a relevant one
            (:func:`synthrank.trainsets.same_text.copies`).
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
    for item in anchors:
        ranked, held = listed[item.query_id], (taken or {}).get(item.query_id, set())
        own, same = known.get(item.query_id, set()) | {item.id}, copies.get(item.query_id, frozenset())
        free = [
            name
            for name in allowed(ranked, text_of, item, own, settings.guard)
            if name not in held and name not in source.absent and name not in same and not _is_own(name, item)
        ]
        _count(count, "negatives_same_text", sum(name in same for name in ranked))
        if scorer:
            free = _farther(free, text_of, item, scorer, settings.guard, count)
        texts = {text_key(item.text)}
        order = seeded(free, seed, of=item.query_id)
        found = {name: text_of[name] for name in islice(_others(order, text_of, texts), settings.count)}
        spare = _spare(source, item, {*ranked, *own, *same, *held}, settings.count - len(found), seed, texts)
        count["negatives_at_random"] += len(spare)
        yield item, tuple(Candidate(name, text, label, settings.source) for name, text in (found | spare).items())


def _count(count: Counter[str], name: str, number: int) -> None:
    """Count what there is seldom: where there is none the count says nothing of it."""
    if number:
        count[name] += number


def _is_own(name: str, item: WrittenPassage) -> bool:
    """Tell whether a passage was written for the query of another one."""
    return name.startswith(f"{item.query_id}@")


def _farther(
    names: list[str],
    text_of: Mapping[str, str],
    item: WrittenPassage,
    scorer: Scorer,
    guard: Guard,
    count: Counter[str],
) -> list[str]:
    """Return the candidates whose score is not above the share of the positive's that the guard states."""
    positive, scores = scorer.scores(item, names, text_of)
    if positive is None:
        count["positives_unscored"] += 1
        return names
    highest = limit(positive, guard.max_share_of_positive or 1)
    kept = [name for name, score in zip(names, scores, strict=True) if score <= highest]
    _count(count, "negatives_too_near", len(names) - len(kept))
    return kept


def _others(names: Iterable[str], text_of: Mapping[str, str], texts: set[str]) -> Iterator[str]:
    """Yield the names whose text is none of ``texts``, and put it there."""
    for name in names:
        text = text_key(text_of[name])
        if text not in texts:
            texts.add(text)
            yield name


def _spare(
    source: Source, item: WrittenPassage, taken: set[str], missing: int, seed: int, texts: set[str]
) -> dict[str, str]:
    """Return as many random passages as are missing, with texts; none of those taken or refused, or of the query's own.

    ``texts`` are those that the group holds already.
    """
    if not missing:
        return {}
    free = [name for name in source.names if name not in taken and not _is_own(name, item)]
    found: dict[str, str] = {}
    for some in chunks(seeded(free, seed, of=item.query_id), missing):
        text_of = texts_of(source.path, some)
        for name in islice(_others(some, text_of, texts), missing - len(found)):
            found[name] = text_of[name]
        if len(found) == missing:
            return found
    raise BudgetError(f"{source.path}: {len(found)} passages are left for query {item.query_id}, {missing} needed")
