"""Files that were put in their place with a time of old, by mv, cp -p, rsync or tar, are given the time when that was.

Snakemake looks into an input, and sees what changed, only where its time is newer than the output's. A prompt that was
edited, used, and put back with its old time would go unseen, and what was made of the edited one would stay.
"""

import os
from contextlib import suppress
from pathlib import Path

TOLERATED_NS = 2_000_000_000
"""Clocks of a file server and of its client differ; nobody edits, runs and puts back within two seconds."""


def renew_times(folder: Path) -> None:
    """Give each file below a folder whose inode changed later than its content the present time.

    The time of the inode's change cannot be set by programs, so it tells when a file came to its place. A file that was
    only given another mode or owner is renewed too: its content is compared then, and nothing runs. One that may not be
    changed is left as it is.
    """
    for path in folder.rglob("*"):
        with suppress(OSError):
            told = path.stat()
            if path.is_file() and told.st_ctime_ns > told.st_mtime_ns + TOLERATED_NS:
                os.utime(path)
