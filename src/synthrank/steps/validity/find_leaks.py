"""Step find_leaks: find training queries, passages and exemplars that also occur in test sets."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.leaks import LeakTests, Where
from synthrank.config.retrievers import RetrieverSpec
from synthrank.contamination.finder import (
    OverlapFinder,
    OverlapText,
    Side,
    drop_repeated,
    kinds_of,
    read_testsets,
    read_vectors,
)
from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Exemplar
from synthrank.llms.exemplars import cut_words
from synthrank.retrievers.dense import open_encoder
from synthrank.runtime.progress import Progress
from synthrank.steps.validity.positives import read_pairs

log = logging.getLogger(__name__)

CHUNK = 4096
"""Training texts per comparison."""

SHOWN = 40
"""Words of a training text in the output."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A training text that overlaps with a test set by one test, and the first or nearest matching test text."""

    testset: str
    kind: str
    what: Where
    id: str
    text: str
    test_side: Side
    test_id: str
    evidence: str


def find_leaks(
    *,
    data: Path,
    exemplars: list[Path],
    testsets: list[str],
    queries: list[Path],
    qrels: list[Path],
    passages: list[Path],
    vectors: list[Path],
    retriever: list[Path],
    model: list[Path],
    tests: str,
    leaks: Path,
    counts: Path,
) -> None:
    """List every training text that overlaps with a test set, and count them by test set, test, and kind of text.

    Exact texts and n-grams are searched in a test set's queries and relevant passages. Near duplicates of queries are
    searched in its queries, and near duplicates of passages in its relevant passages. A training text counts once per
    test set and test. A passage that is a positive of any query does not count as a negative.

    Args:
        data: a training set's groups, or the passages of a paradigm.
        exemplars: the exemplars of each generated paradigm that has some.
        testsets: the names of the test sets.
        queries: the queries of each test set.
        qrels: the qrels of each test set.
        passages: the passages of the corpus of each test set.
        vectors: the vectors of each test set's texts, if the tests state a cosine.
        retriever: the dense retriever's entity file, if the tests state a cosine.
        model: the folder of its model.
        tests: the tests, as JSON of :class:`synthrank.config.leaks.LeakTests`.
        leaks: the overlapping texts to write.
        counts: the file to write: the numbers of overlapping and of compared texts.

    Raises:
        DataError: a line of a file is invalid, or vectors do not match the texts.
    """
    stated = LeakTests.model_validate_json(tests)
    held = read_testsets(testsets, queries, qrels, passages)
    trained = _read_training_texts(data, exemplars)
    encoder = tested = None
    if stated.cosine is not None:
        encoder = open_encoder(load(RetrieverSpec, retriever[0]), model[0])
        tested = {name: read_vectors(folder, held[name]) for name, folder in zip(testsets, vectors, strict=True)}
    finder = OverlapFinder(held, stated, encoder, tested)
    found: Counter[tuple[str, str, str]] = Counter()
    write_jsonl(leaks, _find_all(trained, finder, found))
    log.info("%d overlaps in %d texts", found.total(), sum(map(len, trained.values())))
    write_json(
        counts,
        {
            "compared": {what: len(texts) for what, texts in trained.items()},
            "testsets": {
                name: {side: sum(item.side == side for item in texts) for side in ("query", "passage")}
                for name, texts in held.items()
            },
            "leaks": {
                name: {kind: {what: found[name, kind, what] for what in trained} for kind in kinds_of(stated)}
                for name in testsets
            },
        },
    )


def _read_training_texts(data: Path, exemplars: Sequence[Path]) -> dict[Where, list[OverlapText]]:
    """Return the distinct training texts by kind."""
    pairs = list(read_pairs(data))
    positive = {(pair.passage_id, pair.passage) for pair in pairs if pair.positive}
    shown = [item for path in exemplars for item in read_jsonl(path, Exemplar)]
    queries = [OverlapText(item.query_id, item.query, "query") for item in shown if item.query]
    return {
        "query": drop_repeated(OverlapText(pair.query_id, pair.query, "query") for pair in pairs),
        "passage": drop_repeated(
            OverlapText(pair.passage_id, pair.passage, "passage") for pair in pairs if pair.positive
        ),
        "negative": drop_repeated(
            OverlapText(pair.passage_id, pair.passage, "passage")
            for pair in pairs
            if (pair.passage_id, pair.passage) not in positive
        ),
        "exemplar": drop_repeated([*queries, *(OverlapText(item.id, item.text, "passage") for item in shown)]),
    }


def _find_all(
    trained: Mapping[Where, Sequence[OverlapText]], finder: OverlapFinder, found: Counter[tuple[str, str, str]]
) -> Iterator[Leak]:
    with Progress(sum(map(len, trained.values())), "texts") as state:
        for what, texts in trained.items():
            for chunk in split_into_batches(texts, CHUNK):
                for item in finder.find(chunk):
                    own = chunk[item.place]
                    found[item.testset, item.kind, what] += 1
                    yield Leak(
                        item.testset,
                        item.kind,
                        what,
                        own.id,
                        cut_words(own.text, SHOWN),
                        item.test.side,
                        item.test.id,
                        item.evidence,
                    )
                state.advance(len(chunk))
