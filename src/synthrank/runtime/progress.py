"""Progress of a long step: a bar if there is a terminal, and occasional lines in the log."""

import logging
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TextIO, TypeVar

from tqdm import tqdm

from synthrank.runtime.environment import bar_is_off

T = TypeVar("T")

LINE_EVERY_S = 20.0
"""Seconds between two lines in the log: 180 lines per hour."""

log = logging.getLogger("progress")


class Progress:
    """Shows the progress of a step.

    Rules redirect a step's output to its log, so the bar is written to the controlling terminal, if there is one. The
    bar is removed when the step ends, which keeps Snakemake's own lines readable. ``SYNTHRANK_PROGRESS=log`` turns the
    bar off.
    """

    def __init__(self, total: int, what: str) -> None:
        """Start the bar.

        Args:
            total: the number of items.
            what: the items as a plural noun, for example ``passages``.
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
        """Add to the number of finished items."""
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
    """Yield the items and show progress with :class:`Progress`."""
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
