"""Step make_validity_table: what training sets are like, and what of them test sets hold too."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.specs.base import NONE
from synthrank.tables.pipes import head, line, paragraphs, section
from synthrank.tables.tidy import write_table

FIRST = (
    "Where training seeds have training sets of their own, these are the first seed's, which is the draw of the CSV; "
    "those of other seeds are drawn in the same way and are not measured."
)
"""Which of several draws are measured."""

SECTIONS = {
    "Size and form": {
        "queries": "queries",
        "passages": "passages",
        "passages_per_query": "per query",
        "words_mean": "words",
        "words_sd": "sd",
        "words_median": "median",
        "reading_grade": "reading grade",
        "language": "language",
        "language_share": "its share",
        "refusals": "refusals",
        "empty": "empty",
    },
    "Words": {
        "query_overlap": "query overlap",
        "query_overlap_without_stop_words": "without stop words",
        "segmental_type_token_ratio": "type-token ratio",
        "distinct_1": "distinct-1",
        "distinct_2": "distinct-2",
        "distinct_3": "distinct-3",
    },
    "Diversity": {
        "self_bleu": "self-BLEU",
        "mean_cosine": "mean cosine",
        "effective_passages": "effective passages",
        "compression_ratio": "compression",
        "near_duplicates": "near duplicates",
        "sample": "sample",
    },
}
"""The columns of the CSV by section, with the words at their heads."""

MATCHED = frozenset(
    "queries words_mean query_overlap query_overlap_without_stop_words reading_grade segmental_type_token_ratio "
    "distinct_2 self_bleu mean_cosine effective_passages compression_ratio near_duplicates sample".split()
)
"""The columns that matched controls are shown with; the CSV has all."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A training set, or one side of a matched control; what is not defined for it is null.

    See :mod:`synthrank.validity.measure_passages` and :mod:`synthrank.validity.controls`. ``matching`` is ``none`` for
    the training set as it is.
    """

    recipe: str
    llm: str
    draw: int
    matching: str
    matched_with: str
    queries: int
    pairs: int
    passages: int
    passages_per_query: float | None
    empty: int
    words_mean: float | None
    words_sd: float | None
    words_median: float | None
    query_overlap: float | None
    query_overlap_without_stop_words: float | None
    reading_grade: float | None
    segmental_type_token_ratio: float | None
    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    self_bleu: float | None
    mean_cosine: float | None
    effective_passages: float | None
    compression_ratio: float | None
    near_duplicates: float | None
    refusals: float | None
    language: str | None
    language_share: float | None
    sample: int


@dataclass(frozen=True, slots=True)
class Leaked:
    """How many of a training set's texts of one sort leak into a test set by one test, of how many compared."""

    recipe: str
    llm: str
    draw: int
    testset: str
    kind: str
    what: str
    count: int
    compared: int


def make_validity_table(
    *,
    statistics: list[Path],
    controls: list[Path],
    reference: str,
    leaks: list[Path],
    validity: Path,
    validity_markdown: Path,
    table: Path,
    markdown: Path,
) -> None:
    """Make both tables, tidy as CSV and, for reading, as Markdown.

    Args:
        statistics: of each training set, in the order of the rows; its folders' names are the LLM's and the recipe's.
        controls: of the matched controls of each, in the same order.
        reference: the recipe of human passages whose lengths were matched; ``none`` where there is none.
        leaks: the counts of leaks of each, in the same order.
        validity: written: the table of statistics.
        validity_markdown: written: the same for reading.
        table: written: the table of leaks.
        markdown: written: the same for reading.
    """
    measured = [row for paths in zip(statistics, controls, strict=True) for row in _read_measured(*paths, reference)]
    leaked = [row for path in leaks for row in _read_leaked(path)]
    write_table(validity, validity_markdown, Measured, measured, _validity_page(measured))
    write_table(table, markdown, Leaked, leaked, _leaks_page(leaked))


def _read_measured(statistics: Path, controls: Path, reference: str) -> Iterator[Measured]:
    """Yield the row of a training set, then those of its controls.

    Args:
        statistics: what was measured of it.
        controls: what was measured of its controls.
        reference: the recipe of human passages whose lengths were matched.
    """
    recipe, llm, draw = _place(statistics)
    own = (recipe, llm, draw)
    yield _measured(own, NONE, "", json.loads(statistics.read_text(encoding="utf-8")))
    for matching, sides in json.loads(controls.read_text(encoding="utf-8")).items():
        yield _measured(own, matching, reference if "reference" in sides else "", sides["own"])
        if "reference" in sides:
            partner = recipe if llm == NONE else f"{recipe} by {llm}"
            yield _measured((reference, NONE, draw), matching, partner, sides["reference"])


