"""Step take_titles: titles of passages as queries."""

import logging
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import write_jsonl
from synthrank.order import seeded
from synthrank.queries.sources import allowed
from synthrank.records import Query
from synthrank.specs.augmentations import AugmentationSpec, TitleQueries
from synthrank.specs.base import load

log = logging.getLogger(__name__)


def take_titles(*, spec: Path, passages: Path, held_out: list[Path], raw: Path) -> None:
    """Take each distinct title once, never from a passage that answers a query of a held-out split.

    Args:
        spec: the augmentation's entity file, of kind title.
        passages: the passages of the corpus.
        held_out: qrels of the splits that training must not see.
        raw: written: the queries; ``source`` is the passage each was made from.

    Raises:
        BudgetError: no passage has a title that serves.
    """
    settings: TitleQueries = load(AugmentationSpec, spec)
    found: dict[str, Query] = {}
    for passage in allowed(passages, held_out):
        title = " ".join(passage.title.split())
        if len(title.split()) >= settings.min_words:
            found.setdefault(title.lower(), Query(f"{spec.stem}:{passage.id}", title, passage.id))
    if not found:
        raise BudgetError(f"{passages}: no title has {settings.min_words} words; titles cannot serve as queries here")
    chosen = seeded(found, settings.seed)[: settings.count]
    log.info("%d distinct titles, %d taken", len(found), len(chosen))
    write_jsonl(raw, (found[title] for title in chosen))
