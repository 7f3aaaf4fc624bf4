"""The passages that queries may be made from."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from synthrank.files import read_jsonl
from synthrank.order import sample
from synthrank.records import Passage
from synthrank.trec import answers


def allowed(passages: Path, held_out: Iterable[Path]) -> Iterator[Passage]:
    """Yield the passages that have a text and answer no query of a held-out split.

    A query made from such an answer would be a training query for what the test asks.

    Args:
        passages: the passages of a corpus; read once, line by line.
        held_out: judgments of the splits that training must not see.
    """
    excluded = answers(held_out)
    return (item for item in read_jsonl(passages, Passage) if item.id not in excluded and item.text.strip())


def sampled(passages: Path, held_out: Iterable[Path], count: int, seed: int) -> list[Passage]:
    """Return the first ``count`` allowed passages of a seeded order."""
    return sample(allowed(passages, held_out), count, seed, _id)


def _id(passage: Passage) -> str:
    return passage.id
