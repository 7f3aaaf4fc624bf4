"""Files with the term weights of passages, and Anserini's impact index over the files of all shards."""

import json
import logging
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from synthrank.data.files import read_format, write_format
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.shards import Shard, check_shards
from synthrank.errors import DataError
from synthrank.retrievers import anserini
from synthrank.runtime.progress import Progress

Impacts = dict[int, int]
"""Weights above 0 by term. A term is its index in the vocabulary, because word pieces may contain any character."""

TOGETHER = 4096
"""Passages per file. Batches are sorted by length within a file, and Anserini reads several files in parallel.

A file is never divided between shards, so files do not depend on the number of shards."""

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
    """Encode a shard of a corpus's passages into a new folder, and return their number.

    A passage without impacts cannot be found. It is not written, but counted in ``impacts.json``.

    Args:
        encode: returns the impacts of at most :data:`TOGETHER` texts.
        rows: (id, text) of all passages of the corpus, not only of the shard.
        total: number of all passages.
        folder: the new folder, with one numbered JSONL file per :data:`TOGETHER` passages.
        shard: the shard.

    Raises:
        DataError: there are fewer passages than ``total``.
    """
    own = shard.rows(total, TOGETHER)
    folder.mkdir()
    done = written = 0
    with Progress(len(own), "passages") as state:
        for number, chunk in enumerate(
            split_into_batches(shard.take(rows, total, TOGETHER), TOGETHER), own.start // TOGETHER
        ):
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
        raise DataError(f"shard {shard}: {done:,} passages; expected {len(own):,}; did the corpus change?")
    write_format(folder, FORM, FORMAT, rows=done, written=written)
    return done


def index_impacts(folders: Sequence[Path], total: int, index: Path, threads: int) -> int:
    """Index the impacts of all shards in a new folder, and return the number of indexed passages.

    Args:
        folders: the folders of all shards in order, made by :func:`write_impacts`.
        total: number of passages of the corpus.
        index: the new folder.
        threads: number of Anserini's threads.

    Raises:
        DataError: no passage has impacts, some passages were not indexed, or a folder has another version.
        ModelError: Java or Anserini is missing or fails.
        ShardError: a shard does not contain its rows.
    """
    forms = [read_format(folder, FORM, FORMAT) for folder in folders]
    check_shards([(folder, form["rows"]) for folder, form in zip(folders, forms, strict=True)], total, TOGETHER)
    written: int = sum(form["written"] for form in forms)
    if not written:
        raise DataError(f"{index}: 0 of {total} passages have term weights; expected at least one")
    with tempfile.TemporaryDirectory(dir=index.parent) as together:
        for file in (file for folder in folders for file in folder.glob("*.jsonl")):
            (Path(together) / file.name).symlink_to(file.resolve())
        indexed = anserini.build_index("JsonVectorCollection", Path(together), index, threads, *IMPACT)
    if indexed != written:
        raise DataError(f"{index}: {indexed} of {written} passages were indexed; expected all")
    if written < total:
        log.warning("%d of %d passages have no term weights and cannot be found", total - written, total)
    return written
