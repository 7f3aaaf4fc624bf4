"""Step make_validity_table: describe training sets and their overlap with test sets."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthrank.config.base import NONE
from synthrank.data.paths import TRAINSET
from synthrank.steps.tables.labels import label_trainset
from synthrank.steps.tables.markdown import format_head, format_line, format_section, wrap_paragraphs
from synthrank.steps.tables.tidy_csv import write_table

FIRST = (
    "If training seeds have separate training sets, only the first seed's are measured; column draw of the CSV names "
    "this seed. The training sets of other seeds are drawn in the same way."
)
"""A sentence on the draws that are measured."""

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
"""The columns of the CSV by section, with their headings."""

MATCHED = frozenset(
    "queries words_mean query_overlap query_overlap_without_stop_words reading_grade segmental_type_token_ratio "
    "distinct_2 self_bleu mean_cosine effective_passages compression_ratio near_duplicates sample".split()
)
"""The columns to show for matched controls; the CSV has all."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A training set, or one side of a matched control. Undefined values are null.

    See :mod:`synthrank.steps.validity.measure_passages` and :mod:`synthrank.steps.validity.controls`. ``matching`` is
    ``none`` for the unchanged training set.
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
    """The number of a training set's texts of one type that occur in a test set, by one test."""

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
    """Make both tables as tidy CSV and as Markdown.

    Args:
        statistics: the statistics of each training set, in the order of the rows, in folders named after recipe and
            LLM.
        controls: the statistics of each training set's matched controls, in the same order.
        reference: the recipe of human passages whose lengths were matched; ``none`` without such a recipe.
        leaks: the overlap counts of each training set, in the same order.
        validity: written: the table of statistics.
        validity_markdown: written: its Markdown copy.
        table: written: the table of overlaps.
        markdown: written: its Markdown copy.
    """
    measured = [row for paths in zip(statistics, controls, strict=True) for row in _read_measured(*paths, reference)]
    leaked = [row for path in leaks for row in _read_leaked(path)]
    write_table(validity, validity_markdown, Measured, measured, _write_validity_page(measured))
    write_table(table, markdown, Leaked, leaked, _write_leaks_page(leaked))


def _read_measured(statistics: Path, controls: Path, reference: str) -> Iterator[Measured]:
    """Yield the row of a training set, then the rows of its controls.

    Args:
        statistics: the statistics of the training set.
        controls: the statistics of its controls.
        reference: the recipe of human passages whose lengths were matched.
    """
    recipe, llm, draw = _place(statistics)
    own = (recipe, llm, draw)
    yield _read_row(own, NONE, "", json.loads(statistics.read_text(encoding="utf-8")))
    for matching, sides in json.loads(controls.read_text(encoding="utf-8")).items():
        yield _read_row(own, matching, reference if "reference" in sides else "", sides["own"])
        if "reference" in sides:
            partner = label_trainset(recipe, llm)
            yield _read_row((reference, NONE, draw), matching, partner, sides["reference"])


def _read_row(place: tuple[str, str, int], matching: str, matched_with: str, found: dict[str, Any]) -> Measured:
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
    """Yield the rows of a file of overlap counts."""
    found = json.loads(path.read_text(encoding="utf-8"))
    compared: dict[str, int] = found["compared"]
    place = _place(path)
    for testset, by_kind in found["leaks"].items():
        for kind, by_what in by_kind.items():
            for what, count in by_what.items():
                yield Leaked(*place, testset, kind, what, count, compared[what])


def _place(path: Path) -> tuple[str, str, int]:
    """Return recipe, LLM and draw of a file in results/validity/trainsets/{recipe}/{llm}/draw-{draw}/."""
    names = TRAINSET.names(path.parent)
    return names["recipe"], names["llm"], int(names["draw"])