def _measured(place: tuple[str, str, int], matching: str, matched_with: str, found: dict[str, Any]) -> Measured:
    words, languages = found["words"], found["languages"]
    language = next(iter(languages), None)
    values: dict[str, Any] = {
        **found,
        **dict(zip(("recipe", "llm", "draw"), place, strict=True)),
        "matching": matching,
        "matched_with": matched_with,
        "words_mean": words["mean"],
        "words_sd": words["sd"],
        "words_median": words["median"],
        "query_overlap": found["query_overlap"]["mean"],
        "language": language,
        "language_share": languages[language] / sum(languages.values()) if language else None,
    }
    return Measured(**{name: values[name] for name in Measured.__slots__})


def _read_leaked(path: Path) -> Iterator[Leaked]:
    """Yield the rows of a file of counts of leaks."""
    found = json.loads(path.read_text(encoding="utf-8"))
    compared: dict[str, int] = found["compared"]
    place = _place(path)
    for testset, by_kind in found["leaks"].items():
        for kind, by_what in by_kind.items():
            for what, count in by_what.items():
                yield Leaked(*place, testset, kind, what, count, compared[what])


def _place(path: Path) -> tuple[str, str, int]:
    """Return the recipe, the LLM and the draw of results/validity/trainsets/{recipe}/{llm}/draw-{draw}/ and a file."""
    recipe, llm, draw = path.parts[-4:-1]
    return recipe, llm, int(draw.removeprefix("draw-"))


def _validity_page(rows: Sequence[Measured]) -> list[str]:
    """Return the lines of the table of statistics for reading."""
    lines = ["# Training sets", "", *paragraphs(
        "What the positives of each training set are like; sets of human passages alone come first. Two sets that "
        "differ here may differ in scores for this reason alone. Words are runs of letters and digits in lower case, "
        "not stemmed. Lengths and overlaps are of pairs of a query and a passage, all else of distinct passages.",
        FIRST,
        "Query overlap: share of the query's distinct words that the passage has (Askari et al. 2023 give 34.6 % for "
        "ChatGPT's answers, 25.5 % for human ones); without stop words: Lucene's 33 are left out. Type-token ratio: "
        "of segments of 50 words. Reading grade: Coleman-Liau. Refusals: passages that begin as a refusal or as talk "
        "about themselves. Compression: bytes over bytes after gzip. Near duplicates: share of passages that share "
        "80 % of their 5-word shingles with another.",
        "Reading grade, distinct-n, self-BLEU, cosines and effective passages (Vendi score) are of a sample, because "
        "most of them change with the number of passages: compare rows of one sample size.",
    )]  # fmt: skip
    plain = [row for row in rows if row.matching == NONE]
    for title, columns in SECTIONS.items():
        of_row = (line([row.recipe, row.llm, *_cells(row, columns)]) for row in plain)
        lines += section(title, ["recipe", "llm"], list(columns.values()), of_row)
    return [*lines, *_controls([row for row in rows if row.matching != NONE])]


def _controls(rows: Sequence[Measured]) -> list[str]:
    """Return the section on matched controls: one row a control."""
    if not rows:
        return []
    columns = {name: columns[name] for columns in SECTIONS.values() for name in columns if name in MATCHED}
    return [
        "## Matched controls",
        "",
        *paragraphs(
            "LLM-written passages differ from human ones in length and in how much of the query they repeat, and the "
            "measures above change with both. Each row measures a training set again after one of these differences "
            "is taken away: a difference between two training sets that is left is none of length, or of overlap.",
            "Matching `overlap`: each passage without the words of its query, Lucene's 33 stop words aside. Matching "
            "`length`: for each query that both training sets have, the longer passage ends where the shorter one "
            "does, so that both sides have the same words per passage; the row of the human passages stands below, "
            "and its numbers belong to that pair of training sets alone.",
        ),
        *head(["recipe", "llm", "matching", "matched with"], list(columns.values())),
        *(line([row.recipe, row.llm, row.matching, row.matched_with, *_cells(row, columns)]) for row in rows),
        "",
    ]


def _cells(row: Measured, columns: Iterable[str]) -> list[str]:
    return [_cell(getattr(row, name)) for name in columns]


def _leaks_page(rows: Sequence[Leaked]) -> list[str]:
    """Return the lines of the table of leaks for reading: one a training set, test set and sort of text."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    lines = ["# Leaks", "", *paragraphs(
        "How many training texts each test set holds too, of how many compared: the same words (exact), a run of N "
        "words in common (N-gram), or nearly the same meaning (cosine of vectors). The CSV has the zeros, too; "
        "leaks.jsonl of each training set lists every text. A passage of the corpus that answers a test query is an "
        "exact leak, also where it was trained on for another query.",
        FIRST,
    ), *head(["recipe", "llm", "test set", "what"], ["compared", *kinds])]  # fmt: skip
    cells: dict[tuple[str, ...], dict[str, int]] = {}
    for row in rows:
        key = row.recipe, row.llm, row.testset, row.what, f"{row.compared:,}"
        cells.setdefault(key, {})[row.kind] = row.count
    shown = {key: counts for key, counts in cells.items() if any(counts.values())}
    lines += [line([*key, *(f"{counts.get(kind, 0):,}" for kind in kinds)]) for key, counts in shown.items()]
    return [*lines, "", *([] if shown else ["No training text leaks into any test set.", ""])]


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
