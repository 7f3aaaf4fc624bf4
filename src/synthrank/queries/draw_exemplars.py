"""Step draw_exemplars: the training pairs that prompts for queries show."""

import logging
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.exemplars import pairs
from synthrank.files import read_jsonl, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.records import Query
from synthrank.specs.augmentations import AugmentationSpec, LlmQueries
from synthrank.specs.base import load
from synthrank.trec import read_qrels

log = logging.getLogger(__name__)


def draw_exemplars(
    *, spec: Path, passages: Path, queries: Path, qrels: Path, held_out: list[Path], exemplars: Path
) -> None:
    """Draw one exemplar more than a prompt shows, for the passage that would meet itself.

    None answers a query of a held-out split.

    Args:
        spec: the augmentation's entity file, of kind llm-query, which states exemplars.
        passages: the passages of the corpus.
        queries: the training queries.
        qrels: the training qrels.
        held_out: qrels of the splits that training must not see.
        exemplars: written: the exemplars, in a seeded order.

    Raises:
        BudgetError: the corpus has too few.
    """
    settings: LlmQueries = load(AugmentationSpec, spec)
    wanted, asked = (settings.exemplars or 0) + 1, list(read_jsonl(queries, Query))
    excluded, words = excluded_passages(held_out), settings.passage_words
    found = pairs(passages, asked, read_qrels(qrels), excluded, count=wanted, seed=settings.seed, words=words)
    if len(found) < wanted:
        raise BudgetError(
            f"{passages}: {len(found)} training pairs can serve as exemplars, {wanted} are needed; lower exemplars"
        )
    log.info("%d exemplars", len(found))
    write_jsonl(exemplars, found)
