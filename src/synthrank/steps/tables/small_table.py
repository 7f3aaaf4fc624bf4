"""The small table of an experiment: training sets by rankers, with the differences that are significant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synthrank.config.base import NONE
from synthrank.config.distribution import MACRO
from synthrank.steps.tables.id_ood_rows import MainRow
from synthrank.steps.tables.labels import FIRST_STAGE, UNTRAINED, label_ranker, label_trainset, trained_rankers
from synthrank.steps.tables.markdown import format_difference

MARK = "†"
"""Added to means that differ significantly from the same ranker trained on human passages."""


@dataclass(frozen=True, slots=True)
class SmallTable:
    """Means of one measure: a row per training set, a column per ranker; and sentences on what differs."""

    title: str
    head: list[str]
    lines: list[list[str]]
    notes: list[str]


def small_table(rows: Sequence[MainRow], alpha: float, mark: str) -> SmallTable | None:
    """Return the small table of the first measure; None for several test sets without a macro average.

    First stages come first, each with its mean in every column. Then come the untrained rankers and the training sets.

    Args:
        rows: of the table ``id`` or ``ood``.
        alpha: p-values below it are significant.
        mark: added to means that differ significantly from the same ranker trained on human passages.
    """
    rows = [row for row in rows if row.measure == rows[0].measure]
    testsets = list(dict.fromkeys(row.testset for row in rows if row.testset != MACRO))
    averages = [row for row in rows if row.testset == MACRO]
    if not averages and len(testsets) != 1:
        return None
    shown = averages or rows
    rankers = trained_rankers((row.ranker, row.recipe, row.llm) for row in rows)
    means = {(row.ranker, row.recipe, row.llm): row for row in shown}
    first_stages = [row for row in shown if row.ranker not in rankers]
    lines = [[f"{row.ranker} ({FIRST_STAGE})", *[f"{row.mean:.3f}"] * max(1, len(rankers))] for row in first_stages]
    for recipe, llm in dict.fromkeys((row.recipe, row.llm) for row in shown if row.ranker in rankers):
        cells = [means.get((ranker, recipe, llm)) for ranker in rankers]
        name = UNTRAINED if recipe == NONE else label_trainset(recipe, llm)
        lines.append([name, *("" if row is None else f"{row.mean:.3f}{_mark(row, alpha, mark)}" for row in cells)])
    return SmallTable(
        _title(rows, shown, testsets),
        ["training set", *([label_ranker(ranker) for ranker in rankers] or ["mean"])],
        lines,
        [*_describe_reference(shown, alpha, mark), *_describe_training(shown), *_describe_first_stage(shown, alpha)],
    )


def _mark(row: MainRow, alpha: float, mark: str) -> str:
    return mark if row.p_holm is not None and row.p_holm < alpha else ""


def _title(rows: Sequence[MainRow], shown: Sequence[MainRow], testsets: Sequence[str]) -> str:
    averaged = [name for name in testsets if not any(row.seen for row in rows if row.testset == name)]
    of = f"macro average of {len(averaged)} test sets" if shown[0].testset == MACRO else f"test set {testsets[0]}"
    queries, seeds = max(row.queries for row in shown), max(row.seeds for row in shown)
    return f"{shown[0].measure}, {of}, {queries:,} queries, {seeds} training seed{'s' if seeds > 1 else ''}"


def _describe_reference(rows: Sequence[MainRow], alpha: float, mark: str) -> Iterator[str]:
    compared = [row for row in rows if row.p_holm is not None]
    if not compared:
        return
    reference = compared[0].reference.split("/")[0] or "human passages"
    test = f"the same ranker trained on {reference} (p below {alpha:.3g}, adjusted by Holm's method)"
    if any(_mark(row, alpha, mark) for row in compared):
        yield f"{mark} differs significantly from {test}."
    else:
        yield f"No system differs significantly from {test}."


def _describe_training(rows: Sequence[MainRow]) -> Iterator[str]:
    """Yield the effect of training on the reference: the untrained ranker's difference with the opposite sign."""
    for row in rows:
        if row.recipe == NONE and row.delta is not None and row.p is not None:
            reference = row.reference.split("/")[0] or "human passages"
            effect = format_difference(-row.delta, row.p)
            yield f"Training {label_ranker(row.ranker)} on {reference} changes it by {effect}."


def _describe_first_stage(rows: Sequence[MainRow], alpha: float) -> Iterator[str]:
    compared = [row for row in rows if row.p_first_stage is not None and row.delta_first_stage is not None]
    for ranker in dict.fromkeys(row.ranker for row in compared):
        own = [row for row in compared if row.ranker == ranker]
        sure = [row for row in own if (row.p_first_stage or 0) < alpha]
        above, below = ([row for row in sure if ((row.delta_first_stage or 0) > 0) == up] for up in (True, False))
        parts = [f"{side} with {_span(own, found)}" for side, found in (("above", above), ("below", below)) if found]
        first = own[0].first_stage or "its first stage"
        found = " and ".join(parts) or "not different with any training set"
        yield f"{label_ranker(ranker)} against {first} (p below {alpha:.3g}, not adjusted): {found}."


def _span(own: Sequence[MainRow], found: Sequence[MainRow]) -> str:
    if len(found) == len(own) > 1:
        return "every training set" + (", and untrained" if any(row.recipe == NONE for row in own) else "")
    return ", ".join(UNTRAINED if row.recipe == NONE else label_trainset(row.recipe, row.llm) for row in found)
