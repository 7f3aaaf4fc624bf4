"""OpenAI's chat completions and batches, and those of any server that speaks them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2
from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, BadRequestError, OpenAIError

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer, BatchState, request_seed
from synthrank.llms.provider import Provider, entry, one_line, wait_asked
from synthrank.records import Request
from synthrank.specs.llms import OpenAiLlm

ADDRESS = "https://api.openai.com/v1"
ENDPOINT: Final = "/v1/chat/completions"

FINISHED = {"stop": "stop", "length": "length", "content_filter": "blocked"}
BLOCKED_PROMPT = {"content_filter", "content_policy_violation", "invalid_prompt"}
NO_QUOTA = {"insufficient_quota", "billing_hard_limit_reached"}
STATES = {"completed": "done", "failed": "failed", "expired": "expired", "cancelled": "cancelled"}
UNFINISHED = {"batch_expired", "batch_cancelled"}


class OpenAiClient(Provider):
    """One model behind OpenAI's interface; see :class:`~synthrank.llms.base.Client`."""

    def __init__(self, spec: OpenAiLlm, key: str) -> None:
        super().__init__(spec, key, ADDRESS)
        self._spec = spec
        self._opened: AsyncOpenAI | None = None
        sampling = spec.sampling
        self._settings = {
            "model": spec.model,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            spec.token_limit_key: sampling.max_new_tokens,
        }

    @property
    def _sdk(self) -> AsyncOpenAI:
        """The SDK, opened on first use: its connections belong to the event loop of that moment."""
        if self._opened is None:
            self._opened = AsyncOpenAI(
                api_key=self._key,
                base_url=self._address,
                max_retries=0,
                timeout=self._limits.timeout_s,
                http_client=self.connections(),
            )
        return self._opened

    async def close(self) -> None:
        """Let go of connections; the next call opens new ones."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    async def ask(self, request: Request) -> Answer:
        """Ask once; see :class:`~synthrank.llms.base.Client`."""
        # The body is read here, once: the SDK's own models of it cost 0.8 ms more a request.
        response = await self.call(self._asked(request))
        if isinstance(response, Answer):
            return response
        try:
            body = json.loads(response.content)
        except ValueError:
            body = None
        return self._answer(body)

    async def _asked(self, request: Request) -> httpx2.Response | Answer:
        try:
            return await self._sdk.post("/chat/completions", body=self._body(request), cast_to=httpx2.Response)
        except BadRequestError as error:
            if error.code not in BLOCKED_PROMPT:
                raise
            return self._blocked_prompt(error.code)

    def batch_line(self, key: str, request: Request) -> dict[str, Any]:
        """Return the line of a batch's input file for one request."""
        return {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": self._body(request)}

    def read_line(self, line: Mapping[str, Any]) -> tuple[str, Answer | ProviderError]:
        """Return the key of a line of a batch's result file, and what it says: an answer or an error."""
        key = str(line.get("custom_id") or "")
        response, error = line.get("response"), line.get("error")
        if error and not response:
            words = one_line(entry(error, "message") or error)
            if entry(error, "code") in UNFINISHED:
                return key, self.transient(f"the batch ended before it was asked ({words})", "server")
            return key, self.transient(f"the server failed ({words})", "server")
        status, body = entry(response, "status_code"), entry(response, "body")
        if isinstance(status, int) and status != 200:
            code, message = entry(body, "error", "code"), entry(body, "error", "message")
            if status == 400 and code in BLOCKED_PROMPT:
                return key, self._blocked_prompt(code)
            return key, self.refused(status, str(message or body), no_quota=code in NO_QUOTA)
        try:
            return key, self._answer(body)
        except TransientError as problem:
            return key, problem

    async def submit_batch(self, file: Path, name: str) -> str:
        """Upload a batch's input file and submit it; the name stands in the batch's metadata."""
        with file.open("rb") as content:
            upload = await self.call(self._sdk.files.create(file=(file.name, content), purpose="batch"))
        batch = await self.call(
            self._sdk.batches.create(
                input_file_id=upload.id, endpoint=ENDPOINT, completion_window="24h", metadata={"name": name}
            )
        )
        return batch.id

    async def find_batch(self, name: str) -> str | None:
        """Return the id of the newest batch that was submitted under a name."""
        return await self.call(self._found(name))

    async def _found(self, name: str) -> str | None:
        async for batch in self._sdk.batches.list(limit=100):
            if batch.metadata and batch.metadata.get("name") == name:
                return batch.id
        return None

    async def poll_batch(self, batch_id: str) -> BatchState:
        """Return where a batch stands."""
        batch = await self.call(self._sdk.batches.retrieve(batch_id))
        problems = batch.errors.data if batch.errors and batch.errors.data else []
        why = "; ".join(one_line(problem.message) for problem in problems[:3])
        return BatchState(STATES.get(batch.status, "running"), self._clean(why))

    async def download_batch(self, batch_id: str, folder: Path) -> list[Path]:
        """Download the files of answers and of errors, where there are such."""
        batch = await self.call(self._sdk.batches.retrieve(batch_id))
        paths = []
        for kind, file_id in (("answers", batch.output_file_id), ("errors", batch.error_file_id)):
            if file_id:
                path = folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', batch_id)}-{kind}.jsonl"
                await self.call(self._saved(file_id, path))
                paths.append(path)
        return paths

    async def _saved(self, file_id: str, path: Path) -> None:
        async with self._sdk.files.with_streaming_response.content(file_id) as response:
            await response.stream_to_file(path)

    def _body(self, request: Request) -> dict[str, Any]:
        return {
            **self._settings,
            # 31 bits: servers differ in the integers they take, and all take these.
            "seed": request_seed(self._spec.sampling.seed, request) >> 33,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **_response_format(request),
        }

    def _answer(self, body: Any) -> Answer:
        """Return the answer that a completion holds."""
        message, reason = entry(body, "choices", 0, "message"), entry(body, "choices", 0, "finish_reason")
        if not isinstance(message, dict):
            raise self.malformed("it holds no choices")
        if reason not in FINISHED:
            raise self.malformed(f"its finish_reason is {reason!r}")
        tokens_in, tokens_out = entry(body, "usage", "prompt_tokens"), entry(body, "usage", "completion_tokens")
        if not isinstance(tokens_in, int) or not isinstance(tokens_out, int):
            raise self.malformed("it holds no token counts")
        refusal = message.get("refusal")
        blocked = "refusal" if refusal else "content_filter" if reason == "content_filter" else ""
        return Answer(
            text=message.get("content") or refusal or "",
            finish_reason="blocked" if blocked else FINISHED[reason],
            snapshot=str(body.get("model") or ""),
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            tokens_cached=entry(body, "usage", "prompt_tokens_details", "cached_tokens") or 0,
            blocked=blocked,
        )

    def _blocked_prompt(self, code: str) -> Answer:
        return Answer("", "blocked", self._spec.model, tokens_in=0, tokens_out=0, blocked=code)

    def translated(self, error: Exception) -> ProviderError | None:
        """Return what an exception means; see :class:`~synthrank.llms.provider.Provider`."""
        if isinstance(error, APITimeoutError):
            return self.transient("no answer in time", "timeout")
        if isinstance(error, APIConnectionError):
            cause = error.__cause__
            known = super().translated(cause) if isinstance(cause, Exception) else None
            return known or self.transient(f"no connection to {self._address}: {cause or error}", "connection")
        if isinstance(error, APIStatusError):
            said = str(entry(error.body, "message") or error.message)
            wait = wait_asked(error.response.headers)
            return self.refused(error.status_code, said, wait=wait, no_quota=error.code in NO_QUOTA)
        # The SDK reads files and batches itself, and lets through what it cannot read.
        if isinstance(error, OpenAIError | json.JSONDecodeError):
            return self.malformed(f"{type(error).__name__}: {error}")
        return super().translated(error)


def _response_format(request: Request) -> dict[str, Any]:
    """Return what asks for structured output, where the request has a schema."""
    if not request.schema:
        return {}
    form = {"name": "reply", "strict": True, "schema": json.loads(request.schema)}
    return {"response_format": {"type": "json_schema", "json_schema": form}}
