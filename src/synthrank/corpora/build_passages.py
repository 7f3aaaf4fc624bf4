"""Normalise the passages of a corpus."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from synthrank.corpora.checks import check_count, check_id
from synthrank.files import write_json, write_jsonl
from synthrank.records import Passage
from synthrank.sources import open_source
from synthrank.specs.base import load
from synthrank.specs.corpora import CorpusSpec


def build_passages(*, spec: Path, passages: Path, stats: Path, archives: Path | None = None) -> None:
    """Write the passages of a corpus as JSON lines, and their statistics.

    White space is collapsed to single spaces. A passage without text takes its title as text; one that has neither is
    kept out and counted. Passages are streamed, only their ids are held: about 100 bytes each, 1 GB for 8.8 million.

    Args:
        spec: the corpus entity.
        passages: the file to write.
        stats: the statistics to write.
        archives: the unpacked documentation, for a ``faq`` corpus.

    Raises:
        DataError: an id is given twice, is empty or has white space, or the entity states another count.
    """
    corpus: CorpusSpec = load(CorpusSpec, spec)
    source = open_source(corpus, spec, archives)
    tally: Counter[str] = Counter()
    rows = normalised(source.passages(), corpus.title == "prepend", str(spec), tally)
    count = write_jsonl(passages, _counted(rows, corpus.counts.passages, str(spec)))
    write_json(
        stats,
        {
            "passages": count,
            "words": tally["words"],
            "words_per_passage": round(tally["words"] / count, 1) if count else 0.0,
            "empty": tally["empty"],
            "title_only": tally["title_only"],
            "source": source.report(),
        },
    )


def normalised(rows: Iterable[Passage], prepend: bool, where: str, tally: Counter[str]) -> Iterator[Passage]:
    """Yield the passages with an id that is checked and a text that is not empty; count the others in ``tally``."""
    seen: set[str] = set()
    for row in rows:
        check_id("passage", row.id, seen, where)
        seen.add(row.id)
        title, text = " ".join(row.title.split()), " ".join(row.text.split())
        if not text and not title:
            tally["empty"] += 1
            continue
        tally["title_only"] += not text
        text = f"{title} {text}".strip() if prepend else text or title
        tally["words"] += len(text.split())
        yield Passage(row.id, text, title)


def _counted(rows: Iterable[Passage], stated: int | None, where: str) -> Iterator[Passage]:
    """Yield the passages; raise at the end, while the file has no final name yet, where the count is another."""
    count = 0
    for row in rows:
        count += 1
        yield row
    check_count("passages", count, stated, where)
