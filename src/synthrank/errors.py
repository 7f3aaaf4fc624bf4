"""Every error a person may meet, by cause.

SynthrankError
├── ConfigError     a name, key or value in the configuration is wrong
├── PromptError     a prompt file cannot be read or rendered
├── DataError       a file's content breaks its contract
│   ├── ChecksumError   a file is not the one that was pinned
│   └── ShardError      a shard does not hold the rows that it should
├── FetchError      something that must be downloaded could not be had
├── ModelError      a model cannot do what is asked of it
├── ProviderError   a hosted model will not answer, however often it is asked
│   └── TransientError  a hosted model may answer when it is asked again
├── StoppedError    a job was told to end before its work was done
├── SpendError      the money that the configuration allows is spent
├── StoreError      the store of replies cannot be read or written
├── RecoveryError   what a killed run left cannot be cleared away as things are
└── BudgetError     a training set cannot be made at the size its recipe states

The message is one line: what is wrong, where, and what would be right.
"""

from collections.abc import Iterable


class SynthrankError(Exception):
    """Base of all errors that are answered with one line instead of a traceback."""


class ConfigError(SynthrankError):
    """A name, key or value in the configuration is wrong."""


class PromptError(SynthrankError):
    """A prompt file cannot be read or rendered."""


class DataError(SynthrankError):
    """A file's content breaks its contract."""


class ChecksumError(DataError):
    """A file is not the one that was pinned."""


class ShardError(DataError):
    """A shard does not hold the rows that it should."""


class FetchError(SynthrankError):
    """Something that must be downloaded could not be had."""


class ModelError(SynthrankError):
    """A model cannot do what is asked of it."""


class ProviderError(SynthrankError):
    """A hosted model will not answer, however often it is asked."""


class TransientError(ProviderError):
    """A hosted model may answer when it is asked again.

    ``kind`` is rate, server, timeout, connection or malformed; ``retry_after`` the seconds the server asked to wait.
    """

    def __init__(self, message: str, kind: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind, self.retry_after = kind, retry_after


class StoppedError(SynthrankError):
    """A job was told to end before its work was done."""


class SpendError(SynthrankError):
    """The money that the configuration allows is spent."""


class StoreError(SynthrankError):
    """The store of replies cannot be read or written."""


class RecoveryError(SynthrankError):
    """What a killed run left cannot be cleared away as things are."""


class BudgetError(SynthrankError):
    """A training set cannot be made at the size its recipe states."""


def known(names: Iterable[str]) -> str:
    """Return the names as the tail of an error message, sorted: ``known: a, b``."""
    return "known: " + (", ".join(sorted(names)) or "none")
