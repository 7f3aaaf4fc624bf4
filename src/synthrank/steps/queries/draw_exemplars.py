"""Step draw_exemplars: draw the training pairs shown in prompts for queries."""

import logging
from pathlib import Path

from synthrank.config.augmentations import AugmentationSpec, LlmQueries
from synthrank.config.base import load
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.records import Query
from synthrank.data.trec import read_qrels
from synthrank.errors import BudgetError
from synthrank.llms.exemplars import pairs

log = logging.getLogger(__name__)


def draw_exemplars(*, spec: Path, passages: Path, queries: Path, qrels: Path, excluded: Path, exemplars: Path) -> None:
    """Draw one exemplar more than a prompt shows, as a substitute in the prompt of an exemplar's own passage.

    Passages relevant to a held-out query are not drawn.

    Args:
        spec: the augmentation's entity file, of kind llm-query, with exemplars.
        passages: the passages of the corpus.
        queries: the training queries.
        qrels: the training qrels.
        excluded: the passages that must stay out of training.
        exemplars: written: the exemplars, in a seeded order.

    Raises:
        BudgetError: the corpus has too few training pairs.
    """
    settings: LlmQueries = load(AugmentationSpec, spec)
    wanted, asked = (settings.exemplars or 0) + 1, list(read_jsonl(queries, Query))
    excluded_ids, words = read_excluded(excluded), settings.passage_words
    found = pairs(passages, asked, read_qrels(qrels), excluded_ids, count=wanted, seed=settings.seed, words=words)
    if len(found) < wanted:
        raise BudgetError(
            f"{passages}: {wanted} training pairs needed as exemplars, {len(found)} available; lower exemplars in "
            f"{spec}"
        )
    log.info("%d exemplars", len(found))
    write_jsonl(exemplars, found)
