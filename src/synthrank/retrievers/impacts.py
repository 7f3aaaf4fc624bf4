"""Term weights of passages as files, and an impact index of Anserini's over the files of all shards."""

import json
import logging
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from synthrank.errors import DataError
from synthrank.files import read_format, write_format
from synthrank.progress import Progress
from synthrank.retrievers import anserini
from synthrank.shards import Shard, check_shards
from synthrank.texts import chunks

Impacts = dict[int, int]
"""The weight of each term that has one, above 0. A term is its number in the vocabulary: pieces may hold anything."""

TOGETHER = 4096
"""Passages encoded before their file is written: sorting by length pays, and Anserini reads several files at a time.

They stay in one shard, so that files are the same whatever the number of shards."""

IMPACT = ("-impact", "-pretokenized")

FORM, FORMAT = "impacts.json", 1

log = logging.getLogger(__name__)


def write_impacts(
    encode: Callable[[Sequence[str]], list[Impacts]],
    rows: Iterable[tuple[str, str]],
    total: int,
    folder: Path,
    shard: Shard,
) -> int:
    """Encode a shard of some passages into a new folder, and return how many there were.

    A passage without any impact is in no list of any query; it is left out, and counted in ``impacts.json``.

    Args:
        encode: gives the impacts of at most :data:`TOGETHER` texts.
        rows: (id, text) of every passage of the collection, not of the shard alone.
        total: how many these are.
        folder: the new folder: JSON lines, a file for every :data:`TOGETHER` passages, named by its number among all.
        shard: which shard.

    Raises:
        DataError: there are fewer passages than ``total``.
    """
    own = shard.rows(total, TOGETHER)
    folder.mkdir()
    done = written = 0
    with Progress(len(own), "passages") as state:
        for number, chunk in enumerate(chunks(shard.take(rows, total, TOGETHER), TOGETHER), own.start // TOGETHER):
            impacts = encode([text for _, text in chunk])
            lines = [
                json.dumps({"id": name, "vector": weights}, ensure_ascii=False) + "\n"
                for (name, _), weights in zip(chunk, impacts, strict=True)
                if weights
            ]
            (folder / f"{number:06}.jsonl").write_text("".join(lines), encoding="utf-8")
            done, written = done + len(chunk), written + len(lines)
            state.advance(len(chunk))
    if done < len(own):
        raise DataError(f"shard {shard}: {done:,} passages of {len(own):,}; were passages removed while it ran?")
    write_format(folder, FORM, FORMAT, rows=done, written=written)
    return done


def index_impacts(folders: Sequence[Path], total: int, index: Path, threads: int) -> int:
    """Index the impacts of all shards in a new folder, and return how many passages it holds.

    Args:
        folders: those of all shards, from the first on, as :func:`write_impacts` made them.
        total: the passages of the collection.
        index: the new folder.
        threads: how many Anserini uses.

    Raises:
        DataError: there is no passage with an impact, Lucene holds another number than it was given, or a folder is of
            another version.
        ModelError: Java or Anserini is not to be had, or fails.
        ShardError: a shard does not hold the rows that it should.
    """
    forms = [read_format(folder, FORM, FORMAT) for folder in folders]
    check_shards([(folder, form["rows"]) for folder, form in zip(folders, forms, strict=True)], total, TOGETHER)
    written: int = sum(form["written"] for form in forms)
    if not written:
        raise DataError(f"{index}: none of {total} passages has a weight; an index needs at least one passage")
    with tempfile.TemporaryDirectory(dir=index.parent) as together:
        for file in (file for folder in folders for file in folder.glob("*.jsonl")):
            (Path(together) / file.name).symlink_to(file.resolve())
        indexed = anserini.build_index("JsonVectorCollection", Path(together), index, threads, *IMPACT)
    if indexed != written:
        raise DataError(f"{index}: Lucene holds {indexed} passages of {written} that it was given")
    if written < total:
        log.warning("%d of %d passages have no weight above 0, and are in no list", total - written, total)
    return written
