"""How much each training set had to train with, said under a table where it is not equal, and what filters dropped."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from synthrank.specs.base import load
from synthrank.specs.rankers import RankerSpec


def unequal_budgets(trainsets: Sequence[Path], rankers: Sequence[Path]) -> list[str]:
    """Return a sentence on pairs and one on updates where those of a table's training sets differ; else nothing.

    Args:
        trainsets: results/trainsets/{recipe}/{llm}/draw-{draw}/stats.json of every training set, and of every draw.
        rankers: the entity files of the rankers that are trained on each of them.
    """
    pairs: dict[str, list[int]] = defaultdict(list)
    for path in trainsets:
        pairs[_name(path)].append(_groups(path))
    said = _listed((_range(counts), name) for name, counts in pairs.items())
    lines = [] if len(said) < 2 else [f"Training sets differ in size: {'; '.join(_each(said, 'pairs'))}."]
    updates = []
    for path in rankers:
        optimiser = load(RankerSpec, path).optimiser
        of_ranker = _listed((_range(map(optimiser.updates, counts)), name) for name, counts in pairs.items())
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
        parts = [part for part in _counts(path).values() if isinstance(part, dict) and "filter_pairs" in part]
        if parts:
            dropped[_name(path)].append(sum(part["filter_dropped"] for part in parts))
            pairs[_name(path)].append(sum(part["filter_pairs"] for part in parts))
    cases = [f"{_range(dropped[name])} of {_range(pairs[name])} ({name})" for name in dropped]
    if not cases:
        return []
    return [
        f"Filters dropped pairs of a query and a passage, for which further queries were taken: {'; '.join(cases)}."
    ]


def _name(path: Path) -> str:
    recipe, llm, _ = path.parts[-4:-1]
    return recipe if llm == "none" else f"{recipe} by {llm}"


def _counts(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _groups(path: Path) -> int:
    """Return how many training groups a training set has: of pairs, as many as positives."""
    found = _counts(path)
    return int(found["groups"]) if "groups" in found else sum(part["groups"] for part in found.values())


def _range(counts: Iterable[int]) -> str:
    """Return a count, or the lowest and the highest where draws differ."""
    found = sorted(set(counts))
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _listed(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for count, name in items:
        found.setdefault(count, []).append(name)
    return found


def _each(listed: dict[str, list[str]], unit: str) -> list[str]:
    return [f"{count} {unit} ({', '.join(names)})" for count, names in listed.items()]
