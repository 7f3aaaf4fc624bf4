"""Notes around the Markdown copy of a table: overlap with test sets above it, budgets and missing values below it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from synthrank.config.base import NONE, load
from synthrank.config.rankers import RankerSpec
from synthrank.data.paths import TRAINSET
from synthrank.data.scores import read_scores
from synthrank.stats.score_matrix import Cells, System, table_name_of
from synthrank.steps.tables.markdown import wrap_paragraphs


def add_notes(text: str, answers: Sequence[Path], below: Sequence[str]) -> str:
    """Return the Markdown of a table with notes above and below it.

    Args:
        text: the Markdown, which begins with a heading and an empty line.
        answers: per training set of the table, the counts that step count_answers wrote.
        below: sentences for below the table: sources of variance, unequal budgets, rankers with selected settings.
            Empty sentences are left out.
    """
    head, _, rest = text.partition("\n\n")
    above = "".join(f"{line}\n" for line in wrap_paragraphs(*_note_answers(answers), *_note_queries(answers)))
    foot = "".join(f"\n{line}" for line in wrap_paragraphs(*filter(None, below)))
    return f"{head}\n\n{above}{rest}{foot}"


def _note_answers(files: Iterable[Path]) -> Iterator[str]:
    """Yield a paragraph if any training set contains passages that answer test queries."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for path in files:
        counted = _read(path)
        for testset, count in counted["testsets"].items():
            found[testset, _trainset(path, "`")].append((count, counted["passages"]))
    cases = [
        f"{_span(count for count, _ in pairs)} of {_span(total for _, total in pairs)} of recipe {trainset}"
        f" (test set `{testset}`)"
        for (testset, trainset), pairs in found.items()
        if any(count for count, _ in pairs)
    ]
    if cases:
        yield (
            "**Rankers were trained on passages that answer test queries.** Distinct relevant passages of a training "
            f"set that are also relevant to a test query: {'; '.join(cases)}. These rankers saw passages that they "
            "have to find, though with other queries. Do not compare their scores on these test sets with the scores "
            "of other rankers."
        )


def _note_queries(files: Iterable[Path]) -> Iterator[str]:
    """Yield a paragraph if any training set contains a query with the same text as a test query."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for path in files:
        recipe, _ = _recipe_and_llm(path)
        for testset, count in _read(path)["queries"].items():
            found[testset, recipe] = max(count, found[testset, recipe])
    cases = [f"{count:,} of test set `{name}` by recipe `{recipe}`" for (name, recipe), count in found.items() if count]
    if cases:
        yield f"**Training sets contain queries with the text of test queries**, under other ids: {'; '.join(cases)}."


def note_unequal_budgets(trainsets: Sequence[Path], rankers: Sequence[Path]) -> list[str]:
    """Return a sentence on pairs and a sentence on updates if these differ between training sets, otherwise nothing.

    Args:
        trainsets: results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json of every draw of every training set.
        rankers: the entity files of the rankers that are trained on these training sets.
    """
    pairs: dict[str, list[int]] = defaultdict(list)
    for path in trainsets:
        pairs[_trainset(path)].append(_count_groups(_read(path)))
    sizes = _group_by_count((_span(counts), name) for name, counts in pairs.items())
    lines = [] if len(sizes) < 2 else [f"Training sets differ in size: {'; '.join(_format_each(sizes, 'pairs'))}."]
    updates = []
    for path in rankers:
        optimiser = load(RankerSpec, path).optimiser
        of_ranker = _group_by_count((_span(map(optimiser.updates, counts)), name) for name, counts in pairs.items())
        if len(of_ranker) == 1:
            updates.append(f"{path.stem} {next(iter(of_ranker))} on each training set")
        else:
            updates.append(f"{path.stem} {', '.join(_format_each(of_ranker, 'updates'))}")
    unequal = any("(" in text for text in updates)
    return [*lines, *([f"Training updates: {'; '.join(updates)}."] if lines or unequal else [])]


def note_dropped_pairs(trainsets: Iterable[Path]) -> list[str]:
    """Return a sentence on the pairs that recipes' filters dropped, nothing without filters.

    Args:
        trainsets: the counts of every draw of every training set.
    """
    dropped: dict[str, list[int]] = defaultdict(list)
    pairs: dict[str, list[int]] = defaultdict(list)
    for path in trainsets:
        parts = [part for part in _read(path).values() if isinstance(part, dict) and "filter_pairs" in part]
        if parts:
            dropped[_trainset(path)].append(sum(part["filter_dropped"] for part in parts))
            pairs[_trainset(path)].append(sum(part["filter_pairs"] for part in parts))
    cases = [f"{_span(dropped[name])} of {_span(pairs[name])} ({name})" for name in dropped]
    if not cases:
        return []
    return [f"Filters dropped query-passage pairs, which were replaced by pairs of other queries: {'; '.join(cases)}."]


def note_unmeasured(
    metrics: Iterable[Path], measures: Collection[str], cells: Cells, testsets: Sequence[str]
) -> list[str]:
    """Return sentences on missing values of a table.

    Args:
        metrics: the files of scores.
        measures: the measures of the table.
        cells: the scores.
        testsets: the names of all test sets of the experiment.
    """
    short: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    held: dict[System, set[str]] = {system: {testset for testset, _ in of_one} for system, of_one in cells.items()}
    for item in (score for path in metrics for score in read_scores(path)):
        if item.value is None and item.measure in measures:
            ranker = table_name_of(item.ranker)
            held.setdefault((ranker, item.recipe, item.llm), set()).add(item.testset)
            short[ranker, item.measure][item.testset] = None
    shallow = [f"{measure} of `{ranker}` on {', '.join(names)}" for (ranker, measure), names in short.items()]
    lacking = {"/".join(system): [name for name in testsets if name not in names] for system, names in held.items()}
    absent = [f"`{system}` on {', '.join(names)}" for system, names in lacking.items() if names]
    return [
        *(
            [f"Not measured, because the rankings are shorter than the measure's cutoff: {'; '.join(shallow)}."]
            if shallow
            else []
        ),
        *([f"Not measured at all: {'; '.join(absent)}."] if absent else []),
    ]


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _recipe_and_llm(path: Path) -> tuple[str, str]:
    """Return the recipe and the LLM of a file in …/trainsets/{recipe}/{llm}/draw-{draw}/."""
    names = TRAINSET.names(path.parent)
    return names["recipe"], names["llm"]


def _trainset(path: Path, quote: str = "") -> str:
    recipe, llm = _recipe_and_llm(path)
    return f"{quote}{recipe}{quote}" + ("" if llm == NONE else f" by {llm}")


def _count_groups(counts: dict[str, Any]) -> int:
    """Return the number of training groups of a training set; each positive pair is a group."""
    return int(counts["groups"]) if "groups" in counts else sum(part["groups"] for part in counts.values())


def _span(values: Iterable[int]) -> str:
    """Return a number, or the smallest and the largest if draws of the data differ."""
    found = sorted(set(values))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _group_by_count(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for count, name in items:
        found.setdefault(count, []).append(name)
    return found


def _format_each(listed: dict[str, list[str]], unit: str) -> list[str]:
    return [f"{count} {unit} ({', '.join(names)})" for count, names in listed.items()]
