"""Step take_titles: use titles of passages as queries."""

import logging
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, TitleQueries
from synthrank.config.base import load
from synthrank.data.files import write_jsonl
from synthrank.data.held_out import read_allowed
from synthrank.data.records import Query
from synthrank.data.sampling import shuffle
from synthrank.data.words import count_words
from synthrank.errors import BudgetError

log = logging.getLogger(__name__)


def take_titles(*, spec: Path, passages: Path, excluded: Path, raw: Path) -> None:
    """Write each distinct title once, without titles of passages relevant to a held-out query.

    Args:
        spec: the augmentation's entity file, of kind title.
        passages: the passages of the corpus.
        excluded: the passages that must stay out of training.
        raw: written: the queries; ``source`` is the passage of a query.

    Raises:
        BudgetError: no title has ``min_words`` words.
    """
    settings: TitleQueries = load(AugmentationSpec, spec)
    found: dict[str, Query] = {}
    for passage in read_allowed(passages, excluded):
        title = " ".join(passage.title.split())
        if count_words(title) >= settings.min_words:
            found.setdefault(title.lower(), Query(f"{spec.stem}:{passage.id}", title, passage.id))
    if not found:
        raise BudgetError(f"{passages}: no title has {settings.min_words} words; lower min_words in {spec}")
    chosen = shuffle(found, settings.seed)[: settings.count]
    log.info("%d distinct titles, %d taken", len(found), len(chosen))
    write_jsonl(raw, (found[title] for title in chosen))
