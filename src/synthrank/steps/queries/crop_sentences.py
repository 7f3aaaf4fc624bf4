"""Step crop_sentences: use sentences of passages as queries."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sentence_splitter import SentenceSplitter, SentenceSplitterException

from synthrank.config.augmentations import AugmentationSpec, CropQueries
from synthrank.config.base import load
from synthrank.data.files import write_jsonl
from synthrank.data.held_out import read_allowed
from synthrank.data.records import Query
from synthrank.data.sampling import sample
from synthrank.data.words import count_words
from synthrank.errors import BudgetError, ConfigError
from synthrank.runtime.progress import Progress

log = logging.getLogger(__name__)


class Sentence(NamedTuple):
    """A sentence of a passage, numbered from 1 among all its sentences, including excluded ones."""

    passage: str
    number: int
    text: str

    @property
    def name(self) -> str:
        """The key of the seeded order, equal in all augmentations, so that samples with the same seed are nested."""
        return f"{self.passage}:{self.number}"


def crop_sentences(*, spec: Path, passages: Path, excluded: Path, raw: Path) -> None:
    """Write a uniform sample of the sentences of all passages, except passages relevant to a held-out query.

    Sentences are split as in DRAGON, with the package sentence-splitter (Lin et al. 2023,
    https://arxiv.org/abs/2302.07452). The passages are read once, and memory holds only ``count`` sentences.

    Args:
        spec: the augmentation's entity file, of kind crop.
        passages: the passages of the corpus.
        excluded: the passages that must stay out of training.
        raw: written: the queries in the seeded order; ``source`` is the passage of a query.

    Raises:
        ConfigError: the package does not support the language.
        BudgetError: no sentence has an allowed length.
    """
    settings: CropQueries = load(AugmentationSpec, spec)
    try:
        splitter = SentenceSplitter(language=settings.language)
    except SentenceSplitterException as error:
        message = f"{spec}: language: got {settings.language!r}, which sentence-splitter does not support"
        raise ConfigError(message) from error
    with passages.open("rb") as stream:
        total = sum(1 for _ in stream)
    with Progress(total, "passages") as state:
        sentences = _split_sentences(settings, splitter, passages, excluded, state)
        chosen = sample(sentences, settings.count, settings.seed, lambda item: item.name)
    if not chosen:
        raise BudgetError(f"{passages}: no sentence has an allowed length; change min_words and max_words of {spec}")
    log.info("%d sentences taken", len(chosen))
    write_jsonl(raw, (Query(f"{spec.stem}:{item.name}", item.text, item.passage) for item in chosen))


def _split_sentences(
    settings: CropQueries, splitter: SentenceSplitter, passages: Path, excluded: Path, state: Progress
) -> Iterator[Sentence]:
    """Yield every sentence of an allowed length, with white space collapsed."""
    least, most = settings.min_words or 1, settings.max_words or float("inf")
    for passage in read_allowed(passages, excluded):
        for number, sentence in enumerate(splitter.split(passage.text), 1):
            words = sentence.split()
            if least <= count_words(sentence) <= most:
                yield Sentence(passage.id, number, " ".join(words))
        state.advance()
