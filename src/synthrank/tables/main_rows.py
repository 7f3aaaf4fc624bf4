"""The rows of the tables id and ood: every system, beside the one trained on human passages, and its first stage."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synthrank.places import MACRO, Distribution, Places, with_macro
from synthrank.specs.base import NONE, load
from synthrank.specs.experiment import Intervals
from synthrank.specs.rankers import RankerSpec
from synthrank.specs.testsets import TestsetSpec
from synthrank.tables.cells import FUSED, Cells
from synthrank.tables.holm import holm
from synthrank.tables.paired import Paired, Pairs, compare_all
from synthrank.tables.summary import summarise


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of one system on one test set.

    ``delta`` is the mean difference to the same ranker trained on human passages; absent for that one itself, and
    where it has no such row. ``p`` is of the two-way test, ``p_holm`` the same adjusted for all p of the table with
    the same ranker and measure: Holm's method, since rows of a table are on other queries, and on more or fewer.
    ``delta_first_stage`` is the mean difference of a reranker, alone or fused, to the first stage that it reorders, and
    ``p_first_stage`` its p by the two-way test, each seed against the one run of the first stage; not adjusted.
    ``seen`` is yes where the ranker's pretrained model was trained on the test set's corpus before; out of distribution
    a test set that any ranker saw is in no macro average.
    """

    ranker: str
    recipe: str
    llm: str
    testset: str
    measure: str
    mean: float
    std: float | None
    ci_low: float
    ci_high: float
    seeds: int
    queries: int
    delta: float | None = None
    p: float | None = None
    p_randomisation: float | None = None
    p_holm: float | None = None
    delta_first_stage: float | None = None
    p_first_stage: float | None = None
    seen: str = ""


def main_rows(
    cells: Cells,
    places: Places,
    where: Distribution,
    reference: str,
    intervals: Intervals,
    first_stages: Mapping[str, Mapping[str, str]],
) -> list[Row]:
    """Return a row for each system, measure and test set, in this order; out of distribution with macro averages.

    Args:
        cells: the values of every system.
        places: which test sets are in distribution.
        where: which of the two tables.
        reference: the recipe of human passages that others are compared with; none for no comparison.
        intervals: how intervals and p are made.
        first_stages: for each reranker, by test set, the retriever that it reorders there.
    """
    rows = list(_measured(cells, places, where, intervals))
    against = [_first_stage_pairs(cells, places, where, first_stages, row) for row in rows]
    rows = [
        replace(row, delta_first_stage=to.delta, p_first_stage=to.p) if to else row
        for row, to in zip(rows, _tested(against, intervals), strict=True)
    ]
    pairs = [_pairs(cells, places, where, reference, row) for row in rows]
    rows = [
        replace(row, delta=to.delta, p=to.p, p_randomisation=to.p_randomisation) if to else row
        for row, to in zip(rows, _tested(pairs, intervals), strict=True)
    ]
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.p is not None:
            families[row.ranker, row.measure].append(place)
    for family in families.values():
        for place, p in zip(family, holm([p for place in family if (p := rows[place].p) is not None]), strict=True):
            rows[place] = replace(rows[place], p_holm=p)
    return rows


def _measured(cells: Cells, places: Places, where: Distribution, intervals: Intervals) -> Iterator[Row]:
    for (ranker, recipe, llm), of_system in cells.items():
        for measure in dict.fromkeys(measure for _, measure in of_system):
            names = [name for name in places.of(recipe, where) if (name, measure) in of_system]
            for label, group in with_macro(names, places.of(NONE, where), places.seen(where)):
                if where != "id" or label in names:
                    found = summarise([of_system[name, measure].values for name in group], intervals)
                    seen = "yes" if places.is_seen(ranker, label) else ""
                    yield Row(ranker, recipe, llm, label, measure, **asdict(found), seen=seen)


def _tested(comparisons: Sequence[Pairs | None], intervals: Intervals) -> Iterator[Paired | None]:
    """Yield the test of each comparison, None for one that is None."""
    found = iter(compare_all([item for item in comparisons if item], intervals))
    return (next(found) if item else None for item in comparisons)


def _pairs(cells: Cells, places: Places, where: Distribution, reference: str, row: Row) -> Pairs | None:
    """Return what a row's system is compared with on each of its test sets; None where that has no such row."""
    system, other = (row.ranker, row.recipe, row.llm), (row.ranker, reference, NONE)
    if reference == NONE or system == other or other not in cells:
        return None
    ours, theirs = (
        dict(
            with_macro(
                [name for name in places.of(recipe, where) if (name, row.measure) in cells[of]], seen=places.seen(where)
            )
        )
        for recipe, of in ((row.recipe, system), (reference, other))
    )
    names = ours[row.testset]
    if theirs.get(row.testset) != names:
        return None
    return [(cells[system][name, row.measure], cells[other][name, row.measure]) for name in names]


def _first_stage_pairs(
    cells: Cells, places: Places, where: Distribution, first_stages: Mapping[str, Mapping[str, str]], row: Row
) -> Pairs | None:
    """Return a reranker and its first stage on each test set of a row; None for others, or if that was not measured."""
    reorders = first_stages.get(row.ranker.removesuffix(FUSED))
    if reorders is None:
        return None
    own = cells[row.ranker, row.recipe, row.llm]
    names = [name for name in places.of(row.recipe, where) if (name, row.measure) in own]
    pairs = []
    for name in dict(with_macro(names, places.of(NONE, where), places.seen(where)))[row.testset]:
        ours, theirs = own[name, row.measure], cells.get((reorders[name], NONE, NONE), {}).get((name, row.measure))
        if theirs is None:
            return None
        pairs.append((ours, theirs))
    return pairs


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
