"""Rows of the tables id and ood: the means of every system, and its differences to other systems."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from synthrank.config.base import NONE, load
from synthrank.config.distribution import MACRO, Distribution, Places, add_macro_average
from synthrank.config.experiment import Intervals
from synthrank.config.rankers import RankerSpec
from synthrank.config.testsets import TestsetSpec
from synthrank.stats.bootstrap import summarise
from synthrank.stats.holm import holm
from synthrank.stats.paired import Paired, Pairs, compare_all
from synthrank.stats.score_matrix import FUSED, Cells
from synthrank.steps.tables.labels import label_ranker


@dataclass(frozen=True, slots=True)
class MainRow:
    """One measure of one system on one test set.

    ``reference`` is the same ranker trained on human passages, as RECIPE/LLM/RANKER. ``delta`` is the mean difference
    to it and ``p`` the p-value of the two-way test. The reference itself has no such values, and neither has a row
    without a reference on the same test sets. ``p_holm`` is ``p`` adjusted by Holm's method for all rows of the table
    with the same ranker and measure. MaxT does not apply, because the rows are on different queries.
    ``first_stage`` is the retriever that a reranker, fused or not, reorders on the test set, several separated by
    spaces. ``delta_first_stage`` is the mean difference to it and ``p_first_stage`` the p-value of the two-way test of
    each seed against the first stage's only run, not adjusted.
    ``seen`` is yes if the ranker's pretrained model was trained on the test set's corpus. Out of distribution, the
    macro averages leave out every test set that any ranker saw.
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
    reference: str = ""
    delta: float | None = None
    p: float | None = None
    p_randomisation: float | None = None
    p_holm: float | None = None
    first_stage: str = ""
    delta_first_stage: float | None = None
    p_first_stage: float | None = None
    seen: str = ""


def make_main_rows(
    cells: Cells,
    places: Places,
    where: Distribution,
    reference: str,
    intervals: Intervals,
    first_stages: Mapping[str, Mapping[str, str]],
) -> list[MainRow]:
    """Return a row per system, measure and test set, in this order; out of distribution also the macro averages.

    Args:
        cells: the values of every system.
        places: the test sets in and out of distribution.
        where: the distribution that the table shows.
        reference: the recipe of human passages that others are compared with; ``none`` for no comparison.
        intervals: settings of intervals and tests.
        first_stages: per reranker and test set, the retriever that the reranker reorders.
    """
    rows = list(_measure(cells, places, where, intervals))
    against = [_pair_with_first_stage(cells, places, where, first_stages, row) for row in rows]
    rows = [
        replace(
            row,
            first_stage=_first_stage(cells, places, where, first_stages, row),
            delta_first_stage=to.delta,
            p_first_stage=to.p,
        )
        if to
        else row
        for row, to in zip(rows, _test_each(against, intervals), strict=True)
    ]
    pairs = [_pair_with_reference(cells, places, where, reference, row) for row in rows]
    rows = [
        replace(
            row,
            reference=f"{reference}/{NONE}/{row.ranker}",
            delta=to.delta,
            p=to.p,
            p_randomisation=to.p_randomisation,
        )
        if to
        else row
        for row, to in zip(rows, _test_each(pairs, intervals), strict=True)
    ]
    families: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.p is not None:
            families[row.ranker, row.measure].append(place)
    for family in families.values():
        for place, p in zip(family, holm([p for place in family if (p := rows[place].p) is not None]), strict=True):
            rows[place] = replace(rows[place], p_holm=p)
    return rows


def _measure(cells: Cells, places: Places, where: Distribution, intervals: Intervals) -> Iterator[MainRow]:
    for (ranker, recipe, llm), of_system in cells.items():
        for measure in dict.fromkeys(measure for _, measure in of_system):
            names = [name for name in places.of(recipe, where) if (name, measure) in of_system]
            for label, group in add_macro_average(names, places.of(NONE, where), places.seen(where)):
                if where != "id" or label in names:
                    found = summarise([of_system[name, measure].values for name in group], intervals)
                    seen = "yes" if places.is_seen(ranker, label) else ""
                    yield MainRow(ranker, recipe, llm, label, measure, **asdict(found), seen=seen)


