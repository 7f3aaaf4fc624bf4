"""Scores of all runs by system, test set and measure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synthrank.config.base import NONE
from synthrank.data.scores import read_scores
from synthrank.errors import DataError
from synthrank.stats.bootstrap import Values

System = tuple[str, str, str]
"""Ranker, recipe, LLM."""


FUSED = "+first-stage"
"""Suffix of fused rankers in tables. It does not name the first stage, which may differ between test sets."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The values of a measure of a system on a test set, shape (seeds, queries).

    ``seeds`` contains the training seeds of the rows, and is empty if they are unknown. ``is_fixed`` is true for a
    system without training seeds, such as a first stage or an untrained ranker with a single run.
    """

    queries: tuple[str, ...]
    values: Values
    seeds: tuple[str, ...] = ()
    is_fixed: bool = False

    def by_seed(self, seeds: Sequence[str]) -> Values:
        """Return the values with their rows in another order of the seeds."""
        return self.values[[self.seeds.index(seed) for seed in seeds]]


Cells = dict[System, dict[tuple[str, str], Cell]]
"""Cells by system and (test set, measure), in the order of the files."""


def read_cells(metrics: Iterable[Path], measures: Collection[str]) -> Cells:
    """Read the scores of some measures by system; a missing score has no cell.

    Args:
        metrics: files of scores, which may contain other measures.
        measures: the measures to read.

    Raises:
        DataError: the seeds of a system scored different queries.
    """
    values: dict[System, dict[tuple[str, str], dict[str, dict[str, float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for item in (score for path in metrics for score in read_scores(path)):
        if item.measure in measures and item.value is not None:
            system = table_name_of(item.ranker), item.recipe, item.llm
            values[system][item.testset, item.measure][item.seed][item.query_id] = item.value
    return {
        system: {key: _make_cell(system, key, of_seed) for key, of_seed in of_system.items()}
        for system, of_system in values.items()
    }


def table_name_of(ranker: str) -> str:
    """Return the name of a ranker in tables; a fused ranker (``RANKER+RETRIEVER``) is named without its retriever."""
    name, is_fused, _ = ranker.partition("+")
    return name + FUSED if is_fused else ranker


def _make_cell(system: System, key: tuple[str, str], of_seed: dict[str, dict[str, float]]) -> Cell:
    queries = sorted(next(iter(of_seed.values())))
    if any(sorted(of_query) != queries for of_query in of_seed.values()):
        raise DataError(f"{'/'.join(system)} on {key[0]}: seeds scored different queries; remove results/metrics")
    values = np.array([[of_query[query] for query in queries] for of_query in of_seed.values()])
    return Cell(tuple(queries), values, tuple(of_seed), system[1] == NONE and len(of_seed) == 1)


def find_systems(cells: Cells, recipe: str, ranker: str | None = None, *, table: str) -> list[System]:
    """Return the systems of all LLMs that were trained on a recipe.

    Args:
        cells: the values of every system.
        recipe: the name of the recipe.
        ranker: the name of the ranker, by default all; a fused ranker is a different ranker.
        table: the name of the table, for the message of the error.

    Raises:
        DataError: no system was trained on the recipe.
    """
    found = [system for system in cells if system[1] == recipe and ranker in (None, system[0])]
    if not found:
        who = "a ranker" if ranker is None else f"ranker {ranker!r}"
        raise DataError(
            f"results/metrics: no scores of {who} trained on recipe {recipe!r}, which {table} compares; remove their "
            "files and run again"
        )
    return found


def pick_llm(systems: Sequence[System], llm: str) -> System:
    """Return the system of an LLM, or the first system if this LLM has no system."""
    return next((system for system in systems if system[2] == llm), systems[0])


def get_cell(cells: Cells, system: System, testset: str, measure: str) -> Cell:
    """Return a cell.

    Raises:
        DataError: the score of the system is missing.
    """
    try:
        return cells[system][testset, measure]
    except KeyError:
        name = "/".join(system)
        raise DataError(
            f"results/metrics: {measure} of {name} on {testset} is missing, and the table needs it; remove the file of "
            "the run's scores and run again"
        ) from None
