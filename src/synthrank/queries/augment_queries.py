"""Step augment_queries: make queries from the passages of a corpus."""

import logging
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.order import seeded
from synthrank.records import Passage, Query
from synthrank.specs.augmentations import AugmentationSpec, TitleQueries
from synthrank.specs.base import load
from synthrank.trec import answers

log = logging.getLogger(__name__)


def augment_queries(*, spec: Path, passages: Path, held_out: list[Path], queries: Path) -> None:
    """Make queries from passages, never from one that answers a query of a held-out split.

    Args:
        spec: the augmentation's entity file.
        passages: the passages of the corpus.
        held_out: judgments of the splits that training must not see.
        queries: written: the queries; ``source`` is the passage each was made from.

    Raises:
        BudgetError: no passage has a title that serves.
    """
    settings: TitleQueries = load(AugmentationSpec, spec)
    excluded = answers(held_out)
    found: dict[str, Query] = {}
    for passage in read_jsonl(passages, Passage):
        title = " ".join(passage.title.split())
        if passage.id not in excluded and len(title.split()) >= settings.min_words:
            found.setdefault(title.lower(), Query(f"{spec.stem}:{passage.id}", title, passage.id))
    if not found:
        raise BudgetError(f"{passages}: no title has {settings.min_words} words; titles cannot serve as queries here")
    chosen = seeded(found, settings.seed)[: settings.count]
    log.info("%d distinct titles, %d taken", len(found), len(chosen))
    write_jsonl(queries, (found[title] for title in chosen))
