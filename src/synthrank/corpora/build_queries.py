"""Write the queries and qrels of one split of a corpus."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from synthrank.corpora.checks import check_count, check_id
from synthrank.errors import DataError
from synthrank.files import write_jsonl
from synthrank.order import seeded
from synthrank.records import Judgment, Query
from synthrank.sources import Source, open_source
from synthrank.specs.base import load
from synthrank.specs.corpora import TRAIN, CorpusSpec, SplitCount
from synthrank.texts import absent
from synthrank.trec import write_qrels


def build_queries(
    *, spec: Path, split: str, passages: Path, queries: Path, qrels: Path, archives: Path | None = None
) -> None:
    """Write the judged queries of a split as JSON lines, and its judgments as four-column TREC qrels.

    Args:
        spec: the corpus entity.
        split: the split's name in the entity.
        passages: the passages that ``build_passages`` wrote; only ids that judgments name are held.
        queries: the queries to write, those with at least one judgment in the split.
        qrels: the qrels to write.
        archives: the unpacked documentation, for a ``faq`` corpus.

    Raises:
        DataError: no passage is judged relevant, a query is empty or given twice, a judgment names a query that is not
            there or is given twice, or the entity states other counts, of passages that are not there too.
    """
    corpus: CorpusSpec = load(CorpusSpec, spec)
    source = open_source(corpus, spec, archives)
    all_queries, judgments = source.queries(split)
    where = f"{spec}, split {split}"
    if not any(judgment.grade > 0 for judgment in judgments):
        raise DataError(
            f"{where}: {len(judgments)} judgments, none of them calls a passage relevant; mend or leave out the split"
        )
    _check_queries(all_queries, str(spec))
    _check_judgments(judgments, {query.id for query in all_queries}, where)
    stated = corpus.counts.splits.get(split)
    _check_passages(judgments, passages, source, where, stated or SplitCount())
    judged = {judgment.query_id for judgment in judgments}
    if split == TRAIN and corpus.train_queries:
        judged = set(seeded(judged, corpus.train_seed)[: corpus.train_queries])
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
        if not query.text.strip():
            raise DataError(f"{where}: query {query.id} is empty; expected a text")


def _check_judgments(judgments: Iterable[Judgment], queries: set[str], where: str) -> None:
    pairs: set[tuple[str, str]] = set()
    unknown = []
    for item in judgments:
        if (item.query_id, item.passage_id) in pairs:
            raise DataError(f"{where}: passage {item.passage_id} is judged twice for query {item.query_id}")
        pairs.add((item.query_id, item.passage_id))
        if item.query_id not in queries:
            unknown.append(item.query_id)
    if unknown:
        raise DataError(
            f"{where}: {len(unknown)} judgments name queries that are not in the collection, the first {unknown[0]!r}"
        )


def _check_passages(
    judgments: Sequence[Judgment], passages: Path, source: Source, where: str, stated: SplitCount
) -> None:
    """Check that every judged passage is there, but for as many absent ones, and empty relevant ones, as are stated."""
    missing = absent(passages, (item.passage_id for item in judgments))
    # build_passages keeps empty passages out: read the source again to tell them from absent ones
    empty = {row.id for row in source.passages() if row.id in missing} if missing else set()
    unknown = [item.passage_id for item in judgments if item.passage_id in missing - empty]
    if len(unknown) != stated.absent:
        raise DataError(
            f"{where}: {len(unknown)} judgments name passages that are not in {passages}{_first(unknown)}; mend the "
            f"collection, or state absent: {len(unknown)} where it is known to hold only a part of what was judged"
        )
    relevant = [item.passage_id for item in judgments if item.passage_id in empty and item.grade > 0]
    if len(relevant) != stated.empty_relevant:
        raise DataError(
            f"{where}: {len(relevant)} judgments call a passage relevant that has neither text nor title"
            f"{_first(relevant)}; mend the collection, or state empty_relevant: {len(relevant)} where that is known"
        )


def _first(names: Sequence[str]) -> str:
    return f", the first {names[0]!r}" if names else ""
