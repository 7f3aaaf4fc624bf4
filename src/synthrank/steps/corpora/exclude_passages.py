"""Step exclude_passages: list the passages that training must not use, because they answer a held-out query."""

import logging
from pathlib import Path

from synthrank.data.files import atomic_text
from synthrank.data.trec import answers

log = logging.getLogger(__name__)


def exclude_passages(*, qrels: list[Path], excluded: Path) -> None:
    """List every passage that is relevant to a query of a held-out split.

    Args:
        qrels: the qrels of the held-out splits; empty if the corpus has ``answers_may_train``.
        excluded: the file to write: one passage id per line, sorted.
    """
    names = sorted(answers(qrels))
    log.info("excluded %d passages from training", len(names))
    with atomic_text(excluded) as stream:
        stream.writelines(f"{name}\n" for name in names)
