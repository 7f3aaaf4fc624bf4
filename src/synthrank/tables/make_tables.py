"""Step make_tables: the in-distribution and the out-of-distribution table."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from synthrank.files import atomic_text
from synthrank.specs.base import NONE, load
from synthrank.specs.experiment import Intervals
from synthrank.specs.recipes import RecipeSpec
from synthrank.specs.testsets import TestsetSpec
from synthrank.tables.cells import Cells, read_cells
from synthrank.tables.markdown import as_markdown
from synthrank.tables.summary import Summary, summarise

MACRO = "macro-average"
"""The test set of a row that averages over all out-of-distribution test sets."""

COLUMNS = [
    "ranker", "recipe", "llm", "testset", "measure", "mean", "std", "ci_low", "ci_high", "seeds", "queries",
]  # fmt: skip


def make_tables(
    *,
    metrics: list[Path],
    recipes: list[Path],
    testsets: list[Path],
    measures: list[str],
    resamples: int,
    confidence: float,
    seed: int,
    id_table: Path,
    id_markdown: Path,
    ood_table: Path,
    ood_markdown: Path,
) -> None:
    """Make both tables, tidy as CSV and, for reading, as Markdown.

    A test set is out of distribution for a recipe when its corpus is not the recipe's. First stages and untrained
    models (recipe none) stand in a table for the test sets that any recipe has there.

    Args:
        metrics: the scores of every run.
        recipes: the recipes' entity files.
        testsets: the test sets' entity files.
        measures: what is shown of what was measured.
        resamples: of the bootstrap.
        confidence: of the interval.
        seed: of the bootstrap.
        id_table: written: the in-distribution table.
        id_markdown: written: the same for reading.
        ood_table: written: the out-of-distribution table.
        ood_markdown: written: the same for reading.
    """
    trained_on: dict[str, str] = {path.stem: load(RecipeSpec, path).corpus for path in recipes}
    corpus_of: dict[str, str] = {path.stem: load(TestsetSpec, path).corpus for path in testsets}
    cells = read_cells(metrics, measures)
    intervals = Intervals(resamples=resamples, confidence=confidence, seed=seed)
    for table, markdown, inside in ((id_table, id_markdown, True), (ood_table, ood_markdown, False)):
        shown = {
            recipe: [name for name, corpus in corpus_of.items() if (corpus == source) == inside]
            for recipe, source in trained_on.items()
        }
        shown[NONE] = [name for name in corpus_of if any(name in names for names in shown.values())]
        frame = pd.DataFrame(_rows(cells, shown, intervals, macro=not inside), columns=COLUMNS)
        with atomic_text(table) as stream:
            frame.to_csv(stream, index=False, float_format="%.4f", lineterminator="\n")
        with atomic_text(markdown) as stream:
            stream.write(as_markdown(frame, inside, intervals))


def _rows(cells: Cells, shown: Mapping[str, list[str]], intervals: Intervals, macro: bool) -> Iterator[list[object]]:
    for (ranker, recipe, llm), of_system in cells.items():
        names = shown.get(recipe, [])
        measures = list(dict.fromkeys(measure for _, measure in of_system))
        for measure in measures:
            arrays = {name: of_system[name, measure].values for name in names if (name, measure) in of_system}
            places = [(name, [values]) for name, values in arrays.items()]
            if macro and len(arrays) > 1:
                places.append((MACRO, list(arrays.values())))
            for name, group in places:
                yield [ranker, recipe, llm, name, measure, *_fields(summarise(group, intervals))]


def _fields(summary: Summary) -> list[object]:
    return [summary.mean, summary.std, summary.ci_low, summary.ci_high, summary.seeds, summary.queries]
