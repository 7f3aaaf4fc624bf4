"""Base class of the providers' clients: errors that name the remedy and do not contain the key."""

import re
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2

from synthrank.config.llms import HostedLlm
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.connections import open_connections, proxy_of, without_passwords

T = TypeVar("T")

LONGEST_TEXT = 300
"""Most characters of a provider's message that an error repeats."""

STATES = {
    "running": "validating pending queued created in_queue submitted running in_progress processing updating paused "
    "finalizing finalising cancelling canceling".split(),
    "done": "completed complete succeeded success done ended finished partially_succeeded".split(),
    "failed": "failed error errored".split(),
    "expired": "expired timeout_exceeded".split(),
    "cancelled": "cancelled canceled".split(),
}
"""The words of providers for each state of a batch."""

_TOO_LONG = re.compile(
    r"context.?(length|window)|token count .*exceeds|maximum number of tokens|too long|too many tokens", re.IGNORECASE
)


_UNSENT = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout | httpx2.ProxyError


def one_line(text: object) -> str:
    """Return a provider's message on one line, cut to ``LONGEST_TEXT`` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait by ``Retry-After``, which is in seconds or a date; None if it is absent."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        given = headers.get("retry-after", "")
        if re.fullmatch(r"\d+(\.\d*)?", given.strip()):
            return float(given)
        return max(0.0, (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()) if given else None
    except (ValueError, TypeError):
        return None


class Provider:
    """A hosted model's connections and errors. Errors never contain the key."""

    def __init__(self, spec: HostedLlm, key: str) -> None:
        self._key, self._address, self._proxy = key, spec.address, proxy_of(spec.address)
        self._name, self._variable = spec.model, spec.key_variable
        self._limits, self._hosted = spec.limits, spec

    def connections(self) -> httpx2.AsyncClient:
        """Return the connections for the SDK; see :func:`~synthrank.llms.connections.open_connections`."""
        return open_connections(self._hosted)

    async def call(self, calling: Awaitable[T], *, of_batches: bool = False) -> T:
        """Await a call of the SDK.

        Args:
            calling: the call.
            of_batches: whether the server has no batches if it does not have the address of this call.

        Raises:
            TransientError: a retry may succeed.
            ProviderError: a retry would fail too.
        """
        try:
            return await calling
        except Exception as error:
            problem = self.translated(error)
            if problem is None:
                raise
            status = getattr(error, "status_code", None) or getattr(error, "code", None)
            if of_batches and status in (404, 405, 501):
                problem = self.no_batches(f"{status}: {problem}")
        # Raised outside the handler, so that it has no context: the SDK's error contains the request and the key.
        raise problem

    def translated(self, error: Exception) -> ProviderError | None:
        """Return a connection's exception as ProviderError, None for others; subclasses add their SDK's exceptions."""
        if isinstance(error, ProviderError):
            return error
        if isinstance(error, httpx2.ConnectTimeout | httpx2.PoolTimeout):
            return self.unconnected(error)
        if isinstance(error, httpx2.TimeoutException):
            return self.transient("no answer in time", "timeout")
        if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL | httpx2.LocalProtocolError):
            return self.final(
                f"the request is invalid ({one_line(error)})", "check base_url in config/llms", of_request=False
            )
        if isinstance(error, httpx2.HTTPError):
            return self.unconnected(error)
        return None

    def unconnected(self, error: Exception) -> TransientError:
        """Return the error for a connection that failed. If the request was sent, its answer may have been billed."""
        way = f" through the proxy {self._proxy}" if self._proxy else ""
        sent = not isinstance(error, _UNSENT)
        words = f"{type(error).__name__}: {error}".removesuffix(": ")
        return self.transient(f"no connection to {self._address}{way}: {words}", "lost" if sent else "connection")

    def transient(self, what: str, kind: str, wait: float | None = None) -> TransientError:
        """Return an error after which a retry may succeed."""
        return TransientError(self._clean(f"{self._name}: {one_line(what)}"), kind, wait)

    def final(self, what: str, remedy: str, *, of_request: bool = True) -> ProviderError:
        """Return an error after which a retry would fail too; ``of_request`` is as in ProviderError."""
        return ProviderError(self._clean(f"{self._name}: {one_line(what)}; {remedy}"), of_request=of_request)

    def no_batches(self, words: str) -> ProviderError:
        """Return the error for a server without a batch interface."""
        return self.final(f"the server has no batches ({words})", "use mode: live in config/llms", of_request=False)

    def batch_state(self, batch_id: str, word: str) -> str:
        """Return the state of a batch, as in BatchState, for a provider's word in any spelling.

        Raises:
            TransientError: the word is missing.
            ProviderError: the word is unknown.
        """
        plain = re.sub(r"^(job|batch)_state_", "", word.strip().lower()).replace("-", "_").replace(" ", "_")
        if plain in ("", "unspecified"):
            raise self.malformed(f"batch {batch_id} has no state")
        known = next((state for state, words in STATES.items() if plain in words), None)
        if known is None:
            raise self.final(
                f"the state {word!r} of batch {batch_id} is unknown", "look at the batch in the provider's console"
            )
        return known

    def malformed(self, what: str) -> TransientError:
        """Return the error for an answer that is not as expected."""
        return self.transient(f"the server's answer cannot be read: {what}", "malformed")

    def refused(
        self, status: int, message: str, *, wait: float | None = None, bad_key: bool = False, no_quota: bool = False
    ) -> ProviderError:
        """Return the error for an answer with an HTTP status of 400 or above.

        Args:
            status: the status.
            message: the server's message.
            wait: the seconds to wait that the server states.
            bad_key: whether the server rejects the key, whatever the status.
            no_quota: whether the quota is used up, so that waiting does not help.
        """
        by = f" through the proxy {self._proxy}" if self._proxy and status in (407, 502, 503, 504) else ""
        words = f"{status}{by}: {one_line(message)}"
        if bad_key or status in (401, 403):
            return self.final(
                f"the server rejects the key ({words})",
                f"check environment variable {self._variable}",
                of_request=False,
            )
        if no_quota or status == 402:
            return self.final(
                f"the account's quota is used up ({words})",
                "add credit or wait for the next day, then run again",
                of_request=False,
            )
        if status == 429:
            return self.transient(f"too many requests ({words})", "rate", wait)
        if status in (408, 504):
            return self.transient(f"no answer in time ({words})", "timeout", wait)
        if status in (409, 425, 499) or status >= 500:
            return self.transient(f"the server failed ({words})", "server", wait)
        if status == 404:
            return self.final(
                f"not found on the server ({words})", "check model and base_url in config/llms", of_request=False
            )
        if status == 413 or _TOO_LONG.search(message):
            return self.final(
                f"a prompt is too long ({words})", "shorten the prompt file or its exemplars, or lower max_new_tokens"
            )
        return self.final(
            f"the server refuses a request ({words})", "change the settings in config/llms or the prompt file"
        )

    def _clean(self, text: str) -> str:
        return without_passwords(text.replace(self._key, "[key]"))


def entry(value: Any, *path: str | int) -> Any:
    """Return the value at a path in parsed JSON, or None if there is no such path."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
