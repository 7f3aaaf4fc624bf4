"""Progress of a long step: a bar on the terminal when someone watches, sparse lines in the log always."""

import logging
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TextIO, TypeVar

from tqdm import tqdm

from synthrank.variables import bar_is_off

T = TypeVar("T")

LINE_EVERY_S = 20.0
"""Seconds between two lines in the log: a job of an hour writes 180 lines."""

log = logging.getLogger("progress")


class Progress:
    """Tells how far a step is.

    A rule sends a step's output to its log, so a watched run is recognised by its controlling terminal: the bar goes
    there, and is wiped when the step ends, so that Snakemake's own lines stay readable. ``SYNTHRANK_PROGRESS=log``
    turns the bar off.
    """

    def __init__(self, total: int, what: str) -> None:
        """Begin.

        Args:
            total: how many there are.
            what: a plural noun, for example ``passages``.
        """
        self.total, self.what, self.done = total, what, 0
        self._start = self._last = time.monotonic()
        self._terminal = _terminal()
        self._bar = tqdm(
            total=total,
            desc=what,
            file=self._terminal,
            leave=False,
            dynamic_ncols=True,
            disable=self._terminal is None,
        )

    def advance(self, count: int = 1) -> None:
        """Count further items as done."""
        self.done += count
        self._bar.update(count)
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_S:
            log.info("%d of %d %s, %.0f s", self.done, self.total, self.what, now - self._start)
            self._last = now

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        if self._terminal:
            self._terminal.close()
        log.info("%d of %d %s in %.1f s", self.done, self.total, self.what, time.monotonic() - self._start)


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield the items and tell how far it is, as :class:`Progress` does."""
    with Progress(total, what) as state:
        for item in items:
            yield item
            state.advance()


def _terminal() -> TextIO | None:
    if bar_is_off():
        return None
    try:
        return open("/dev/tty", "w", encoding="utf-8")
    except OSError:
        return None
