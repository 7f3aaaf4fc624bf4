"""Merge the many small segments that short jobs leave into one."""

import logging
import os
import shutil
import time
from pathlib import Path

from synthrank.errors import StoreError
from synthrank.files import atomic_path
from synthrank.llms.segment_writer import end, header, segment_name, sync_folder
from synthrank.llms.segments import Segment
from synthrank.llms.store import segment_paths

log = logging.getLogger(__name__)

SMALL = 64 << 20
"""Bytes below which a segment is merged."""

ABANDONED_S = 30 * 86400.0
"""Seconds without a write after which a segment without an end line counts as that of a killed job: no batch takes so
long, and whether a process of another host or container is alive cannot be seen from here."""

_LOCK = "merge.lock"


def compact(folder: Path) -> int:
    """Merge the small segments that are no longer written into one, and return how many there were.

    Lines are copied as they are, duplicates and broken ones included; only cut last lines, never acknowledged, are
    left out. The new segment names those it replaces, so that readers who see both read one; they are removed when it
    is durable, or, after a kill in between, by the next merge.

    Raises:
        StoreError: another merge is at work, or a segment is of a newer version.
    """
    if not folder.is_dir():
        return 0
    lock = folder / _LOCK
    try:
        lock.touch(exist_ok=False)
    except FileExistsError as error:
        raise StoreError(f"{lock}: another merge is at work; if none is, remove this file") from error
    try:
        return _merge(folder)
    finally:
        lock.unlink()


def _merge(folder: Path) -> int:
    for holder in folder.glob(".replies-*.jsonl.*"):  # what a killed merge was writing
        shutil.rmtree(holder)
    segments = [Segment(path) for path in segment_paths(folder)]
    for segment in segments:
        segment.refresh()
    replaced = {name for segment in segments for name in segment.replaces}
    _remove([segment.path for segment in segments if segment.path.name in replaced])
    small = [segment for segment in segments if segment.path.name not in replaced and _is_small_and_done(segment)]
    if len(small) < 2:
        return 0
    # the new name begins as the oldest does, so that the order of the segments, and with it ties, stay
    path = folder / segment_name(small[0].path.name.split("-")[1])
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        stream.write(header(replaces=[segment.path.name for segment in small]))
        for segment in small:
            with segment.path.open("rb") as source:
                stream.writelines(line for line in source if _is_kept(line))
        stream.write(end(sum(len(segment.offsets()) for segment in small)))
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(folder)
    _remove([segment.path for segment in small])
    log.info("%s: %d segments are now %s", folder, len(small), path.name)
    return len(small)


def _is_small_and_done(segment: Segment) -> bool:
    done = segment.closed or time.time() - segment.path.stat().st_mtime > ABANDONED_S
    return done and segment.size < SMALL


def _is_kept(line: bytes) -> bool:
    return line.endswith(b"\n") and not line.startswith((b'{"format": ', b'{"end": '))


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_suffix(".index").unlink(missing_ok=True)  # of an earlier version
