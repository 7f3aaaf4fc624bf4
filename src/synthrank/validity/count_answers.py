"""Step count_answers: how many of the passages that are trained on answer a test query."""

from pathlib import Path

from synthrank.files import write_json
from synthrank.trec import answers
from synthrank.validity.positives import read_positives


def count_answers(*, data: Path, testsets: list[str], qrels: list[Path], counts: Path) -> None:
    """Count the distinct positives of a training set that are judged relevant to a query of each test set.

    Ids are compared: another wording of a passage has the id of that passage, and counts as it does.

    Args:
        data: the training set.
        testsets: names of the test sets over the same collection.
        qrels: for each test set its judgments.
        counts: written: ``{"passages": distinct positives, "testsets": {NAME: how many of them answer}}``.

    Raises:
        DataError: the training set has no positive.
    """
    trained = {pair.passage_id for pair in read_positives(data)}
    found = {name: len(trained & answers([path])) for name, path in zip(testsets, qrels, strict=True)}
    write_json(counts, {"passages": len(trained), "testsets": found})
