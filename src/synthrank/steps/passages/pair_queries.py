"""Step pair_queries: use passages of a corpus as the positives of queries made from them."""

import logging
from pathlib import Path

from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Query, WrittenPassage
from synthrank.errors import BudgetError, DataError

log = logging.getLogger(__name__)


def pair_queries(*, queries: Path, passages: Path, excluded: Path, positives: Path, counts: Path) -> None:
    """Pair each query with the passage that it was made from (Bonifacio et al. 2022; Dai et al. 2023).

    Passages that are relevant to a query of any held-out split are left out with their queries, and counted.

    Args:
        queries: the queries, after the filters of their augmentation.
        passages: the passages of the corpus.
        excluded: the passages that must stay out of training.
        positives: written: the positives, in the order of the queries.
        counts: written: the numbers of queries, of passages and of queries left out.

    Raises:
        BudgetError: no query is left.
        DataError: a query lacks its source passage.
    """
    asked = list(read_jsonl(queries, Query))
    for query in asked:
        if not query.source:
            raise DataError(f"{queries}: query {query.id}: source is empty; expected the id of its passage")
    excluded_ids = read_excluded(excluded)
    kept = [query for query in asked if query.source not in excluded_ids]
    if not kept:
        raise BudgetError(f"{queries}: every query's passage is relevant to a held-out query; no query is left")
    text_of = texts_of(passages, {query.source for query in kept})
    write_jsonl(positives, (WrittenPassage(item.source, text_of[item.source], item.id, item.text) for item in kept))
    log.info("%d query-passage pairs, %d passages", len(kept), len(text_of))
    write_json(counts, {"queries": len(asked), "passages": len(text_of), "held_out_answers": len(asked) - len(kept)})
