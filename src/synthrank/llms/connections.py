"""Connections to a hosted model's server: only to its origin, and by a proxy that messages can name."""

import re
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from synthrank.config.llms import HostedLlm
from synthrank.errors import ProviderError


def open_connections(spec: HostedLlm) -> httpx2.AsyncClient:
    """Return a pool with one connection per request in flight; the SDKs' own pools keep 20 or 100.

    Redirects are followed only within the server's origin. A request to another origin is not sent, because the SDKs'
    headers contain the key: httpx2 removes ``Authorization`` and keeps others, such as Gemini's ``x-goog-api-key``.

    Raises:
        ProviderError: the environment states a proxy that httpx2 cannot use.
    """
    home = httpx2.URL(spec.address).origin

    async def stay(request: httpx2.Request) -> None:
        if request.url.origin != home:
            other = f"{request.url.scheme}://{request.url.netloc.decode()}"
            raise ProviderError(
                f"{spec.model}: the server redirects to {other}, where the key is not sent; if that is right, set "
                f"base_url in config/llms to that address, now {spec.address}"
            )

    most = spec.limits.concurrency + 4
    try:
        return httpx2.AsyncClient(
            auth=spec.login,
            timeout=httpx2.Timeout(spec.limits.timeout_s),
            limits=httpx2.Limits(max_connections=most, max_keepalive_connections=most),
            follow_redirects=True,
            event_hooks={"request": [stay]},
        )
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        words = without_passwords(str(error)).partition(". ")[0]
    # Raised outside the handler, so that it has no context: httpx2's error contains the proxy's password.
    raise ProviderError(
        f"{spec.model}: the proxies in the environment cannot be used ({', '.join(_proxies())}; {words}); unset them, "
        "or use an http:// proxy"
    )


def proxy_of(address: str) -> str:
    """Return the proxy for an address as ``VARIABLE=URL``, without its password, or an empty text."""
    parts = urlsplit(address)
    if proxy_bypass(parts.hostname or ""):
        return ""
    known = _proxies()
    return next((proxy for proxy in known if proxy.startswith((f"{parts.scheme.upper()}_", "ALL_"))), "")


def without_passwords(text: str) -> str:
    """Return a text whose URLs lack user and password."""
    return re.sub(r"(\w+://)[^\s/]*@", r"\1", text)


def _proxies() -> list[str]:
    stated = getproxies()
    return [
        f"{scheme.upper()}_PROXY={without_passwords(url if '://' in url else f'http://{url}')}"
        for scheme in ("http", "https", "all")
        if (url := stated.get(scheme))
    ]
