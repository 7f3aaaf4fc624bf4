"""Rerankers beside the first stages whose lists they reorder."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.places import MACRO
from synthrank.specs.base import NONE, load
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.testsets import TestsetSpec
from synthrank.tables.cells import FUSED
from synthrank.tables.main_rows import Row


def reordered(rankers: Sequence[Path], testsets: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Return for each reranker, by test set, the retriever that it reorders there.

    Args:
        rankers: the entity files of rankers; one that searches is left out.
        testsets: the entity files of test sets.
    """
    tested = {path.stem: load(TestsetSpec, path) for path in testsets}
    reranks = {path.stem: load(RankerSpec, path).rerank for path in rankers}
    return {
        ranker: {name: spec.reranked(rerank)[0] for name, spec in tested.items()}
        for ranker, rerank in reranks.items()
        if rerank
    }


def below_first_stage(rows: Sequence[Row], rankers: Sequence[Path]) -> list[str]:
    """Return a sentence for each reranker that is below its first stage whatever it was trained on.

    A reranker whose file states `rerank.mix` is meant to be used so: its mixture counts.
    Where a table has macro averages, these are compared; else each test set is. The first measure of the table counts.

    Args:
        rows: of the table.
        rankers: the entity files of its rankers.
    """
    measure = rows[0].measure if rows else ""
    shown = [row for row in rows if row.measure == measure]
    if any(row.testset == MACRO for row in shown):
        shown = [row for row in shown if row.testset == MACRO]
    lines = []
    for path in rankers:
        rerank = load(RankerSpec, path).rerank
        if rerank is None:
            continue
        first = {row.testset: row.mean for row in shown if row.ranker == rerank.retriever}
        name = path.stem + FUSED if rerank.mix else path.stem
        own = [row for row in shown if row.ranker == name and row.recipe != NONE and row.testset in first]
        if own and all(row.mean < first[row.testset] for row in own):
            means = [row.mean for row in own]
            lines.append(
                f"`{name}` is below its first stage `{rerank.retriever}` by {measure} whatever it is trained on "
                f"({_span(means)} against {_span(list(first.values()))}). Nobody would use a reranker that makes its "
                "lists worse, so differences between its training sets say little."
            )
    return lines


def _span(values: Sequence[float]) -> str:
    low, high = f"{min(values):.3f}", f"{max(values):.3f}"
    return low if low == high else f"{low} to {high}"
