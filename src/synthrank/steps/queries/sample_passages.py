"""Step sample_passages: sample the passages for which a model generates queries."""

import logging
from math import ceil
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, Doc2QueryQueries, LlmQueries
from synthrank.config.base import load
from synthrank.data.files import write_jsonl
from synthrank.data.held_out import read_allowed
from synthrank.data.records import Passage
from synthrank.data.sampling import sample

log = logging.getLogger(__name__)


def sample_passages(*, spec: Path, passages: Path, excluded: Path, sampled: Path) -> None:
    """Write the first passages of a seeded order, without passages relevant to a held-out query.

    Their number is ``count`` divided by ``per_passage``, rounded up, or all. The corpus is read once for all shards.

    Args:
        spec: the augmentation's entity file, of kind llm-query or doc2query.
        passages: the passages of the corpus.
        excluded: the passages that must stay out of training.
        sampled: written: the passages, in the seeded order.
    """
    settings: LlmQueries | Doc2QueryQueries = load(AugmentationSpec, spec)
    wanted = ceil(settings.count / settings.per_passage)
    found = write_jsonl(sampled, sample(read_allowed(passages, excluded), wanted, settings.seed, _get_id))
    log.info("%d of %d passages sampled", found, wanted)


def _get_id(passage: Passage) -> str:
    return passage.id
