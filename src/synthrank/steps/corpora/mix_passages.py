"""Step mix_passages: combine the passages of a corpus with a rewritten version of each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from synthrank.config.base import load
from synthrank.config.corpora import CorpusSpec, MixedCorpus, rewritten_id
from synthrank.data.checks import check_count, check_id
from synthrank.data.files import read_jsonl, write_json, write_jsonl
from synthrank.data.records import Passage


def mix_passages(*, spec: Path, originals: Path, rewritten: Path, passages: Path, stats: Path) -> None:
    """Write the passages of a corpus, then each rewritten passage under ``ID@PARADIGM`` (Dai et al. 2024, Cocktail).

    Args:
        spec: the corpus entity, with ``source: mixed``.
        originals: the passages of the original corpus.
        rewritten: the rewritten passages, under the ids of the originals.
        passages: the file to write.
        stats: the statistics to write, including the number of originals without a rewritten passage, and of rewritten
            passages without an original, which are left out.

    Raises:
        DataError: an id is repeated, or the entity states another count.
    """
    corpus: MixedCorpus = load(CorpusSpec, spec)
    tally: Counter[str] = Counter(originals=0, rewritten=0, unknown=0, words=0, words_rewritten=0)
    count = write_jsonl(passages, _mix(corpus, spec, originals, rewritten, tally))
    write_json(
        stats,
        {"passages": count, **tally, "without_rewriting": tally["originals"] - tally["rewritten"]},
    )


def _mix(corpus: MixedCorpus, spec: Path, originals: Path, rewritten: Path, tally: Counter[str]) -> Iterator[Passage]:
    """Yield all passages; raise at the end, before the file gets its final name, if the count differs."""
    names: set[str] = set()
    for item in read_jsonl(originals, Passage):
        check_id("passage", item.id, names, str(originals))
        names.add(item.id)
        tally.update(originals=1, words=len(item.text.split()))
        yield item
    for item in read_jsonl(rewritten, Passage):
        if item.id not in names:
            tally["unknown"] += 1
            continue
        name = rewritten_id(item.id, corpus.paradigm)
        check_id("passage", name, names, str(rewritten))
        names.add(name)
        tally.update(rewritten=1, words_rewritten=len(item.text.split()))
        yield replace(item, id=name)
    check_count("passages", tally["originals"] + tally["rewritten"], corpus.counts.passages, str(spec))
