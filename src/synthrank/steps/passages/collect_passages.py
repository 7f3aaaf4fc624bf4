"""Step collect_passages: the human passages of the training queries, as positives."""

import logging
from pathlib import Path

from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.held_out import read_excluded
from synthrank.data.passage_texts import texts_of
from synthrank.data.records import Query, WrittenPassage
from synthrank.data.trec import best_first, read_qrels
from synthrank.errors import BudgetError

log = logging.getLogger(__name__)


def collect_passages(
    *, passages: Path, queries: Path, qrels: Path, excluded: Path, positives: Path, counts: Path
) -> None:
    """Collect every passage judged relevant to a training query, best grade first.

    Passages that are relevant to a query of any held-out split are left out and counted, because they would overlap
    with the test set.

    Args:
        passages: the passages of the corpus.
        queries: the training queries.
        qrels: the training qrels.
        excluded: the passages that must stay out of training.
        positives: written: the positives.
        counts: written: the numbers of queries, of positives and of passages left out.

    Raises:
        BudgetError: no passage is left.
    """
    judged = {query: best_first(grades) for query, grades in read_qrels(qrels).items()}
    excluded_ids = read_excluded(excluded)
    wanted = {name for grades in judged.values() for name, _ in grades} - excluded_ids
    text_of = texts_of(passages, wanted)
    found = [
        WrittenPassage(name, text_of[name], query.id, query.text, grade)
        for query in read_jsonl(queries, Query)
        for name, grade in judged.get(query.id, [])
        if name in text_of
    ]
    if not found:
        raise BudgetError(
            f"{qrels}: every relevant passage is also relevant to a held-out query, so no passage may train; set "
            "answers_may_train: true in the corpus's file to allow them"
        )
    left_out = sum(name in excluded_ids for grades in judged.values() for name, _ in grades)
    served = len({item.query_id for item in found})
    log.info("%d positives for %d queries; left out %d relevant to held-out queries", len(found), served, left_out)
    write_jsonl(positives, found)
    write_json(
        counts,
        {"queries": len(judged), "passages": len(found), "queries_served": served, "held_out_answers": left_out},
    )