def _write_validity_page(rows: Sequence[Measured]) -> list[str]:
    """Return the lines of the Markdown copy of the table of statistics."""
    lines = ["# Training sets", "", *wrap_paragraphs(
        "Statistics of the positives of each training set; sets of only human passages come first. A difference "
        "between two sets here can be the cause of a difference in scores. Words are runs of letters and digits in "
        "lower case, not stemmed. Lengths and query overlaps are means over query-passage pairs, all other columns are "
        "over distinct passages.",
        FIRST,
        "Query overlap: share of the query's distinct words that the passage contains (Askari et al. 2023 report "
        "34.6 % for ChatGPT's answers, 25.5 % for human answers). Without stop words: without Lucene's 33 stop words. "
        "Type-token ratio: in segments of 50 words. Reading grade: Coleman-Liau. Refusals: share of passages that "
        "begin with a refusal or a comment on themselves. Compression: bytes divided by bytes after gzip. Near "
        "duplicates: share of passages that have 80 % of their 5-word shingles in common with another passage.",
        "Reading grade, distinct-n, self-BLEU, cosines and effective passages (Vendi score) are computed on a sample, "
        "because most of them depend on the number of passages. Compare only rows with the same sample size.",
    )]  # fmt: skip
    plain = [row for row in rows if row.matching == NONE]
    for title, columns in SECTIONS.items():
        shown = {name: columns[name] for name in columns if any(getattr(row, name) is not None for row in plain)}
        of_row = (format_line([label_trainset(row.recipe, row.llm), *_format_cells(row, shown)]) for row in plain)
        lines += format_section(title, ["training set"], list(shown.values()), of_row)
    return [*lines, *_describe_controls([row for row in rows if row.matching != NONE])]


def _describe_controls(rows: Sequence[Measured]) -> list[str]:
    """Return the section on matched controls, one row per control."""
    if not rows:
        return []
    columns = {name: columns[name] for columns in SECTIONS.values() for name in columns if name in MATCHED}
    return [
        "## Matched controls",
        "",
        *wrap_paragraphs(
            "Generated passages differ from human passages in length and in query overlap, and the statistics above "
            "depend on both. Each row measures a training set again after one of these differences is removed. "
            "Remaining differences between two training sets are therefore not caused by length, or by overlap.",
            "Matching `overlap`: each passage without the words of its query; Lucene's 33 stop words stay. Matching "
            "`length`: for each query that both training sets have, the longer passage is cut to the number of words "
            "of the shorter passage, so both sides have equally long passages. The next row has the human passages "
            "of this pair of training sets; they differ between pairs.",
        ),
        *format_head(["training set", "matching", "matched with"], list(columns.values())),
        *(
            format_line(
                [label_trainset(row.recipe, row.llm), row.matching, row.matched_with, *_format_cells(row, columns)]
            )
            for row in rows
        ),
        "",
    ]


def _format_cells(row: Measured, columns: Iterable[str]) -> list[str]:
    return [_format_cell(getattr(row, name)) for name in columns]


def _write_leaks_page(rows: Sequence[Leaked]) -> list[str]:
    """Return the lines of the Markdown copy of the overlaps: one per training set, test set and type of text."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    lines = ["# Train/test overlap", "", *wrap_paragraphs(
        "The number of training texts that also occur in a test set, and the number compared: the same words (exact), "
        "N consecutive words in common (N-gram), or nearly the same meaning (cosine of vectors). Rows of zeros are "
        "only in the CSV; leaks.jsonl of each training set lists every text. A passage of the corpus that answers a "
        "test query is an exact overlap, even if it was trained on with another query.",
        FIRST,
    ), *format_head(["training set", "test set", "text"], ["compared", *kinds])]  # fmt: skip
    cells: dict[tuple[str, ...], dict[str, int]] = {}
    for row in rows:
        key = label_trainset(row.recipe, row.llm), row.testset, row.what, f"{row.compared:,}"
        cells.setdefault(key, {})[row.kind] = row.count
    shown = {key: counts for key, counts in cells.items() if any(counts.values())}
    lines += [format_line([*key, *(f"{counts.get(kind, 0):,}" for kind in kinds)]) for key, counts in shown.items()]
    return [*lines, "", *([] if shown else ["No training text occurs in a test set.", ""])]


def _format_cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
