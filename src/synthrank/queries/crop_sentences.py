"""Step crop_sentences: sentences of passages as queries."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sentence_splitter import SentenceSplitter, SentenceSplitterException

from synthrank.errors import BudgetError, ConfigError
from synthrank.files import write_jsonl
from synthrank.order import sample
from synthrank.progress import Progress
from synthrank.queries.sources import allowed
from synthrank.records import Query
from synthrank.specs.augmentations import AugmentationSpec, CropQueries
from synthrank.specs.base import load

log = logging.getLogger(__name__)


class Sentence(NamedTuple):
    """A sentence of a passage, numbered from 1 with all sentences counted, also those that are left out."""

    passage: str
    number: int
    text: str

    @property
    def name(self) -> str:
        """What fixes its place in the order: the same in every augmentation with one seed, so that they nest."""
        return f"{self.passage}:{self.number}"


def crop_sentences(*, spec: Path, passages: Path, held_out: list[Path], raw: Path) -> None:
    """Take a uniform sample of all sentences of all passages, but those that answer a query of a held-out split.

    Sentences are parted as DRAGON's were, by the package sentence-splitter (Lin et al. 2023,
    https://arxiv.org/abs/2302.07452). The passages are read once, and only ``count`` sentences are held.

    Args:
        spec: the augmentation's entity file, of kind crop.
        passages: the passages of the corpus.
        held_out: qrels of the splits that training must not see.
        raw: written: the queries in the seeded order; ``source`` is the passage each was made from.

    Raises:
        ConfigError: the language is not one of the package's.
        BudgetError: no sentence has an allowed length.
    """
    settings: CropQueries = load(AugmentationSpec, spec)
    try:
        splitter = SentenceSplitter(language=settings.language)
    except SentenceSplitterException as error:
        message = f"{spec}: language: got {settings.language!r}; sentence-splitter has no such rules"
        raise ConfigError(message) from error
    with passages.open("rb") as stream:
        total = sum(1 for _ in stream)
    with Progress(total, "passages") as state:
        sentences = _sentences(settings, splitter, passages, held_out, state)
        chosen = sample(sentences, settings.count, settings.seed, lambda item: item.name)
    if not chosen:
        raise BudgetError(f"{passages}: no sentence has an allowed length; change min_words and max_words of {spec}")
    log.info("%d sentences taken", len(chosen))
    write_jsonl(raw, (Query(f"{spec.stem}:{item.name}", item.text, item.passage) for item in chosen))


def _sentences(
    settings: CropQueries, splitter: SentenceSplitter, passages: Path, held_out: list[Path], state: Progress
) -> Iterator[Sentence]:
    """Yield every sentence of an allowed length, with white space as single spaces."""
    least, most = settings.min_words or 1, settings.max_words or float("inf")
    for passage in allowed(passages, held_out):
        for number, sentence in enumerate(splitter.split(passage.text), 1):
            words = sentence.split()
            if least <= len(words) <= most:
                yield Sentence(passage.id, number, " ".join(words))
        state.advance()
