"""Both providers' clients over the test server, each by its own SDK and a real socket."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from provider_server import Fault
from provider_specs import KEY, gemini_spec, openai_spec, request

from synthrank.data.records import Request
from synthrank.errors import ProviderError
from synthrank.llms.base import Answer, Client
from synthrank.llms.gemini_client import GeminiClient
from synthrank.llms.openai_client import OpenAiClient


@dataclass(frozen=True)
class Provider:
    """Properties of a client that the shared tests need.

    ``snapshot`` is the model's version in a response, ``block`` a fault that blocks a reply, and ``seed`` finds
    the seed in the body of a call.
    """

    model: str
    spec: Callable[..., Any]
    client: Callable[..., Any]
    snapshot: str
    block: str
    seed: Callable[[dict[str, Any]], int]

    def use(self, server: Any, work: Callable[[Any], Any], **changes: Any) -> Any:
        """Return the result of ``work(client)``, awaited if needed, with a new client."""

        async def run() -> Any:
            client: Client = self.client(self.spec(server.url, **changes), KEY)
            try:
                found = work(client)
                return await found if isinstance(found, Awaitable) else found
            finally:
                await client.close()

        return asyncio.run(run())

    def ask(self, server: Any, asked: Request | None = None, **changes: Any) -> Answer:
        """Return the answer to one request."""
        found: Answer = self.use(server, lambda client: client.ask(asked or request()), **changes)
        return found

    def failing(self, server: Any, *faults: Fault, **changes: Any) -> ProviderError:
        """Return the error of a request, one line without a key; the SDK's error contains the whole request."""
        server.faults = list(faults)
        with pytest.raises(ProviderError) as caught:
            self.ask(server, **changes)
        message = str(caught.value)
        assert "\n" not in message
        assert message.startswith(f"{self.model}: ")
        assert KEY not in message + repr(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return caught.value

    def submitted(self, server: Any, folder: Path, texts: list[str], name: str = "a-batch") -> Any:
        """Return a batch's id, its states in two polls, two look-ups by name, its answers and its error."""

        async def work(client: Client) -> Any:
            file = folder / "in.jsonl"
            lines = [client.batch_line(f"key-{text}", request(text)) for text in texts]
            file.write_text("".join(json.dumps(line) + "\n" for line in lines))
            batch = await client.submit_batch(file, name)
            states = [await client.poll_batch(batch) for _ in range(2)]
            found = await client.find_batch(name), await client.find_batch("another")
            paths = await client.download_batch(batch, folder)
            rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
            return batch, [state.state for state in states], found, dict(map(client.read_line, rows)), states[-1].error

        return self.use(server, work)


OPENAI = Provider(
    "gpt-4.1-mini", openai_spec, OpenAiClient, "gpt-4.1-mini-2025-04-14", "refusal", lambda body: body["seed"]
)
GEMINI = Provider(
    "gemini-2.5-flash", gemini_spec, GeminiClient, "gemini-2.5-flash-001", "SAFETY",
    lambda body: body["generationConfig"]["seed"],
)  # fmt: skip
