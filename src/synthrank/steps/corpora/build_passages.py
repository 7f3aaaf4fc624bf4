"""Step build_passages: normalise the passages of a corpus."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.corpora import CorpusSpec
from synthrank.data.checks import check_count, check_id
from synthrank.data.files import write_json, write_jsonl
from synthrank.data.records import Passage
from synthrank.data.sources import open_source
from synthrank.data.words import is_visible


def build_passages(*, spec: Path, passages: Path, stats: Path, archives: Path | None = None) -> None:
    """Write the passages of a corpus as JSON lines, and their statistics.

    White space is collapsed to single spaces. A passage without text uses its title as text; a passage without text
    and title is left out and counted. Passages are streamed. Memory holds only their ids: about 100 bytes per id, 1 GB
    for 8.8 million passages.

    Args:
        spec: the corpus entity.
        passages: the file to write.
        stats: the statistics to write.
        archives: the unpacked documentation, for a ``faq`` corpus.

    Raises:
        DataError: an id is repeated, empty or contains white space, or the entity states another count.
    """
    corpus: CorpusSpec = load(CorpusSpec, spec)
    source = open_source(corpus, spec, archives)
    tally: Counter[str] = Counter()
    rows = normalise(source.passages(), corpus.title == "prepend", str(spec), tally)
    count = write_jsonl(passages, _check_count(rows, corpus.counts.passages, str(spec)))
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


def normalise(rows: Iterable[Passage], prepend: bool, where: str, tally: Counter[str]) -> Iterator[Passage]:
    """Yield the passages with a checked id and a visible text; count passages without text in ``tally``."""
    seen: set[str] = set()
    for row in rows:
        check_id("passage", row.id, seen, where)
        seen.add(row.id)
        title, text = (" ".join(given.split()) if is_visible(given) else "" for given in (row.title, row.text))
        if not text and not title:
            tally["empty"] += 1
            continue
        tally["title_only"] += not text
        text = f"{title} {text}".strip() if prepend else text or title
        tally["words"] += len(text.split())
        yield Passage(row.id, text, title)


def _check_count(rows: Iterable[Passage], stated: int | None, where: str) -> Iterator[Passage]:
    """Yield the passages; raise at the end, before the file gets its final name, if the count differs."""
    count = 0
    for row in rows:
        count += 1
        yield row
    check_count("passages", count, stated, where)
