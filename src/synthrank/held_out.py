"""Passages that no training data may hold: those that answer a query of a held-out split."""

from collections.abc import Iterable
from pathlib import Path

from synthrank.trec import answers


def excluded_passages(held_out: Iterable[Path]) -> set[str]:
    """Return every passage that is relevant to a held-out query: no positive, negative, candidate, exemplar or source.

    Args:
        held_out: the qrels of the splits that training must not see; none where the corpus lets their answers train.
    """
    return answers(held_out)
