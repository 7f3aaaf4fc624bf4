"""What the clients of all providers share: connections, and errors in the project's own words, without the key."""

import re
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx2

from synthrank.errors import ProviderError, TransientError
from synthrank.specs.llms import HostedLlm

T = TypeVar("T")

LONGEST_TEXT = 300
"""Characters of a provider's own words that an error repeats."""

_TOO_LONG = re.compile(
    r"context.?(length|window)|token count .*exceeds|maximum number of tokens|too long|too many tokens", re.IGNORECASE
)


def one_line(text: object) -> str:
    """Return a provider's words on one line, cut where they are long."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, given as seconds or as a date, or None."""
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
    """A hosted model's connections and errors. The key is held here and is in nothing that leaves."""

    def __init__(self, spec: HostedLlm, key: str, address: str) -> None:
        self._key, self._address = key, (spec.base_url or address).rstrip("/")
        self._name, self._variable = spec.model, spec.key_variable
        self._limits = spec.limits

    def connections(self) -> httpx2.AsyncClient:
        """Return a pool that holds one connection a request in flight; the SDKs' own keep 20 or 100."""
        most = self._limits.concurrency
        return httpx2.AsyncClient(
            timeout=httpx2.Timeout(self._limits.timeout_s),
            limits=httpx2.Limits(max_connections=most + 4, max_keepalive_connections=most + 4),
            follow_redirects=True,
        )

    async def call(self, calling: Awaitable[T]) -> T:
        """Await a call of the SDK.

        Raises:
            TransientError: asking again may help.
            ProviderError: it will not.
        """
        try:
            return await calling
        except Exception as error:
            problem = self.translated(error)
            if problem is None:
                raise
        # Out here it has no cause and no context: the SDK's error carries the request, and with it the key.
        raise problem

    def translated(self, error: Exception) -> ProviderError | None:
        """Return what an exception of the connection means, or None if it is not one; the SDKs' are added to it."""
        if isinstance(error, httpx2.TimeoutException):
            return self.transient("no answer in time", "timeout")
        if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL | httpx2.LocalProtocolError):
            return self.final(f"no request can be made ({one_line(error)})", "check base_url in config/llms")
        if isinstance(error, httpx2.HTTPError):
            return self.transient(f"no connection to {self._address}: {type(error).__name__}: {error}", "connection")
        return None

    def transient(self, what: str, kind: str, wait: float | None = None) -> TransientError:
        """Return an error that may pass."""
        return TransientError(self._clean(f"{self._name}: {one_line(what)}"), kind, wait)

    def final(self, what: str, remedy: str) -> ProviderError:
        """Return an error that will not pass."""
        return ProviderError(self._clean(f"{self._name}: {one_line(what)}; {remedy}"))

    def malformed(self, what: str) -> TransientError:
        """Return the error for an answer that cannot be read."""
        return self.transient(f"the server's answer cannot be read: {what}", "malformed")

    def refused(
        self, status: int, said: str, *, wait: float | None = None, bad_key: bool = False, no_quota: bool = False
    ) -> ProviderError:
        """Return what an answer with an HTTP status of an error means.

        Args:
            status: the status.
            said: the server's own words.
            wait: the seconds it asks to wait.
            bad_key: it says that the key is not valid, whatever the status.
            no_quota: it says that no waiting will help.
        """
        words = f"{status}: {one_line(said)}"
        if bad_key or status in (401, 403):
            return self.final(f"the server rejects the key ({words})", f"check environment variable {self._variable}")
        if no_quota or status == 402:
            return self.final(
                f"the account's quota is used up ({words})", "add credit or wait for the next day, then run again"
            )
        if status == 429:
            return self.transient(f"too many requests ({words})", "rate", wait)
        if status in (408, 504):
            return self.transient(f"no answer in time ({words})", "timeout", wait)
        if status in (409, 425, 499) or status >= 500:
            return self.transient(f"the server failed ({words})", "server", wait)
        if status == 404:
            return self.final(f"the server does not know it ({words})", "check model and base_url in config/llms")
        if status == 413 or _TOO_LONG.search(said):
            return self.final(
                f"a prompt is too long ({words})", "shorten the prompt file or its exemplars, or lower max_new_tokens"
            )
        return self.final(
            f"the server refuses a request ({words})", "change the settings in config/llms or the prompt file"
        )

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "[key]")


def entry(value: Any, *path: str | int) -> Any:
    """Return what lies at a path in parsed JSON, or None where there is no such path."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
