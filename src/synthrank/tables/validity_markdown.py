"""The tables of training sets and of leaks, for reading."""

from collections.abc import Iterable, Sequence

from synthrank.specs.base import NONE
from synthrank.tables.pipes import head, line, paragraphs
from synthrank.tables.validity_rows import Leaked, Measured

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
    {
        "queries",
        "words_mean",
        "query_overlap",
        "query_overlap_without_stop_words",
        "reading_grade",
        "segmental_type_token_ratio",
        "distinct_2",
        "self_bleu",
        "mean_cosine",
        "effective_passages",
        "compression_ratio",
        "near_duplicates",
        "sample",
    }
)
"""The columns that matched controls are shown with; the CSV has all."""


def validity_page(rows: Sequence[Measured]) -> str:
    """Return the Markdown twin of the table of statistics."""
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
        lines += [f"## {title}", "", *head(["recipe", "llm"], list(columns.values()))]
        lines += [line([row.recipe, row.llm, *_cells(row, columns)]) for row in plain]
        lines.append("")
    return "\n".join([*lines, *_controls([row for row in rows if row.matching != NONE])])


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


def leaks_page(rows: Sequence[Leaked]) -> str:
    """Return the Markdown twin of the table of leaks: one line a training set, test set and sort of text."""
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
    return "\n".join([*lines, "", *([] if shown else ["No training text leaks into any test set.", ""])])


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
