"""Step mix_qrels: apply the qrels of a split to both versions of each passage."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.corpora import CorpusSpec, MixedCorpus, SplitCount, rewritten_id
from synthrank.data.checks import check_count
from synthrank.data.files import read_jsonl, write_jsonl
from synthrank.data.passage_texts import find_absent
from synthrank.data.records import Judgment, Query
from synthrank.data.trec import read_judgments, write_qrels
from synthrank.errors import DataError


def mix_qrels(
    *,
    spec: Path,
    split: str,
    original_queries: Path,
    original_qrels: Path,
    passages: Path,
    queries: Path,
    qrels: Path,
) -> None:
    """Write the queries of a split unchanged, and each judgment for the original and for the rewritten passage.

    Args:
        spec: the corpus entity, with ``source: mixed``.
        split: the split's name in the entity.
        original_queries: the queries of the original split.
        original_qrels: the qrels of the original split.
        passages: the passages that ``mix_passages`` wrote; memory holds only the judged ids.
        queries: the queries to write.
        qrels: the qrels to write: each original judgment, followed by the judgment of the rewritten passage.

    Raises:
        DataError: the entity states other counts, including the count of judgments whose passage is absent.
    """
    corpus: MixedCorpus = load(CorpusSpec, spec)
    where, stated = f"{spec}, split {split}", corpus.counts.splits.get(split) or SplitCount()
    judgments = list(_double(read_judgments(original_qrels), corpus.paradigm))
    kept = list(read_jsonl(original_queries, Query))
    _check_passages(judgments, passages, where, stated.absent)
    check_count("queries", len(kept), stated.queries, where)
    check_count("judgments", len(judgments), stated.judgments, where)
    write_jsonl(queries, kept)
    write_qrels(qrels, judgments)


def _double(judgments: Iterable[Judgment], paradigm: str) -> Iterator[Judgment]:
    for item in judgments:
        yield item
        yield Judgment(item.query_id, rewritten_id(item.passage_id, paradigm), item.grade)


def _check_passages(judgments: Sequence[Judgment], passages: Path, where: str, stated: int) -> None:
    """Check that the number of judgments whose passage is absent is the stated one."""
    missing = find_absent(passages, (item.passage_id for item in judgments))
    unknown = [item.passage_id for item in judgments if item.passage_id in missing]
    if len(unknown) != stated:
        first = f", the first {unknown[0]!r}" if unknown else ""
        raise DataError(
            f"{where}: {len(unknown)} judgments name passages that are not in {passages}{first}; state absent: "
            f"{len(unknown)} if these passages have no original or were not rewritten"
        )
