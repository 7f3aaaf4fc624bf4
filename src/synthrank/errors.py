"""Errors that a user can cause or fix, by cause.

SynthrankError
├── ConfigError     a name, key or value in the configuration is wrong
├── PromptError     a prompt file cannot be read or rendered
├── DataError       the content of a file is invalid
│   ├── ChecksumError   a file differs from its pinned SHA-256
│   └── ShardError      a shard has other rows than expected
├── FetchError      a download failed
├── ModelError      a model does not support what the configuration requires
├── ProviderError   a hosted model refuses a request, and a retry would not help
│   └── TransientError  a hosted model refuses a request, and a retry may succeed
├── StoppedError    a job was stopped before it finished
├── SpendError      the budget of the configuration is spent
├── StoreError      the store of replies cannot be read or written
├── RecoveryError   files of a killed run cannot be removed
└── BudgetError     a training set cannot reach the size that its recipe states

A message has one line: the place, what is wrong, and what is right. A value in a message may come from any file, so the
middle of an endless word is left out.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 300
"""Characters of the longest word of a message, such as a number or a key."""

_ENDLESS = re.compile(rf"(?<=\s)(\S{{{LONGEST // 2}}})\S{{{LONGEST // 2},}}(\S{{20}})")
"""A longer word, except the first of a line, which is the path."""


def _shorten(message: str) -> str:
    return _ENDLESS.sub(r"\1…\2", message)


class SynthrankError(Exception):
    """Base of all errors that are shown as one line, without a traceback."""

    def __init__(self, message: str = "") -> None:
        super().__init__(_shorten(message))


class ConfigError(SynthrankError):
    """A name, key or value in the configuration is wrong."""


class PromptError(SynthrankError):
    """A prompt file cannot be read or rendered."""


class DataError(SynthrankError):
    """The content of a file is invalid."""


class ChecksumError(DataError):
    """A file differs from its pinned SHA-256."""


class ShardError(DataError):
    """A shard has other rows than expected."""


class FetchError(SynthrankError):
    """A download failed."""


class ModelError(SynthrankError):
    """A model does not support what the configuration requires."""


class ProviderError(SynthrankError):
    """A hosted model refuses a request, and a retry would not help.

    ``of_request`` is whether the reason is the request itself, so that other requests may be answered.
    """

    def __init__(self, message: str, *, of_request: bool = False) -> None:
        super().__init__(message)
        self.of_request = of_request


class TransientError(ProviderError):
    """A hosted model refuses a request, and a retry may succeed.

    ``kind`` is rate, server, timeout, connection, lost or malformed. ``retry_after`` is the wait in seconds that the
    server requires, or None.
    """

    @property
    def may_be_billed(self) -> bool:
        """Whether the model may have answered: the request was sent, and its answer did not arrive or is unreadable."""
        return self.kind in ("timeout", "lost", "malformed")

    def __init__(self, message: str, kind: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.retry_after = kind, retry_after


class StoppedError(SynthrankError):
    """A job was stopped before it finished."""


class SpendError(SynthrankError):
    """The budget of the configuration is spent."""


class StoreError(SynthrankError):
    """The store of replies cannot be read or written."""


class RecoveryError(SynthrankError):
    """Files of a killed run cannot be removed."""


class BudgetError(SynthrankError):
    """A training set cannot reach the size that its recipe states."""


def list_known(names: Iterable[str]) -> str:
    """Return sorted names for the end of a message: ``known: a, b``."""
    return "known: " + (", ".join(sorted(names)) or "none")


def closest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most similar to an unknown one, or None if no name is similar."""
    return next(iter(get_close_matches(name.lower(), [*names], n=1)), None)


def suggest(name: str, names: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: ``; did you mean 'a'?``, or all names if none is similar."""
    names = [*names]
    alike = closest(name, names)
    return f"; did you mean {alike!r}?" if alike else f" ({list_known(names)})"