def _test_each(comparisons: Sequence[Pairs | None], intervals: Intervals) -> Iterator[Paired | None]:
    """Yield the test of each comparison, and None for None."""
    found = iter(compare_all([item for item in comparisons if item], intervals))
    return (next(found) if item else None for item in comparisons)


def _pair_with_reference(
    cells: Cells, places: Places, where: Distribution, reference: str, row: MainRow
) -> Pairs | None:
    """Return the cells of a row's system and of the reference on each test set; None without such a reference."""
    system, other = (row.ranker, row.recipe, row.llm), (row.ranker, reference, NONE)
    if reference == NONE or system == other or other not in cells:
        return None
    ours, theirs = (
        dict(
            add_macro_average(
                [name for name in places.of(recipe, where) if (name, row.measure) in cells[of]], seen=places.seen(where)
            )
        )
        for recipe, of in ((row.recipe, system), (reference, other))
    )
    names = ours[row.testset]
    if theirs.get(row.testset) != names:
        return None
    return [(cells[system][name, row.measure], cells[other][name, row.measure]) for name in names]


def _averaged_testsets(cells: Cells, places: Places, where: Distribution, row: MainRow) -> list[str]:
    """Return the test sets whose mean a row is: one, or those of a macro average."""
    own = cells[row.ranker, row.recipe, row.llm]
    names = [name for name in places.of(row.recipe, where) if (name, row.measure) in own]
    return dict(add_macro_average(names, places.of(NONE, where), places.seen(where)))[row.testset]


def _pair_with_first_stage(
    cells: Cells, places: Places, where: Distribution, first_stages: Mapping[str, Mapping[str, str]], row: MainRow
) -> Pairs | None:
    """Return the cells of a reranker and of its first stage on each test set of a row.

    None for other systems, and if the first stage was not measured.
    """
    reorders = first_stages.get(row.ranker.removesuffix(FUSED))
    if reorders is None:
        return None
    own = cells[row.ranker, row.recipe, row.llm]
    pairs = []
    for name in _averaged_testsets(cells, places, where, row):
        ours, theirs = own[name, row.measure], cells.get((reorders[name], NONE, NONE), {}).get((name, row.measure))
        if theirs is None:
            return None
        pairs.append((ours, theirs))
    return pairs


def _first_stage(
    cells: Cells, places: Places, where: Distribution, first_stages: Mapping[str, Mapping[str, str]], row: MainRow
) -> str:
    """Return the names of the retrievers that a reranker reorders on the test sets of a row."""
    names = _averaged_testsets(cells, places, where, row)
    reorders = first_stages[row.ranker.removesuffix(FUSED)]
    return " ".join(dict.fromkeys(reorders[name] for name in names))


def find_reordered_retrievers(rankers: Sequence[Path], testsets: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Return, per reranker and test set, the retriever that the reranker reorders.

    Args:
        rankers: the entity files of rankers; rankers that search are left out.
        testsets: the entity files of test sets.
    """
    tested = {path.stem: load(TestsetSpec, path) for path in testsets}
    reranks = {path.stem: load(RankerSpec, path).rerank for path in rankers}
    return {
        ranker: {name: spec.reranked(rerank)[0] for name, spec in tested.items()}
        for ranker, rerank in reranks.items()
        if rerank
    }


def note_below_first_stage(rows: Sequence[MainRow], rankers: Sequence[Path]) -> list[str]:
    """Return a sentence for each reranker that is below its first stage with every training set.

    The macro averages of the table's first measure are compared, or each test set in a table without them. If
    a ranker's file states ``rerank.mix``, its fused ranking is compared.

    Args:
        rows: the rows of the table.
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
                f"`{label_ranker(name)}` is below its first stage `{rerank.retriever}` in {measure} with every "
                f"training set ({_span(means)} against {_span(list(first.values()))}). It makes the rankings worse, so "
                "differences between its training sets mean little."
            )
    return lines


def _span(values: Sequence[float]) -> str:
    low, high = f"{min(values):.3f}", f"{max(values):.3f}"
    return low if low == high else f"{low} to {high}"
