"""The Gemini API: generateContent and batches."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from synthrank.config.llms import GeminiLlm
from synthrank.data.records import Request
from synthrank.errors import ProviderError
from synthrank.llms.base import Answer, BatchState, request_seed
from synthrank.llms.bodies import ERROR_REMEDY, error_words, make_valid, parse_json, read_content, read_count
from synthrank.llms.http_errors import Provider, entry, one_line, retry_after
from synthrank.llms.store.pricing import most_thought

VERSION = "v1beta"

FINISHED = {"STOP": "stop", "MAX_TOKENS": "length"}
BLOCKED = {"SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "LANGUAGE", "OTHER"}
STATUS = {1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 10: 409, 13: 500, 14: 503, 16: 401}
"""The HTTP status of google.rpc.Code, which a batch's lines use."""


class GeminiClient(Provider):
    """One model behind the Gemini API; see :class:`~synthrank.llms.base.Client`."""

    def __init__(self, spec: GeminiLlm, key: str) -> None:
        super().__init__(spec, key)
        self._spec = spec
        self._opened: tuple[genai.Client, httpx2.AsyncClient] | None = None
        sampling, budget = spec.sampling, spec.thinking_budget
        settings: dict[str, Any] = {
            "temperature": sampling.temperature,
            "topP": sampling.top_p,
            # Thoughts count against the limit; without extra room, an answer would be cut early.
            "maxOutputTokens": sampling.max_new_tokens + most_thought(spec),
            "thinkingConfig": None if budget is None else {"thinkingBudget": budget},
        }
        self._settings = {name: value for name, value in settings.items() if value is not None}

    @property
    def _sdk(self) -> genai.client.AsyncClient:
        """The SDK, opened on first use because its connections belong to the current event loop."""
        if self._opened is None:
            # With an explicit pool the SDK does not use aiohttp, with which it retries after a lost connection.
            connections = self.connections()
            options = types.HttpOptions(
                base_url=self._address,
                api_version=VERSION,
                timeout=int(self._limits.timeout_s * 1000),
                httpx_async_client=connections,
            )
            self._opened = genai.Client(api_key=self._key, vertexai=False, http_options=options), connections
        return self._opened[0].aio

    async def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[1].aclose()
            opened[0].close()

    async def ask(self, request: Request) -> Answer:
        """Send a request once; see :class:`~synthrank.llms.base.Client`."""
        body = self._body(request)
        settings = body["generationConfig"]
        config: types.GenerateContentConfigDict = {
            "temperature": settings.get("temperature"),
            "top_p": settings.get("topP"),
            "seed": settings["seed"],
            "max_output_tokens": settings["maxOutputTokens"],
            "thinking_config": settings.get("thinkingConfig"),
            "automatic_function_calling": {"disable": True},
            # The SDK's models refuse answers with a type, text or word that they do not know.
            "should_return_http_response": True,
        }
        if request.schema:
            config["response_mime_type"] = settings["responseMimeType"]
            config["response_json_schema"] = settings["responseJsonSchema"]
        if "systemInstruction" in body:
            config["system_instruction"] = body["systemInstruction"]
        response = await self.call(
            self._sdk.models.generate_content(model=self._spec.model, contents=body["contents"], config=config)
        )
        raw = response.sdk_http_response
        return self._answer(parse_json((raw.body if raw else None) or ""))

    def batch_line(self, key: str, request: Request) -> dict[str, Any]:
        """Return the line of a batch's input file for one request."""
        return {"key": key, "request": self._body(request)}

    def read_line(self, line: Mapping[str, Any]) -> tuple[str, Answer | ProviderError]:
        """Return the key of a line of a batch's result file, and its answer or error."""
        key = str(line.get("key") or "")
        error, response = line.get("error"), line.get("response")
        if error and not response:
            code, words = entry(error, "code"), str(entry(error, "message") or error)
            return key, self.refused(STATUS.get(code, code) if isinstance(code, int) else 500, words)
        try:
            return key, self._answer(response)
        except ProviderError as problem:
            return key, problem

    async def submit_batch(self, file: Path, name: str) -> str:
        """Upload a batch's input file and submit it; the name is the batch's display name."""
        config: types.UploadFileConfigDict = {"mime_type": "jsonl", "display_name": name}
        upload = await self.call(self._sdk.files.upload(file=file, config=config), of_batches=True)
        if not upload.name:
            raise self.malformed("the uploaded file has no name")
        batch = await self.call(
            self._sdk.batches.create(model=self._spec.model, src=upload.name, config={"display_name": name})
        )
        if not batch.name:
            raise self.malformed("the batch has no name")
        return batch.name

    async def find_batch(self, name: str) -> str | None:
        """Return the id of the newest batch that was submitted under a name."""
        return await self.call(self._found(name))

    async def _found(self, name: str) -> str | None:
        async for batch in await self._sdk.batches.list(config={"page_size": 100}):
            if batch.display_name == name:
                return batch.name
        return None

    async def poll_batch(self, batch_id: str) -> BatchState:
        """Return the state of a batch."""
        batch = await self.call(self._sdk.batches.get(name=batch_id))
        state = self.batch_state(batch_id, str(batch.state.value if batch.state else ""))
        return BatchState(state, await self._why(batch_id) if state == "failed" else "")

    async def _why(self, batch_id: str) -> str:
        """Return the provider's reason why a batch failed, which the SDK omits."""
        _, connections = self._opened or (None, None)
        if connections is None:
            return ""
        try:
            address = f"{self._address}/{VERSION}/{batch_id}"
            answer = await connections.get(address, headers={"x-goog-api-key": self._key})
            return self._clean(one_line(entry(answer.json(), "error", "message") or ""))
        except (httpx2.HTTPError, ValueError):
            return ""

    async def download_batch(self, batch_id: str, folder: Path) -> list[Path]:
        """Download the file of answers and errors, if there is one."""
        batch = await self.call(self._sdk.batches.get(name=batch_id))
        if not batch.dest or not batch.dest.file_name:
            return []
        path = folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', batch_id)}-answers.jsonl"
        await self.call(self._sdk.files.download(file=batch.dest.file_name, destination=path))
        return [path]

    def _body(self, request: Request) -> dict[str, Any]:
        turns, system = [], []
        for message in request.messages:
            if message.role == "system":
                system.append({"text": message.content})
            else:
                role = "model" if message.role == "assistant" else "user"
                turns.append({"role": role, "parts": [{"text": message.content}]})
        # 31 bits: the field is a signed 32-bit integer.
        seed = request_seed(self._spec.sampling.seed, request) >> 33
        settings = {**self._settings, "seed": seed}
        if request.schema:
            settings |= {"responseMimeType": "application/json", "responseJsonSchema": json.loads(request.schema)}
        body: dict[str, Any] = {"contents": turns, "generationConfig": settings}
        return {**body, "systemInstruction": {"parts": system}} if system else body

    def _answer(self, body: Any) -> Answer:
        """Return the answer in a response. An answer that was paid for is kept, whatever it lacks.

        Raises:
            TransientError: a candidate and a token count are missing.
            ProviderError: there is an error in place of a text.
        """
        usage, candidate = entry(body, "usageMetadata"), entry(body, "candidates", 0)
        withheld = make_valid(entry(body, "promptFeedback", "blockReason"))
        text, thought = read_content(entry(candidate, "content", "parts"))
        if entry(body, "error") and not text:
            raise self.final(f"the server answers with an error ({error_words(body['error'])})", ERROR_REMEDY)
        if not isinstance(candidate, dict) and not isinstance(usage, dict) and not withheld:
            raise self.malformed("it has no candidates")
        reason = make_valid(entry(candidate, "finishReason"))
        blocked = withheld or (reason if reason in BLOCKED else "")
        tokens_in = read_count(entry(usage, "promptTokenCount"))
        written, thinking, cached = (
            read_count(entry(usage, f"{what}TokenCount")) or 0 for what in ("candidates", "thoughts", "cachedContent")
        )
        return Answer(
            text="" if withheld else text,
            finish_reason="blocked" if blocked else FINISHED.get(reason, "unknown"),
            snapshot=make_valid(entry(body, "modelVersion")),
            tokens_in=tokens_in or 0,
            tokens_out=written + thinking,
            tokens_cached=min(tokens_in or 0, cached),
            blocked=blocked,
            thought=thought,
            tokens_thought=thinking,
            counted=tokens_in is not None or bool(withheld),
        )

    def translated(self, error: Exception) -> ProviderError | None:
        """Return an exception as ProviderError; see :class:`~synthrank.llms.http_errors.Provider`."""
        if isinstance(error, errors.APIError):
            details = entry(error.details, "error", "details") or []
            delays = [entry(detail, "retryDelay") for detail in details]
            quotas = [str(entry(detail, "violations", 0, "quotaId")) for detail in details]
            stated = next((float(delay[:-1]) for delay in delays if re.fullmatch(r"\d+(\.\d+)?s", str(delay))), None)
            headers = getattr(error.response, "headers", None) or {}
            return self.refused(
                error.code,
                error.message or str(error),
                wait=retry_after(headers) if stated is None else stated,
                bad_key=any(entry(detail, "reason") == "API_KEY_INVALID" for detail in details),
                no_quota=any("PerDay" in quota for quota in quotas),
            )
        # The SDK does not catch the errors of its parser.
        if isinstance(error, ValueError | KeyError):
            return self.malformed(f"{type(error).__name__}: {error}")
        return super().translated(error)
