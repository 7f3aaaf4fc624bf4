"""How much each training set had to train with: said under a table where it is not equal."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

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
        recipe, llm, _ = path.parts[-4:-1]
        pairs[recipe if llm == "none" else f"{recipe} by {llm}"].append(_groups(path))
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


def _groups(path: Path) -> int:
    """Return how many training groups a training set has: of pairs, as many as positives."""
    found = json.loads(path.read_text(encoding="utf-8"))
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
