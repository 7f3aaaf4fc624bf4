"""Step count_answers: how much of what is trained on is a test query, or answers one."""

from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import read_jsonl, write_json
from synthrank.records import Query
from synthrank.texts import text_key
from synthrank.trec import answers
from synthrank.validity.positives import read_positives


def count_answers(*, data: Path, testsets: list[str], queries: list[Path], qrels: list[Path], counts: Path) -> None:
    """Count the distinct positives of a training set that are judged relevant to a query of each test set.

    Ids are compared: another wording of a passage has the id of that passage, and counts as it does. Queries of a test
    set that are trained on are counted by their words; one with the same id too is the same query, and refused.

    Args:
        data: the training set.
        testsets: names of the test sets over the same collection.
        queries: for each test set its queries.
        qrels: for each test set its qrels.
        counts: written: ``{"passages": distinct positives, "testsets": {NAME: how many of them answer},
            "queries": {NAME: how many of its queries are trained on in the same words}}``.

    Raises:
        DataError: the training set has no positive, or trains on queries of a test set.
    """
    pairs = read_positives(data)
    trained = {pair.passage_id for pair in pairs}
    found = {name: len(trained & answers([path])) for name, path in zip(testsets, qrels, strict=True)}
    ids = {pair.query_id: text_key(pair.query) for pair in pairs}
    worded = set(ids.values())
    asked = {name: list(read_jsonl(path, Query)) for name, path in zip(testsets, queries, strict=True)}
    for name, of_testset in asked.items():
        same = [query.id for query in of_testset if ids.get(query.id) == text_key(query.text)]
        if same:
            raise DataError(
                f"{data}: trains on {len(same)} of the {len(of_testset)} queries of test set {name!r}, the first "
                f"{same[0]!r}; test on a split that does not train"
            )
    in_words = {name: sum(text_key(query.text) in worded for query in of_testset) for name, of_testset in asked.items()}
    write_json(counts, {"passages": len(trained), "testsets": found, "queries": in_words})
