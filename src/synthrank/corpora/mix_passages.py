"""Put the passages of a corpus and another wording of them together."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from synthrank.corpora.checks import check_count, check_id
from synthrank.files import read_jsonl, write_json, write_jsonl
from synthrank.records import Passage
from synthrank.specs.base import load
from synthrank.specs.corpora import CorpusSpec, MixedCorpus, rewritten_id


def mix_passages(*, spec: Path, originals: Path, rewritten: Path, passages: Path, stats: Path) -> None:
    """Write the passages of a corpus, then every rewritten one under ``ID@PARADIGM`` (Dai et al. 2024, Cocktail).

    Args:
        spec: the corpus entity, of source mixed.
        originals: the passages of the original corpus.
        rewritten: the same in another wording, under the ids of the originals.
        passages: the file to write.
        stats: the statistics to write: among them how many originals have no other wording, and how many rewritten
            ones no original, which are left out.

    Raises:
        DataError: an id is given twice, or the entity states another count.
    """
    corpus: MixedCorpus = load(CorpusSpec, spec)
    tally: Counter[str] = Counter(originals=0, rewritten=0, unknown=0, words=0, words_rewritten=0)
    count = write_jsonl(passages, _mixed(corpus, spec, originals, rewritten, tally))
    write_json(
        stats,
        {"passages": count, **tally, "without_rewriting": tally["originals"] - tally["rewritten"]},
    )


def _mixed(corpus: MixedCorpus, spec: Path, originals: Path, rewritten: Path, tally: Counter[str]) -> Iterator[Passage]:
    """Yield all passages; raise at the end, while the file has no final name yet, where the count is another."""
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
