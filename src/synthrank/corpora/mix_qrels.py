"""Let the qrels of a split hold for both wordings of a passage."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from synthrank.corpora.checks import check_count
from synthrank.errors import DataError
from synthrank.files import read_jsonl, write_jsonl
from synthrank.records import Judgment, Query
from synthrank.specs.base import load
from synthrank.specs.corpora import CorpusSpec, MixedCorpus, SplitCount, rewritten_id
from synthrank.texts import absent
from synthrank.trec import read_judgments, write_qrels


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
    """Write the queries of a split as they are, and each judgment for both wordings.

    Args:
        spec: the corpus entity, of source mixed.
        split: the split's name in the entity.
        original_queries: the queries of the original split.
        original_qrels: its qrels.
        passages: the passages that ``mix_passages`` wrote; only ids that judgments name are held.
        queries: the queries to write.
        qrels: the qrels to write, each original one followed by that of the rewritten passage.

    Raises:
        DataError: the entity states other counts, of judgments whose passage is not there too.
    """
    corpus: MixedCorpus = load(CorpusSpec, spec)
    where, stated = f"{spec}, split {split}", corpus.counts.splits.get(split) or SplitCount()
    judgments = list(_doubled(read_judgments(original_qrels), corpus.paradigm))
    asked = list(read_jsonl(original_queries, Query))
    _check_passages(judgments, passages, where, stated.absent)
    check_count("queries", len(asked), stated.queries, where)
    check_count("judgments", len(judgments), stated.judgments, where)
    write_jsonl(queries, asked)
    write_qrels(qrels, judgments)


def _doubled(judgments: Iterable[Judgment], paradigm: str) -> Iterator[Judgment]:
    for item in judgments:
        yield item
        yield Judgment(item.query_id, rewritten_id(item.passage_id, paradigm), item.grade)


def _check_passages(judgments: Sequence[Judgment], passages: Path, where: str, stated: int) -> None:
    """Check that both wordings of every judged passage are there, but for as many judgments as are stated."""
    missing = absent(passages, (item.passage_id for item in judgments))
    unknown = [item.passage_id for item in judgments if item.passage_id in missing]
    if len(unknown) != stated:
        first = f", the first {unknown[0]!r}" if unknown else ""
        raise DataError(
            f"{where}: {len(unknown)} judgments name passages that are not in {passages}{first}; state absent: "
            f"{len(unknown)} where it is known that the original is not there, or was not rewritten"
        )
