"""Merge the small segments of short jobs into one."""

import logging
import os
import shutil
import time
from pathlib import Path

from synthrank.data.files import atomic_path
from synthrank.errors import StoreError
from synthrank.llms.store.segment_writer import end, header, segment_name, sync_folder
from synthrank.llms.store.segments import Segment
from synthrank.llms.store.store import segment_paths

log = logging.getLogger(__name__)

SMALL = 64 << 20
"""Segments below this size in bytes are merged."""

ABANDONED_S = 30 * 86400.0
"""Seconds without a write after which the writer of a segment without an end line counts as killed. No batch takes this
long, and processes on other hosts or in other containers cannot be checked."""

_LOCK = "merge.lock"


def compact(folder: Path) -> int:
    """Merge the small finished segments into one, and return their number.

    Lines are copied unchanged, including duplicates and broken lines. Only cut last lines, which were never
    acknowledged, are left out. The new segment lists the segments it replaces, so readers that find both skip the old
    ones. The old segments are removed once the new one is durable; after a kill, the next merge removes them.

    Raises:
        StoreError: another merge is running, or a segment has a newer version.
    """
    if not folder.is_dir():
        return 0
    lock = folder / _LOCK
    try:
        lock.touch(exist_ok=False)
    except FileExistsError as error:
        raise StoreError(f"{lock}: another merge is running; if this is wrong, remove the file") from error
    try:
        return _merge(folder)
    finally:
        lock.unlink()


def _merge(folder: Path) -> int:
    for holder in folder.glob(".replies-*.jsonl.*"):  # left by a killed merge
        shutil.rmtree(holder)
    segments = [Segment(path) for path in segment_paths(folder)]
    for segment in segments:
        segment.refresh()
    replaced = {name for segment in segments for name in segment.replaces}
    _remove([segment.path for segment in segments if segment.path.name in replaced])
    small = [segment for segment in segments if segment.path.name not in replaced and _is_small_and_done(segment)]
    if len(small) < 2:
        return 0
    # The new name starts with the oldest time, so that the order of the segments does not change.
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
    log.info("%s: merged %d segments into %s", folder, len(small), path.name)
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
