"""The Gemini API: generateContent and batches."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer, BatchState, request_seed
from synthrank.llms.pricing import MOST_THOUGHT
from synthrank.llms.provider import Provider, entry, one_line, wait_asked
from synthrank.records import Request
from synthrank.specs.llms import GeminiLlm

ADDRESS = "https://generativelanguage.googleapis.com"
VERSION = "v1beta"

FINISHED = {"STOP": "stop", "MAX_TOKENS": "length"}
BLOCKED = {"SAFETY", "RECITATION", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "LANGUAGE", "OTHER"}
STATES = {
    "JOB_STATE_SUCCEEDED": "done",
    "JOB_STATE_PARTIALLY_SUCCEEDED": "done",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_EXPIRED": "expired",
    "JOB_STATE_CANCELLED": "cancelled",
}
STATUS = {1: 499, 2: 500, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 10: 409, 13: 500, 14: 503, 16: 401}
"""The HTTP status of google.rpc.Code, which a batch's lines use."""


class GeminiClient(Provider):
    """One model behind the Gemini API; see :class:`~synthrank.llms.base.Client`."""

    def __init__(self, spec: GeminiLlm, key: str) -> None:
        super().__init__(spec, key, ADDRESS)
        self._spec = spec
        self._opened: tuple[genai.Client, httpx2.AsyncClient] | None = None
        sampling, budget = spec.sampling, spec.thinking_budget
        # The provider counts thoughts against the limit, so that without room for them an answer would be cut early.
        room = sampling.max_new_tokens + (MOST_THOUGHT if budget < 0 else budget)
        self._settings: dict[str, Any] = {
            "temperature": sampling.temperature,
            "topP": sampling.top_p,
            "maxOutputTokens": room,
            "thinkingConfig": {"thinkingBudget": budget},
        }

    @property
    def _sdk(self) -> genai.client.AsyncClient:
        """The SDK, opened on first use: its connections belong to the event loop of that moment."""
        if self._opened is None:
            # Its own pool keeps it from aiohttp, which it would take if it were there, and would then ask twice by
            # itself after a lost connection.
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
        """Let go of connections; the next call opens new ones."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened[1].aclose()
            opened[0].close()

    async def ask(self, request: Request) -> Answer:
        """Ask once; see :class:`~synthrank.llms.base.Client`."""
        body = self._body(request)
        settings = body["generationConfig"]
        config: types.GenerateContentConfigDict = {
            "temperature": settings["temperature"],
            "top_p": settings["topP"],
            "seed": settings["seed"],
            "max_output_tokens": settings["maxOutputTokens"],
            "thinking_config": {"thinking_budget": self._spec.thinking_budget},
            "automatic_function_calling": {"disable": True},
        }
        if request.schema:
            config["response_mime_type"] = settings["responseMimeType"]
            config["response_json_schema"] = settings["responseJsonSchema"]
        if "systemInstruction" in body:
            config["system_instruction"] = body["systemInstruction"]
        response = await self.call(
            self._sdk.models.generate_content(model=self._spec.model, contents=body["contents"], config=config)
        )
        return self._answer(response)

    def batch_line(self, key: str, request: Request) -> dict[str, Any]:
        """Return the line of a batch's input file for one request."""
        return {"key": key, "request": self._body(request)}

    def read_line(self, line: Mapping[str, Any]) -> tuple[str, Answer | ProviderError]:
        """Return the key of a line of a batch's result file, and what it says: an answer or an error."""
        key = str(line.get("key") or "")
        error, response = line.get("error"), line.get("response")
        if error and not response:
            code, said = entry(error, "code"), str(entry(error, "message") or error)
            return key, self.refused(STATUS.get(code, code) if isinstance(code, int) else 500, said)
        try:
            return key, self._answer(types.GenerateContentResponse.model_validate(response))
        except TransientError as problem:
            return key, problem
        except ValueError as problem:
            return key, self.malformed(str(problem))

    async def submit_batch(self, file: Path, name: str) -> str:
        """Upload a batch's input file and submit it; the name is the batch's display name."""
        config: types.UploadFileConfigDict = {"mime_type": "jsonl", "display_name": name}
        upload = await self.call(self._sdk.files.upload(file=file, config=config))
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
        """Return where a batch stands."""
        batch = await self.call(self._sdk.batches.get(name=batch_id))
        state = STATES.get(batch.state.value if batch.state else "", "running")
        return BatchState(state, await self._why(batch_id) if state == "failed" else "")

    async def _why(self, batch_id: str) -> str:
        """Return the words with which a batch failed: the SDK leaves them out."""
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
        """Download the one file of answers and errors, where there is one."""
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

    def _answer(self, response: types.GenerateContentResponse) -> Answer:
        """Return the answer that a response holds."""
        usage, feedback = response.usage_metadata, response.prompt_feedback
        if feedback and feedback.block_reason:
            tokens_in = usage.prompt_token_count if usage else 0
            word = feedback.block_reason.value
            return Answer("", "blocked", response.model_version or "", tokens_in or 0, tokens_out=0, blocked=word)
        if not response.candidates:
            raise self.malformed("it holds no candidates")
        candidate = response.candidates[0]
        reason = candidate.finish_reason.value if candidate.finish_reason else ""
        if reason not in FINISHED and reason not in BLOCKED:
            raise self.malformed(f"its finishReason is {reason or 'absent'}")
        if usage is None or usage.prompt_token_count is None:
            raise self.malformed("it holds no token counts")
        parts = candidate.content.parts if candidate.content and candidate.content.parts else []
        return Answer(
            text="".join(part.text for part in parts if part.text and not part.thought),
            finish_reason=FINISHED.get(reason, "blocked"),
            snapshot=response.model_version or "",
            tokens_in=usage.prompt_token_count,
            tokens_out=(usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            tokens_cached=usage.cached_content_token_count or 0,
            blocked="" if reason in FINISHED else reason,
        )

    def translated(self, error: Exception) -> ProviderError | None:
        """Return what an exception means; see :class:`~synthrank.llms.provider.Provider`."""
        if isinstance(error, errors.APIError):
            details = entry(error.details, "error", "details") or []
            delays = [entry(detail, "retryDelay") for detail in details]
            quotas = [str(entry(detail, "violations", 0, "quotaId")) for detail in details]
            asked = next((float(delay[:-1]) for delay in delays if re.fullmatch(r"\d+(\.\d+)?s", str(delay))), None)
            headers = getattr(error.response, "headers", None) or {}
            return self.refused(
                error.code,
                error.message or str(error),
                wait=wait_asked(headers) if asked is None else asked,
                bad_key=any(entry(detail, "reason") == "API_KEY_INVALID" for detail in details),
                no_quota=any("PerDay" in quota for quota in quotas),
            )
        # The SDK parses a body that is no JSON, or not of its form, and lets the parser's errors through.
        if isinstance(error, ValueError | KeyError):
            return self.malformed(f"{type(error).__name__}: {error}")
        return super().translated(error)
