"""Scores of all runs, arranged by system, test set and measure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthrank.errors import DataError
from synthrank.scores import read_scores
from synthrank.specs.base import NONE
from synthrank.tables.summary import Values

System = tuple[str, str, str]
"""Ranker, recipe, LLM."""


FUSED = "+first-stage"
"""How a table calls a ranker fused with its first stage, whichever that is on a test set: one system, one name."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One measure of one system on one test set: ``values`` of shape (seeds, queries), and whose they are.

    ``seeds`` names the training seeds in the order of the rows; empty where it is not known which they are.
    ``is_fixed`` says that no seed moves the system, a first stage or an untrained ranker that was measured once.
    """

    queries: tuple[str, ...]
    values: Values
    seeds: tuple[str, ...] = ()
    is_fixed: bool = False

    def by_seed(self, seeds: Sequence[str]) -> Values:
        """Return the values with their rows in another order of the seeds."""
        return self.values[[self.seeds.index(seed) for seed in seeds]]


Cells = dict[System, dict[tuple[str, str], Cell]]
"""Per system, per (test set, measure), its values; everything in the order of the files."""


def read_cells(metrics: Iterable[Path], measures: Collection[str]) -> Cells:
    """Arrange the scores of some measures by system; what was not measured has no cell.

    Args:
        metrics: files of scores, which may hold other measures too.
        measures: what is read.

    Raises:
        DataError: the seeds of a system scored different queries.
    """
    values: dict[System, dict[tuple[str, str], dict[str, dict[str, float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for item in (score for path in metrics for score in read_scores(path)):
        if item.measure in measures and item.value is not None:
            system = named(item.ranker), item.recipe, item.llm
            values[system][item.testset, item.measure][item.seed][item.query_id] = item.value
    return {
        system: {key: _cell(system, key, of_seed) for key, of_seed in of_system.items()}
        for system, of_system in values.items()
    }


def named(ranker: str) -> str:
    """Return what tables call the ranker of a score: of a fused one (``RANKER+RETRIEVER``) not by its retriever."""
    alone, is_fused, _ = ranker.partition("+")
    return alone + FUSED if is_fused else ranker


def _cell(system: System, key: tuple[str, str], of_seed: dict[str, dict[str, float]]) -> Cell:
    queries = sorted(next(iter(of_seed.values())))
    if any(sorted(of_query) != queries for of_query in of_seed.values()):
        raise DataError(f"{'/'.join(system)} on {key[0]}: seeds scored different queries; remove results/metrics")
    values = np.array([[of_query[query] for query in queries] for of_query in of_seed.values()])
    return Cell(tuple(queries), values, tuple(of_seed), system[1] == NONE and len(of_seed) == 1)


def systems_of(cells: Cells, recipe: str, ranker: str | None = None, *, table: str) -> list[System]:
    """Return the systems that were trained on a recipe by every LLM: those of one ranker, or of all.

    Args:
        cells: the values of every system.
        recipe: its name.
        ranker: the ranker's; a fused one is another ranker.
        table: what compares them, for the error.

    Raises:
        DataError: there is none.
    """
    found = [system for system in cells if system[1] == recipe and ranker in (None, system[0])]
    if not found:
        who = "a ranker" if ranker is None else f"ranker {ranker!r}"
        raise DataError(
            f"results/metrics: no scores of {who} trained on recipe {recipe!r}, which {table} compares; remove their "
            "files and run again"
        )
    return found


def of_llm(systems: Sequence[System], llm: str) -> System:
    """Return the system of an LLM, or the first if that LLM made none."""
    return next((system for system in systems if system[2] == llm), systems[0])


def cell_of(cells: Cells, system: System, testset: str, measure: str) -> Cell:
    """Return one cell.

    Raises:
        DataError: the system was not measured so.
    """
    try:
        return cells[system][testset, measure]
    except KeyError:
        name = "/".join(system)
        raise DataError(
            f"results/metrics: {measure} of {name} on {testset} is missing, and the table needs it; remove the file "
            "that should hold it and run again"
        ) from None
