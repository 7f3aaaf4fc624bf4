"""Step pair_queries: the passages of a corpus with the queries that were made from them, as positives."""

import logging
from pathlib import Path

from synthrank.errors import BudgetError, DataError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.records import Query, WrittenPassage
from synthrank.texts import texts_of

log = logging.getLogger(__name__)


def pair_queries(*, queries: Path, passages: Path, held_out: list[Path], positives: Path, counts: Path) -> None:
    """Pair each query with the passage that it was made from (Bonifacio et al. 2022; Dai et al. 2023).

    A passage that is judged relevant to a query of any held-out split is left out, with its queries, and counted.

    Args:
        queries: the queries, after the filters of their augmentation.
        passages: the passages of the corpus.
        held_out: qrels of the splits that training must not see.
        positives: written: the positives, in the order of the queries.
        counts: written: how many there are and how many were left out.

    Raises:
        BudgetError: none is left.
        DataError: a query does not say which passage it was made from.
    """
    asked = list(read_jsonl(queries, Query))
    for query in asked:
        if not query.source:
            raise DataError(f"{queries}: query {query.id}: source: is empty; name the passage that it was made from")
    excluded = excluded_passages(held_out)
    kept = [query for query in asked if query.source not in excluded]
    if not kept:
        raise BudgetError(f"{queries}: no query is of a passage that may train; nothing is left to train on")
    text_of = texts_of(passages, {query.source for query in kept})
    write_jsonl(positives, (WrittenPassage(item.source, text_of[item.source], item.id, item.text) for item in kept))
    log.info("%d pairs of a query and its passage, %d passages", len(kept), len(text_of))
    write_json(counts, {"queries": len(asked), "passages": len(text_of), "held_out_answers": len(asked) - len(kept)})
