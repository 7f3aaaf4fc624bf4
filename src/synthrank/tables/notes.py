"""What stands around a table for reading: above it test answers that were trained on, below it budgets and gaps."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from synthrank.scores import read_scores
from synthrank.specs.base import NONE, load
from synthrank.specs.rankers import RankerSpec
from synthrank.tables.cells import Cells, System, named
from synthrank.tables.pipes import paragraphs


def with_notes(text: str, answers: Sequence[Path], below: Sequence[str]) -> str:
    """Return the Markdown of a table with what its reader must know.

    Args:
        text: the Markdown, which begins with a heading and an empty line.
        answers: what step count_answers counted of the training sets that the table compares.
        below: sentences on what seeds move, where budgets are unequal, and which rankers' settings were chosen; empty
            ones are left out.
    """
    head, _, rest = text.partition("\n\n")
    above = "".join(f"{line}\n" for line in paragraphs(*_answered(answers), *_asked(answers)))
    foot = "".join(f"\n{line}" for line in paragraphs(*filter(None, below)))
    return f"{head}\n\n{above}{rest}{foot}"


def _answered(files: Iterable[Path]) -> Iterator[str]:
    """Yield a paragraph if any training set holds passages that answer test queries."""
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
            "**Rankers were trained on passages that answer test queries.** So many of the distinct passages that were "
            f"trained on as relevant are relevant to a query of a test set too: {'; '.join(cases)}. These rankers know "
            "passages that they are to find there, though from other queries: their scores on these test sets do not "
            "compare with those of rankers that do not."
        )


def _asked(files: Iterable[Path]) -> Iterator[str]:
    """Yield a paragraph if any training set holds queries in the words of test queries."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for path in files:
        recipe, _ = _recipe_and_llm(path)
        for testset, count in _read(path)["queries"].items():
            found[testset, recipe] = max(count, found[testset, recipe])
    cases = [f"{count:,} of test set `{name}` by recipe `{recipe}`" for (name, recipe), count in found.items() if count]
    if cases:
        yield f"**Test queries are trained on in the same words**, under another id: {'; '.join(cases)}."


def unequal_budgets(trainsets: Sequence[Path], rankers: Sequence[Path]) -> list[str]:
    """Return a sentence on pairs and one on updates where those of a table's training sets differ; else nothing.

    Args:
        trainsets: results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json of every training set, and of every draw.
        rankers: the entity files of the rankers that are trained on each of them.
    """
    pairs: dict[str, list[int]] = defaultdict(list)
    for path in trainsets:
        pairs[_trainset(path)].append(_groups(_read(path)))
    sizes = _by_count((_span(counts), name) for name, counts in pairs.items())
    lines = [] if len(sizes) < 2 else [f"Training sets differ in size: {'; '.join(_each(sizes, 'pairs'))}."]
    updates = []
    for path in rankers:
        optimiser = load(RankerSpec, path).optimiser
        of_ranker = _by_count((_span(map(optimiser.updates, counts)), name) for name, counts in pairs.items())
        if len(of_ranker) == 1:
            updates.append(f"{path.stem} {next(iter(of_ranker))} on each of them")
        else:
            updates.append(f"{path.stem} {', '.join(_each(of_ranker, 'updates'))}")
    unequal = any("(" in text for text in updates)
    return [*lines, *([f"Updates of the training: {'; '.join(updates)}."] if lines or unequal else [])]


def dropped_pairs(trainsets: Iterable[Path]) -> list[str]:
    """Return a sentence on the pairs that recipes' filters dropped; nothing where no recipe has a filter.

    Args:
        trainsets: the counts of every training set, and of every draw.
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
    return [
        f"Filters dropped pairs of a query and a passage, for which further queries were taken: {'; '.join(cases)}."
    ]


def not_measured(
    metrics: Iterable[Path], measures: Collection[str], cells: Cells, testsets: Sequence[str]
) -> list[str]:
    """Return the sentences on what has no value, and so no number in a table; none if nothing is lacking.

    Args:
        metrics: the files of scores.
        measures: what the table shows.
        cells: what was measured.
        testsets: all of the experiment.
    """
    short: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    held: dict[System, set[str]] = {system: {testset for testset, _ in of_one} for system, of_one in cells.items()}
    for item in (score for path in metrics for score in read_scores(path)):
        if item.value is None and item.measure in measures:
            ranker = named(item.ranker)
            held.setdefault((ranker, item.recipe, item.llm), set()).add(item.testset)
            short[ranker, item.measure][item.testset] = None
    shallow = [f"{measure} of `{ranker}` on {', '.join(names)}" for (ranker, measure), names in short.items()]
    lacking = {"/".join(system): [name for name in testsets if name not in names] for system, names in held.items()}
    absent = [f"`{system}` on {', '.join(names)}" for system, names in lacking.items() if names]
    return [
        *([f"Not measured, since the measure looks deeper than the lists: {'; '.join(shallow)}."] if shallow else []),
        *([f"Not measured at all: {'; '.join(absent)}."] if absent else []),
    ]


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _recipe_and_llm(path: Path) -> tuple[str, str]:
    """Return the training set of a file in …/{recipe}/{llm}/draw-{draw}/."""
    recipe, llm, _ = path.parts[-4:-1]
    return recipe, llm


def _trainset(path: Path, quote: str = "") -> str:
    recipe, llm = _recipe_and_llm(path)
    return f"{quote}{recipe}{quote}" + ("" if llm == NONE else f" by {llm}")


def _groups(counts: dict[str, Any]) -> int:
    """Return how many training groups a training set has: of pairs, as many as positives."""
    return int(counts["groups"]) if "groups" in counts else sum(part["groups"] for part in counts.values())


def _span(values: Iterable[int]) -> str:
    """Return a number, or the least and the greatest where draws of the data differ."""
    found = sorted(set(values))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _by_count(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for count, name in items:
        found.setdefault(count, []).append(name)
    return found


def _each(listed: dict[str, list[str]], unit: str) -> list[str]:
    return [f"{count} {unit} ({', '.join(names)})" for count, names in listed.items()]
