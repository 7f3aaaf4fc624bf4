"""Step build_queries: write the queries and qrels of a split."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.corpora import TRAIN, CorpusSpec, SplitCount
from synthrank.data.checks import check_count, check_id
from synthrank.data.files import write_jsonl
from synthrank.data.passage_texts import find_absent
from synthrank.data.records import Judgment, Query
from synthrank.data.sampling import shuffle
from synthrank.data.sources import Source, open_source
from synthrank.data.trec import write_qrels
from synthrank.data.words import is_visible
from synthrank.errors import DataError


def build_queries(
    *, spec: Path, split: str, passages: Path, queries: Path, qrels: Path, archives: Path | None = None
) -> None:
    """Write the judged queries of a split as JSON lines, and its judgments as four-column TREC qrels.

    Args:
        spec: the corpus entity.
        split: the split's name in the entity.
        passages: the passages that ``build_passages`` wrote; memory holds only the judged ids.
        queries: the queries to write: only queries with a judgment in the split.
        qrels: the qrels to write.
        archives: the unpacked documentation, for a ``faq`` corpus.

    Raises:
        DataError: no passage is judged relevant, a query is empty or repeated, a judgment is repeated or names an
            unknown query, or the entity states other counts, including the count of judged passages that are absent.
    """
    corpus: CorpusSpec = load(CorpusSpec, spec)
    source = open_source(corpus, spec, archives)
    all_queries, judgments = source.queries(split)
    where = f"{spec}, split {split}"
    if not any(judgment.grade > 0 for judgment in judgments):
        raise DataError(
            f"{where}: none of {len(judgments)} judgments has a positive grade; fix the qrels or remove the split"
        )
    _check_queries(all_queries, str(spec))
    _check_judgments(judgments, {query.id for query in all_queries}, where)
    stated = corpus.counts.splits.get(split)
    _check_passages(judgments, passages, source, where, stated or SplitCount())
    judged = {judgment.query_id for judgment in judgments}
    if split == TRAIN and corpus.train_queries:
        judged = set(shuffle(judged, corpus.train_seed)[: corpus.train_queries])
        judgments = [judgment for judgment in judgments if judgment.query_id in judged]
    kept = [Query(query.id, " ".join(query.text.split())) for query in all_queries if query.id in judged]
    check_count("queries with a judgment", len(kept), stated.queries if stated else None, where)
    check_count("judgments", len(judgments), stated.judgments if stated else None, where)
    write_jsonl(queries, kept)
    write_qrels(qrels, judgments)


def _check_queries(queries: Iterable[Query], where: str) -> None:
    seen: set[str] = set()
    for query in queries:
        check_id("query", query.id, seen, where)
        seen.add(query.id)
        if not is_visible(query.text):
            raise DataError(f"{where}: query {query.id} has no text")


def _check_judgments(judgments: Iterable[Judgment], queries: set[str], where: str) -> None:
    pairs: set[tuple[str, str]] = set()
    unknown = []
    for item in judgments:
        if (item.query_id, item.passage_id) in pairs:
            raise DataError(
                f"{where}: passage {item.passage_id} is judged twice for query {item.query_id}; remove one judgment"
            )
        pairs.add((item.query_id, item.passage_id))
        if item.query_id not in queries:
            unknown.append(item.query_id)
    if unknown:
        raise DataError(
            f"{where}: {len(unknown)} judgments name unknown queries, the first {unknown[0]!r}; add these queries"
        )


def _check_passages(
    judgments: Sequence[Judgment], passages: Path, source: Source, where: str, stated: SplitCount
) -> None:
    """Check that the numbers of absent judged passages and of empty relevant passages are the stated ones."""
    missing = find_absent(passages, (item.passage_id for item in judgments))
    # build_passages leaves out empty passages: read the source again to distinguish them from absent ones
    empty = {row.id for row in source.passages() if row.id in missing} if missing else set()
    unknown = [item.passage_id for item in judgments if item.passage_id in missing - empty]
    if len(unknown) != stated.absent:
        raise DataError(
            f"{where}: {len(unknown)} judgments name passages that are not in {passages}{_quote(unknown)}; fix the "
            f"corpus, or state absent: {len(unknown)} if the corpus contains only part of the judged passages"
        )
    relevant = [item.passage_id for item in judgments if item.passage_id in empty and item.grade > 0]
    if len(relevant) != stated.empty_relevant:
        raise DataError(
            f"{where}: {len(relevant)} relevant passages have no text and no title{_quote(relevant)}; fix the corpus, "
            f"or state empty_relevant: {len(relevant)} if this is intended"
        )


def _quote(names: Sequence[str]) -> str:
    return f", the first {names[0]!r}" if names else ""
