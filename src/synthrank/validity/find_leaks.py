"""Step find_leaks: what of the training queries, passages and exemplars the test sets hold too."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthrank.exemplars import cut
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.leaks import LeakFinder, Side, Text, distinct, kinds_of, read_testsets
from synthrank.progress import Progress
from synthrank.records import Exemplar
from synthrank.retrievers.dense import open_encoder
from synthrank.specs.base import load
from synthrank.specs.leaks import LeakTests, Where
from synthrank.specs.retrievers import RetrieverSpec
from synthrank.texts import chunks
from synthrank.validity.positives import read_pairs

log = logging.getLogger(__name__)

CHUNK = 4096
"""Training texts that are compared at once."""

SHOWN = 40
"""Words of a training text that are shown."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A training text that a test set holds too, by one test; the first, or nearest, test text that shows it."""

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
    retriever: list[Path],
    model: list[Path],
    tests: str,
    leaks: Path,
    counts: Path,
) -> None:
    """List every training text that leaks into a test set, and count them by test set, kind of test, and what leaks.

    Exact texts and runs of words are looked for among a test set's queries and relevant passages, near duplicates
    among queries for queries and among relevant passages for passages. A training text is counted once for each test
    set and test; a passage that is a positive anywhere is not counted among the negatives.

    Args:
        data: a training set's groups, or written passages.
        exemplars: what the prompts showed, for each generated paradigm with exemplars.
        testsets: the names of the test sets.
        queries: the queries of each.
        qrels: the qrels of each.
        passages: the passages of the corpus of each.
        retriever: the dense retriever's entity file, where the tests state a cosine.
        model: the folder of its model.
        tests: the tests, as JSON of :class:`synthrank.specs.leaks.LeakTests`.
        leaks: written: the leaks.
        counts: written: how many there are, and how many texts were compared.

    Raises:
        DataError: a line of a file is not what is expected.
    """
    stated = LeakTests.model_validate_json(tests)
    held = read_testsets(testsets, queries, qrels, passages)
    trained = _trained(data, exemplars)
    encoder = open_encoder(load(RetrieverSpec, retriever[0]), model[0]) if stated.cosine is not None else None
    finder = LeakFinder(held, stated, encoder)
    found: Counter[tuple[str, str, str]] = Counter()
    write_jsonl(leaks, _leaks(trained, finder, found))
    log.info("%d leaks of %d texts", found.total(), sum(map(len, trained.values())))
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


def _trained(data: Path, exemplars: Sequence[Path]) -> dict[Where, list[Text]]:
    """Return the distinct training texts by what they are."""
    pairs = list(read_pairs(data))
    positive = {pair.passage_id for pair in pairs if pair.positive}
    shown = [item for path in exemplars for item in read_jsonl(path, Exemplar)]
    asked = [Text(item.query_id, item.query, "query") for item in shown if item.query]
    return {
        "query": distinct(Text(pair.query_id, pair.query, "query") for pair in pairs),
        "passage": distinct(Text(pair.passage_id, pair.passage, "passage") for pair in pairs if pair.positive),
        "negative": distinct(
            Text(pair.passage_id, pair.passage, "passage") for pair in pairs if pair.passage_id not in positive
        ),
        "exemplar": distinct([*asked, *(Text(item.id, item.text, "passage") for item in shown)]),
    }


def _leaks(
    trained: Mapping[Where, Sequence[Text]], finder: LeakFinder, found: Counter[tuple[str, str, str]]
) -> Iterator[Leak]:
    with Progress(sum(map(len, trained.values())), "texts") as state:
        for what, texts in trained.items():
            for chunk in chunks(texts, CHUNK):
                for item in finder.find(chunk):
                    own = chunk[item.place]
                    found[item.testset, item.kind, what] += 1
                    yield Leak(
                        item.testset,
                        item.kind,
                        what,
                        own.id,
                        cut(own.text, SHOWN),
                        item.test.side,
                        item.test.id,
                        item.evidence,
                    )
                state.advance(len(chunk))
