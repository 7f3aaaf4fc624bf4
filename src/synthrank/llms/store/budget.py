"""The budget of a store: replies, failed attempts that may be billed, and requests in flight of all processes."""

import fcntl
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from synthrank.config.llms import LlmSpec
from synthrank.data.records import Reply, Request
from synthrank.errors import SpendError, StoreError
from synthrank.llms.store.claims import NO_LOCKS, held_by_other
from synthrank.llms.store.pricing import most_usd

log = logging.getLogger(__name__)

PATTERN = "in-flight-*.usd"


class Budget:
    """Limits the total price of all replies of a store. A context manager, which gives back what is in flight."""

    def __init__(
        self,
        limit_usd: float | None,
        spent_usd: Callable[[], float],
        spec: LlmSpec,
        folder: Path,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; without a limit, no file is read or written.

        Args:
            limit_usd: the most that may be spent; None for no limit.
            spent_usd: returns the price of the replies and failed attempts in the store, of all processes.
            spec: the LLM, for the highest price of a request.
            folder: of the files that state the price of the requests in flight of each process.
            ready: called before each request and each batch; raises StoreError if a reply could not be kept.
        """
        self.limit, self.stopped = limit_usd, False
        self._spent_usd, self._spec, self._folder, self._ready = spent_usd, spec, folder, ready
        self._reserved: dict[str, float] = {}
        self._file: IO[str] | None = None
        self._path = folder / PATTERN.replace("*", uuid.uuid4().hex)

    def __enter__(self) -> "Budget":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._path.unlink(missing_ok=True)
            self._file.close()

    def guard(self, requests: Mapping[str, Request]) -> Iterator[Request]:
        """Yield requests until the next one could exceed the limit. Requests in flight count at their highest price."""
        for key, request in requests.items():
            if not self._reserve({key: request}):
                self.stopped = True
                return
            self._ready()
            yield request

    def check(self, requests: Mapping[str, Request]) -> None:
        """Reserve the requests of a batch before it is submitted; raise SpendError if they could exceed the limit."""
        if not self._reserve(requests):
            raise SpendError(self.message())
        self._ready()

    def reserve(self, requests: Mapping[str, Request]) -> None:
        """Count requests of an open batch at their highest price, even above the limit."""
        self._reserve(requests, always=True)

    def failed(self, key: str) -> None:
        """Raise SpendError if a failed attempt, which now counts as spent, leaves too little for another attempt."""
        if not self._reserve({}):
            self._release(key)
            raise SpendError(self.message())

    def paid(self, reply: Reply) -> None:
        """Give back the highest price of a reply; its actual price is in the store."""
        self._release(reply.key)

    def message(self) -> str:
        """Return the message of the error at the limit."""
        return (
            f"budget_usd: ${self._spent_usd():.4f} of ${self.limit or 0:.2f} is spent and the next request could "
            "exceed it; all replies so far are kept: raise budget_usd and run again"
        )

    def _reserve(self, requests: Mapping[str, Request], *, always: bool = False) -> bool:
        """Reserve the highest price of requests, if the limit allows; a request that is sent again is reserved."""
        if self.limit is None:
            return True
        with self._locked() as others:
            wanted = self._reserved | {key: most_usd(self._spec, item) for key, item in requests.items()}
            if not always and self._spent_usd() + others + sum(wanted.values()) > self.limit:
                return False
            self._write(wanted)
            return True

    def _release(self, key: str) -> None:
        if key in self._reserved:
            with self._locked():
                self._write({other: usd for other, usd in self._reserved.items() if other != key})

    def _write(self, reserved: dict[str, float]) -> None:
        self._reserved = reserved
        if self._file:
            self._file.seek(0)
            self._file.truncate()
            self._file.write(repr(sum(reserved.values())))
            self._file.flush()

    @contextmanager
    def _locked(self) -> Iterator[float]:
        """Exclude other processes, and yield the price of their requests in flight in US dollars."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / "budget.lock").open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if self._file is None:
                        self._file = self._path.open("x")
                        fcntl.flock(self._file, fcntl.LOCK_EX)
                    others = [held_by_other(path) for path in self._folder.glob(PATTERN) if path != self._path]
                except OSError as error:
                    if error.errno not in NO_LOCKS:
                        raise
                    others = []  # the claims on keys have logged the warning
                yield sum(_price(text) for text in others)
        except OSError as error:
            raise StoreError(
                f"{self._folder}: cannot be written ({error.strerror}), so that the budget could not be kept; check "
                "permissions and the disk"
            ) from error


def _price(text: str | None) -> float:
    """Return the number in another process's file; 0 if that process has ended, or has reserved nothing yet."""
    with suppress(ValueError):
        return float(text or 0)
    return 0.0
