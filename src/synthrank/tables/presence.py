"""What a table lacks: test sets that nothing was measured on, and values of measures that look deeper than lists."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.scores import read_scores
from synthrank.tables.cells import Cells, System, named


@dataclass(frozen=True, slots=True)
class Lacking:
    """What has no value, and so no number in a table.

    ``short`` names, per (ranker, measure), the test sets on which its lists are too short for the measure; ``absent``,
    per system, those that it was not measured on.
    """

    short: dict[tuple[str, str], list[str]]
    absent: dict[str, list[str]]


def lacking(metrics: Iterable[Path], measures: Collection[str], cells: Cells, testsets: Sequence[str]) -> Lacking:
    """Return what was not measured.

    Args:
        metrics: the files of scores.
        measures: what the table shows.
        cells: what was measured.
        testsets: all of the experiment.
    """
    found: dict[tuple[str, str], list[str]] = {}
    told: dict[System, set[str]] = {system: {testset for testset, _ in held} for system, held in cells.items()}
    for item in (score for path in metrics for score in read_scores(path)):
        if item.value is None and item.measure in measures:
            ranker = named(item.ranker)
            told.setdefault((ranker, item.recipe, item.llm), set()).add(item.testset)
            names = found.setdefault((ranker, item.measure), [])
            if item.testset not in names:
                names.append(item.testset)
    return Lacking(found, {"/".join(system): [name for name in testsets if name not in names]
                           for system, names in told.items()})  # fmt: skip


def lacking_note(found: Lacking) -> list[str]:
    """Return the sentences that say what was not measured; none if nothing is lacking."""
    short = [f"{measure} of `{ranker}` on {', '.join(names)}" for (ranker, measure), names in found.short.items()]
    absent = [f"`{system}` on {', '.join(names)}" for system, names in found.absent.items() if names]
    return [
        *([f"Not measured, since the measure looks deeper than the lists: {'; '.join(short)}."] if short else []),
        *([f"Not measured at all: {'; '.join(absent)}."] if absent else []),
    ]
