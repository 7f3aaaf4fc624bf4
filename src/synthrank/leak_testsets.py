"""What of test sets training must not hold: their queries, and the passages that were judged relevant to them."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.leaks import Text
from synthrank.records import Query
from synthrank.texts import known_texts
from synthrank.trec import answers


def read_testset(queries: Path, qrels: Path, passages: Path) -> list[Text]:
    """Return the queries and the relevant passages (grade 1 or above) of a test set.

    A relevant passage that the collection lacks has no text, and is not among them.

    Args:
        queries: its queries.
        qrels: its judgments.
        passages: the passages of its corpus.
    """
    text_of = known_texts(passages, answers([qrels]))
    asked = [Text(query.id, query.text, "query") for query in read_jsonl(queries, Query)]
    return [*asked, *(Text(name, text_of[name], "passage") for name in sorted(text_of))]


def read_testsets(
    names: Sequence[str], queries: Sequence[Path], qrels: Sequence[Path], passages: Sequence[Path]
) -> dict[str, list[Text]]:
    """Return the texts of each test set, by its name; files stand in the order of the names."""
    return {name: read_testset(*files) for name, *files in zip(names, queries, qrels, passages, strict=True)}
