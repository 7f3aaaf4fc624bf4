"""Step sample_passages: the passages that a model is to write queries for."""

import logging
from math import ceil
from pathlib import Path

from synthrank.files import write_jsonl
from synthrank.order import sample
from synthrank.queries.sources import allowed
from synthrank.records import Passage
from synthrank.specs.augmentations import AugmentationSpec, Doc2QueryQueries, LlmQueries
from synthrank.specs.base import load

log = logging.getLogger(__name__)


def sample_passages(*, spec: Path, passages: Path, held_out: list[Path], sampled: Path) -> None:
    """Take the first passages of a seeded order, none of which answers a query of a held-out split.

    They are as many as give ``count`` queries at ``per_passage`` each, or all. The corpus is read once, whatever the
    number of shards in which they are worked through.

    Args:
        spec: the augmentation's entity file, of kind llm-query or doc2query.
        passages: the passages of the corpus.
        held_out: qrels of the splits that training must not see.
        sampled: written: the passages, in the seeded order.
    """
    settings: LlmQueries | Doc2QueryQueries = load(AugmentationSpec, spec)
    wanted = ceil(settings.count / settings.per_passage)
    found = write_jsonl(sampled, sample(allowed(passages, held_out), wanted, settings.seed, _id))
    log.info("%d of %d passages sampled", found, wanted)


def _id(passage: Passage) -> str:
    return passage.id
