"""Client of OpenAI's chat completions and batches, and of servers with the same protocol."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, BadRequestError, OpenAIError

from synthrank.config.llms import OpenAiLlm
from synthrank.data.records import Request
from synthrank.errors import ProviderError
from synthrank.llms.base import Answer, BatchState, request_seed
from synthrank.llms.bodies import ERROR_REMEDY, error_words, make_valid, parse_json, read_count, read_message
from synthrank.llms.http_errors import Provider, entry, one_line, retry_after

ENDPOINT: Final = "/v1/chat/completions"

FINISHED = {"stop": "stop", "length": "length", "content_filter": "blocked"}
BLOCKED_PROMPT = {"content_filter", "content_policy_violation", "invalid_prompt"}
NO_QUOTA = {"insufficient_quota", "billing_hard_limit_reached"}
UNFINISHED = {"batch_expired", "batch_cancelled"}


class OpenAiClient(Provider):
    """One model behind OpenAI's API; see :class:`~synthrank.llms.base.Client`."""

    def __init__(self, spec: OpenAiLlm, key: str) -> None:
        super().__init__(spec, key)
        self._spec = spec
        self._opened: AsyncOpenAI | None = None
        sampling = spec.sampling
        settings = {
            "model": spec.model,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            spec.token_limit_key: sampling.max_new_tokens,
        }
        self._settings = {name: value for name, value in settings.items() if value is not None}

    @property
    def _sdk(self) -> AsyncOpenAI:
        """The SDK, opened on first use because its connections belong to the current event loop."""
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
        """Close all connections; the next call opens new ones."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    async def ask(self, request: Request) -> Answer:
        """Send a request once; see :class:`~synthrank.llms.base.Client`."""
        # Parsing the body here avoids the SDK's models, which take another 0.8 ms per request.
        response = await self.call(self._asked(request))
        if isinstance(response, Answer):
            return response
        return self._answer(parse_json(response.content))

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
        """Return the key of a line of a batch's result file, and its answer or error."""
        key = str(line.get("custom_id") or "")
        response, error = line.get("response"), line.get("error")
        if error and not response:
            words = one_line(entry(error, "message") or error)
            if entry(error, "code") in UNFINISHED:
                return key, self.transient(f"the batch ended before this request was processed ({words})", "server")
            return key, self.transient(f"the server failed ({words})", "server")
        status, body = entry(response, "status_code"), entry(response, "body")
        if isinstance(status, int) and status != 200:
            code, message = entry(body, "error", "code"), entry(body, "error", "message")
            if status == 400 and code in BLOCKED_PROMPT:
                return key, self._blocked_prompt(code)
            return key, self.refused(status, str(message or body), no_quota=code in NO_QUOTA)
        try:
            return key, self._answer(body)
        except ProviderError as problem:
            return key, problem

    async def submit_batch(self, file: Path, name: str) -> str:
        """Upload a batch's input file and submit it; the name is in the batch's metadata."""
        with file.open("rb") as content:
            upload = await self.call(
                self._sdk.files.create(file=(file.name, content), purpose="batch"), of_batches=True
            )
        batch = await self.call(
            self._sdk.batches.create(
                input_file_id=self._id_of(upload),
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={"name": name},
            ),
            of_batches=True,
        )
        return self._id_of(batch)

    def _id_of(self, created: Any) -> str:
        """Return the id of a file or a batch; some servers answer an unknown address with status 200."""
        found = getattr(created, "id", None)
        if not isinstance(found, str) or not found:
            raise self.no_batches(f"its answer to an upload is {one_line(created)}")
        return found

    async def find_batch(self, name: str) -> str | None:
        """Return the id of the newest batch that was submitted under a name."""
        return await self.call(self._found(name))

    async def _found(self, name: str) -> str | None:
        async for batch in self._sdk.batches.list(limit=100):
            if batch.metadata and batch.metadata.get("name") == name:
                return batch.id
        return None

    async def poll_batch(self, batch_id: str) -> BatchState:
        """Return the state of a batch."""
        batch = await self.call(self._sdk.batches.retrieve(batch_id))
        problems = batch.errors.data if batch.errors and batch.errors.data else []
        why = "; ".join(one_line(problem.message) for problem in problems[:3])
        return BatchState(self.batch_state(batch_id, str(getattr(batch, "status", "") or "")), self._clean(why))

    async def download_batch(self, batch_id: str, folder: Path) -> list[Path]:
        """Download the files of answers and of errors that exist."""
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
        # 31 bits: all servers accept integers of this size.
        seed = request_seed(self._spec.sampling.seed, request) >> 33
        return {
            **self._settings,
            **({self._spec.seed_key: seed} if self._spec.seed_key else {}),
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            **_response_format(request),
        }

    def _answer(self, body: Any) -> Answer:
        """Return the answer in a completion. An answer that was paid for is kept, whatever it lacks.

        Raises:
            TransientError: a choice and a token count are missing.
            ProviderError: there is an error in place of a text.
        """
        choice, usage = entry(body, "choices", 0), entry(body, "usage")
        message = entry(choice, "message")
        text, thought = read_message(entry(choice, "text") if message is None else message)
        error = entry(body, "error") or entry(choice, "error")
        if error and not text:
            raise self.final(f"the server answers with an error ({error_words(error)})", ERROR_REMEDY)
        if not isinstance(choice, dict) and not isinstance(usage, dict):
            raise self.malformed("it has no choices")
        reason, refusal = entry(choice, "finish_reason"), make_valid(entry(message, "refusal"))
        blocked = "refusal" if refusal else "content_filter" if reason == "content_filter" else ""
        tokens_in, tokens_out = (read_count(entry(usage, f"{what}_tokens")) for what in ("prompt", "completion"))
        counted = tokens_in is not None and tokens_out is not None
        return Answer(
            text=text or refusal,
            finish_reason="blocked" if blocked else FINISHED.get(str(reason), "unknown"),
            snapshot=make_valid(entry(body, "model")),
            tokens_in=tokens_in or 0,
            tokens_out=tokens_out or 0,
            tokens_cached=min(tokens_in or 0, read_count(entry(usage, "prompt_tokens_details", "cached_tokens")) or 0),
            blocked=blocked,
            thought=thought,
            tokens_thought=read_count(entry(usage, "completion_tokens_details", "reasoning_tokens")) or 0,
            counted=counted,
        )

    def _blocked_prompt(self, code: str) -> Answer:
        return Answer("", "blocked", self._spec.model, tokens_in=0, tokens_out=0, blocked=code)

    def translated(self, error: Exception) -> ProviderError | None:
        """Return an exception as ProviderError; see :class:`~synthrank.llms.http_errors.Provider`."""
        if isinstance(error, APIConnectionError):
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            return super().translated(cause) or self.unconnected(cause)
        if isinstance(error, APIStatusError):
            words = str(entry(error.body, "message") or error.message)
            wait = retry_after(error.response.headers)
            return self.refused(error.status_code, words, wait=wait, no_quota=error.code in NO_QUOTA)
        # The SDK parses files and batches itself and does not catch the parser's errors.
        if isinstance(error, OpenAIError | json.JSONDecodeError):
            return self.malformed(f"{type(error).__name__}: {error}")
        return super().translated(error)


def _response_format(request: Request) -> dict[str, Any]:
    """Return the parameter for structured output if the request has a schema, otherwise nothing."""
    if not request.schema:
        return {}
    form = {"name": "reply", "strict": True, "schema": json.loads(request.schema)}
    return {"response_format": {"type": "json_schema", "json_schema": form}}
