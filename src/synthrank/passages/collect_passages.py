"""Step collect_passages: the human passages of the training queries, as positives."""

import logging
from pathlib import Path

from synthrank.errors import BudgetError
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.held_out import excluded_passages
from synthrank.records import Query, WrittenPassage
from synthrank.texts import texts_of
from synthrank.trec import best_first, read_qrels

log = logging.getLogger(__name__)


def collect_passages(
    *, passages: Path, queries: Path, qrels: Path, held_out: list[Path], positives: Path, counts: Path
) -> None:
    """Collect every passage judged relevant to a training query, best grade first.

    A passage that is judged relevant to a query of any held-out split is left out, and counted: it would show the
    ranker an answer of the test.

    Args:
        passages: the passages of the corpus.
        queries: the training queries.
        qrels: the training qrels.
        held_out: qrels of the splits that training must not see.
        positives: written: the positives.
        counts: written: how many there are and how many were left out.

    Raises:
        BudgetError: none is left.
    """
    judged = {query: best_first(grades) for query, grades in read_qrels(qrels).items()}
    excluded = excluded_passages(held_out)
    wanted = {name for grades in judged.values() for name, _ in grades} - excluded
    text_of = texts_of(passages, wanted)
    found = [
        WrittenPassage(name, text_of[name], query.id, query.text, grade)
        for query in read_jsonl(queries, Query)
        for name, grade in judged.get(query.id, [])
        if name in text_of
    ]
    if not found:
        raise BudgetError(f"{qrels}: every relevant passage answers a held-out query too; nothing is left to train on")
    left_out = sum(name in excluded for grades in judged.values() for name, _ in grades)
    served = len({item.query_id for item in found})
    log.info("%d positives for %d queries; %d left out as answers of a held-out split", len(found), served, left_out)
    write_jsonl(positives, found)
    write_json(
        counts,
        {"queries": len(judged), "passages": len(found), "queries_served": served, "held_out_answers": left_out},
    )
