"""Step count_answers: count the training passages that answer test queries, and the test queries in training."""

from pathlib import Path

from synthrank.data.files import read_jsonl, write_json
from synthrank.data.passage_texts import text_key
from synthrank.data.records import Query
from synthrank.data.trec import answers
from synthrank.errors import DataError
from synthrank.steps.validity.positives import read_positives


def count_answers(*, data: Path, testsets: list[str], queries: list[Path], qrels: list[Path], counts: Path) -> None:
    """Count the distinct positives of a training set that are relevant to a query of each test set.

    Passages are compared by id, so a rewritten passage counts like its original. Queries are compared by their words.
    A training query with the id and the words of a test query is an error.

    Args:
        data: the training set.
        testsets: names of the test sets on the same corpus.
        queries: per test set, its queries.
        qrels: per test set, its qrels.
        counts: the file to write: ``{"passages": distinct positives, "testsets": {NAME: number of positives that answer
            a query}, "queries": {NAME: number of its queries with the words of a training query}}``.

    Raises:
        DataError: the training set has no positive, or contains queries of a test set.
    """
    pairs = read_positives(data)
    trained = {pair.passage_id for pair in pairs}
    found = {name: len(trained & answers([path])) for name, path in zip(testsets, qrels, strict=True)}
    ids = {pair.query_id: text_key(pair.query) for pair in pairs}
    worded = set(ids.values())
    tested = {name: list(read_jsonl(path, Query)) for name, path in zip(testsets, queries, strict=True)}
    for name, of_testset in tested.items():
        same = [query.id for query in of_testset if ids.get(query.id) == text_key(query.text)]
        if same:
            raise DataError(
                f"{data}: contains {len(same)} of the {len(of_testset)} queries of test set {name!r}, the first "
                f"{same[0]!r}; use a test set on another split"
            )
    in_words = {
        name: sum(text_key(query.text) in worded for query in of_testset) for name, of_testset in tested.items()
    }
    write_json(counts, {"passages": len(trained), "testsets": found, "queries": in_words})
