"""Step make_claims_table: what the study claims, tested as one family."""

import json
from pathlib import Path

from synthrank.errors import ConfigError
from synthrank.files import atomic_text
from synthrank.places import Places
from synthrank.specs.base import validate
from synthrank.specs.experiment import Claims, Intervals
from synthrank.tables.cells import read_cells
from synthrank.tables.claims import Row, claim_rows
from synthrank.tables.claims_markdown import as_markdown
from synthrank.tables.notes import with_notes
from synthrank.tables.tidy import write_rows


def make_claims_table(
    *,
    metrics: list[Path],
    answers: list[Path],
    selected: list[str],
    recipes: list[Path],
    testsets: list[Path],
    seen: list[str],
    claims: str,
    confidence: float,
    seed: int,
    scope: str,
    table: Path,
    markdown: Path,
    origins: list[str] | None = None,
) -> None:
    """Make the table, tidy as CSV and, for reading, as Markdown.

    Args:
        metrics: the scores of every run.
        answers: how many passages of each training set answer test queries, where any can.
        selected: sentences on the rankers whose settings were chosen.
        recipes: the entity files of the recipes that claims name.
        testsets: those of the test sets.
        origins: ``NAME=ORIGIN`` for each corpus that reads the data of another one; none by default.
        seen: RANKER=TESTSET where a ranker's pretrained model was trained on the test set's corpus.
        claims: the declaration, as JSON.
        confidence: of intervals.
        seed: of the permutations.
        scope: what chance is in the table, in words.
        table: written: the table.
        markdown: written: the same for reading.

    Raises:
        ConfigError: the declaration is not JSON, or not one.
        DataError: a system was not measured, or not with the same seeds and queries as what it is compared with.
    """
    declared = _read(claims)
    intervals = Intervals(confidence=confidence, seed=seed)
    places = Places(recipes, testsets, origins, seen)
    rows = claim_rows(read_cells(metrics, [declared.measure]), places, declared, intervals)
    write_rows(table, Row, rows)
    with atomic_text(markdown) as stream:
        stream.write(with_notes(as_markdown(rows, declared, intervals), answers, [scope, *selected]))


def _read(text: str) -> Claims:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"experiment: claims: not JSON ({error}); expected an object") from error
    declared: Claims = validate(Claims, value, "experiment: claims")
    return declared
