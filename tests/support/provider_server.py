"""A local server with the HTTP interfaces of OpenAI and Gemini that counts requests and fails by script.

    with ProviderServer(faults=[Fault("429", match="bees", retry_after=0.1)]) as server:
        ...                     # OpenAI: server.url + "/v1", Gemini: server.url
        assert server.asked["why do bees dance"] == 2

The last user message identifies a request. Kinds of faults:

    429 500 503 408     that status, with Retry-After where retry_after is given
    reset               half of the answer's body, then the connection is reset
    lost                the request is carried out, then the connection is reset
    hang                no answer until the client goes
    malformed           a body that is half a JSON document
    empty               an answer without choices or candidates, and without token counts
    no-usage            an answer without token counts
    length              an answer that was cut
    content_filter refusal                                  OpenAI's blocks
    SAFETY RECITATION PROHIBITED_CONTENT prompt-block       Gemini's (prompt-block: OpenAI-compatible servers' too)
    bad-key no-model too-long bad-request no-quota          errors for good
    line-missing line-duplicate line-broken line-error      a line of a batch's results
    batch-failed batch-expired batch-cancelled              a batch that holds a message that matches
"""

import asyncio
import hashlib
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from provider_wire import Gemini, OpenAi

Wire = type[OpenAi] | type[Gemini]
STATUSES = ("429", "500", "503", "408", "bad-key", "no-model", "too-long", "bad-request", "no-quota")
ANSWERS = ("", "length", "empty", "no-usage", "content_filter", "refusal", "SAFETY", "RECITATION", "PROHIBITED_CONTENT")
LINES = ("line-missing", "line-duplicate", "line-broken", "line-error")
BATCHES = ("batch-failed", "batch-expired", "batch-cancelled")
MIXED = ("429", "500", "503", "reset", "malformed", "empty")
HANG_S = 600


@dataclass(frozen=True)
class Fault:
    """A fault, for the requests ``first`` to ``last`` of the messages that match.

    ``share`` picks a fraction of the messages by their hash; ``kind`` "mixed" picks one of ``MIXED`` by hash. ``path``
    must be part of the request's path; calls without a message (files, batches) count by path.
    """

    kind: str
    match: str = ""
    first: int = 1
    last: int = 1
    share: float = 1.0
    retry_after: float | None = None
    path: str = ""

    def kind_for(self, message: str, ask: int, path: str) -> str:
        """Return the kind of fault for a request, or an empty string."""
        number = int.from_bytes(hashlib.sha256(message.encode()).digest()[:8], "big")
        if not (self.match in message and self.path in path and self.first <= ask <= self.last):
            return ""
        if number % 10_000 >= self.share * 10_000:
            return ""
        return MIXED[number // 10_000 % len(MIXED)] if self.kind == "mixed" else self.kind


@dataclass
class Call:
    """One call, as received."""

    method: str
    path: str
    message: str = ""
    body: Any = None
    fault: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    time: float = 0.0


class Reset(Exception):
    """Reset the connection after sending ``sent``."""

    def __init__(self, sent: bytes = b"") -> None:
        super().__init__()
        self.sent = sent


Response = tuple[int, dict[str, str], bytes]


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode()


def _lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


class ProviderServer:
    """Both providers on one port of localhost; a context manager that serves in a thread.

    Args:
        faults: the first that applies is used.
        latency: mean seconds to an answer; ``spread`` is the standard deviation.
        batch_polls: polls before a batch is done; ``batch_s`` is its minimum duration in seconds.
        page: batches per page of the list.
    """

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        latency: float = 0.0,
        spread: float = 0.0,
        batch_polls: int = 1,
        batch_s: float = 0.0,
        page: int = 20,
    ) -> None:
        self.faults = list(faults)
        self.latency, self.spread = latency, spread
        self.batch_polls, self.batch_s, self.page = batch_polls, batch_s, page
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.calls: list[Call] = []
        self.count = self.failed = self.in_flight = self.most_in_flight = 0
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.port = 0
        self.redirect = ""
        """The origin to which the first call is redirected."""
        self._uploads: dict[str, bytes] = {}
        self._counts: Counter[str] = Counter()
        self._numbers = random.Random(13)
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # Serving

    def __enter__(self) -> "ProviderServer":
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(started)), daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _run(self, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await self.listen(0)
        started.set()
        await self._stop.wait()
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def listen(self, port: int) -> None:
        """Start to serve on a port, 0 for any."""
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {}
                for line in head[1:-2]:
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = await self._body(reader, headers)
                status, extra, sent = await self._respond(method, target, headers, body, reader)
                lines = [
                    f"HTTP/1.1 {status} X",
                    *(f"{k}: {v}" for k, v in extra.items()),
                    f"Content-Length: {len(sent)}",
                ]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
                await writer.drain()
        except Reset as reset:
            if reset.sent:
                length = 2 * len(reset.sent)
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + reset.sent)
                await writer.drain()
                await asyncio.sleep(0.01)
            writer.transport.abort()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    @staticmethod
    async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", 0)))
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(parts)

    async def _respond(
        self, method: str, target: str, headers: dict[str, str], body: bytes, reader: asyncio.StreamReader
    ) -> Response:
        if self.redirect:
            place, self.redirect = self.redirect, ""
            return 307, {"Location": place + target}, b""
        url = urlsplit(target)
        wire: Wire = OpenAi if url.path.startswith("/v1/") else Gemini
        live = url.path.endswith(("/chat/completions", ":generateContent"))
        parsed = json.loads(body) if live else body
        message = wire.message(parsed) if live else ""
        self.count += 1
        name = message if live else f"{method} {url.path}"
        counts = self.asked if live else self._counts
        counts[name] += 1
        kind, retry_after = self._fault(message, counts[name], url.path)
        time = asyncio.get_running_loop().time()
        self.calls.append(Call(method, url.path, message, parsed, kind, headers, time))
        if not live:
            return await self._other(wire, method, url.path, url.query, headers, body, kind, retry_after, reader)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.latency:
                await asyncio.sleep(max(0.0, self._numbers.gauss(self.latency, self.spread)))
            response = await self._failing(
                wire, kind, retry_after, headers, reader, lambda: _json(wire.answer(parsed, kind))
            )
            self.answered[message] += kind in ("", "length", *OpenAi.BLOCKS, *Gemini.BLOCKS)
            return response
        finally:
            self.in_flight -= 1
            self.failed += kind not in ("", "length", *OpenAi.BLOCKS, *Gemini.BLOCKS)

    def _fault(self, message: str, ask: int, path: str) -> tuple[str, float | None]:
        for fault in self.faults:
            kind = fault.kind_for(message, ask, path)
            if kind and not kind.startswith(("line-", "batch-")):
                return kind, fault.retry_after
        return "", None

    async def _failing(self, wire, kind, retry_after, headers, reader, answer) -> Response:
        """Return what ``answer()`` makes, or fail according to ``kind``."""
        key = headers.get("authorization", headers.get("x-goog-api-key", "")).removeprefix("Bearer ")
        if kind in STATUSES or (kind == "prompt-block" and wire is OpenAi):
            status, extra, error = wire.error(kind, key, retry_after)
            return _json(error, status, extra)
        if kind == "hang":
            await asyncio.wait([asyncio.ensure_future(reader.read(1))], timeout=HANG_S)
            raise Reset
        response: Response = answer()
        if kind == "lost":
            raise Reset
        if kind == "reset":
            raise Reset(response[2][: len(response[2]) // 2])
        if kind == "malformed":
            return response[0], response[1], response[2][: len(response[2]) // 2]
        return response

    # Files and batches

    async def _other(self, wire, method, path, query, headers, body, kind, retry_after, reader) -> Response:
        return await self._failing(
            wire, kind, retry_after, headers, reader, lambda: self._route(wire, method, path, query, headers, body)
        )

    def _route(self, wire: Wire, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Response:
        if path == "/v1/files" and method == "POST":
            name = self._store(_multipart_file(headers["content-type"], body))
            return _json({"id": name, "object": "file", "bytes": len(self.files[name]), "created_at": 1,
                          "filename": "batch.jsonl", "purpose": "batch", "status": "processed"})  # fmt: skip
        if path == "/v1/batches" and method == "POST":
            given = json.loads(body)
            assert (given["endpoint"], given["completion_window"]) == ("/v1/chat/completions", "24h")
            return _json(self._openai_batch(self._submit(wire, given["input_file_id"], given["metadata"]["name"])))
        if path.endswith(":batchGenerateContent"):
            given = json.loads(body)["batch"]
            batch_id = self._submit(wire, given["inputConfig"]["fileName"].removeprefix("files/"), given["displayName"])
            return _json(self._gemini_batch(batch_id))
        if path in ("/v1/batches", "/v1beta/batches"):
            return self._list(wire, parse_qs(query))
        if match := re.fullmatch(r"/(?:v1|v1beta)/batches/([\w-]+)", path):
            return self._poll(wire, match[1])
        if match := re.fullmatch(r"/v1/files/([\w-]+)/content|/v1beta/files/([\w-]+):download", path):
            content = self.files.get(match[1] or match[2])
            return _gone(wire) if content is None else (200, {"Content-Type": "application/octet-stream"}, content)
        if path == "/upload/v1beta/files":
            name = f"upload-{self.count}"
            self._uploads[name] = b""
            active = {"X-Goog-Upload-Status": "active"}
            return _json({}, headers={"X-Goog-Upload-URL": f"{self.url}/upload/{name}", **active})
        if path.startswith("/upload/upload-"):
            return self._upload(path.removeprefix("/upload/"), headers, body)
        return _gone(wire)

    def _upload(self, name: str, headers: dict[str, str], body: bytes) -> Response:
        assert int(headers["x-goog-upload-offset"]) == len(self._uploads[name])
        self._uploads[name] += body
        if "finalize" not in headers["x-goog-upload-command"]:
            return _json({}, headers={"X-Goog-Upload-Status": "active"})
        file = self._store(self._uploads.pop(name))
        about = {"name": f"files/{file}", "mimeType": "jsonl", "sizeBytes": str(len(self.files[file])),
                 "uri": f"{self.url}/v1beta/files/{file}", "state": "ACTIVE", "source": "UPLOADED"}  # fmt: skip
        return _json({"file": about}, headers={"X-Goog-Upload-Status": "final"})

    def _store(self, content: bytes) -> str:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return name

    def _submit(self, wire: Wire, file: str, name: str) -> str:
        """Run a batch: its messages count now, and are paid unless the batch fails."""
        rows = [json.loads(line) for line in self.files[file].splitlines()]
        bodies = {row["custom_id"]: row["body"] for row in rows} if wire is OpenAi else {
            row["key"]: row["request"] for row in rows}  # fmt: skip
        batch_id = f"{'batch_' if wire is OpenAi else 'batch-'}{len(self.batches)}"
        batch = self.batches[batch_id] = {"name": name, "file": file, "wire": wire, "polls": 0, "lines": len(bodies),
                                          "done_at": asyncio.get_running_loop().time() + self.batch_s}  # fmt: skip
        for body in bodies.values():
            self.asked[wire.message(body)] += 1
        faults = [self._line_fault(wire.message(body)) for body in bodies.values()]
        batch["state"] = next((kind.removeprefix("batch-") for kind in faults if kind in BATCHES), "done")
        if batch["state"] == "failed":
            return batch_id
        answers, errors = [], []
        for place, ((key, body), kind) in enumerate(zip(bodies.items(), faults, strict=True)):
            message = wire.message(body)
            if batch["state"] == "expired" and place >= len(bodies) // 2:
                errors.append(_error_line(wire, key, "batch_expired"))
            elif kind == "line-error":
                errors.append(_error_line(wire, key, "server_error"))
            elif kind != "line-missing":
                self.answered[message] += 1
                line = json.dumps(_answer_line(wire, key, wire.answer(body, kind if kind in ANSWERS else "")))
                answers += {"line-duplicate": [line, line], "line-broken": [line[: len(line) // 2]]}.get(kind, [line])
        # Results are in random order. Gemini has one file for results and errors, and no file for an expired batch.
        answers.reverse()
        if wire is Gemini and batch["state"] != "expired":
            batch["output"] = self._store(_lines([*answers, *errors]))
        elif wire is OpenAi:
            batch["output"] = self._store(_lines(answers)) if answers else None
            batch["errors"] = self._store(_lines(errors)) if errors else None
        return batch_id

    def _line_fault(self, message: str) -> str:
        kinds = (fault.kind_for(message, self.asked[message], "batch") for fault in self.faults)
        return next((kind for kind in kinds if kind.startswith(("line-", "batch-")) or kind in ANSWERS[1:]), "")

    def _poll(self, wire: Wire, batch_id: str) -> Response:
        if batch_id not in self.batches:
            return _gone(wire)
        self.batches[batch_id]["polls"] += 1
        return _json(self._openai_batch(batch_id) if wire is OpenAi else self._gemini_batch(batch_id))

    def _list(self, wire: Wire, query: dict[str, list[str]]) -> Response:
        names = [name for name, batch in reversed(self.batches.items()) if batch["wire"] is wire]
        if wire is OpenAi:
            start = names.index(query["after"][0]) + 1 if "after" in query else 0
            page = names[start : start + self.page]
            return _json({"object": "list", "data": [self._openai_batch(name) for name in page],
                          "first_id": page[0] if page else None, "last_id": page[-1] if page else None,
                          "has_more": start + self.page < len(names)})  # fmt: skip
        start = int(query.get("pageToken", ["0"])[0])
        more = {"nextPageToken": str(start + self.page)} if start + self.page < len(names) else {}
        return _json({"operations": [self._gemini_batch(n) for n in names[start : start + self.page]], **more})

    def _running(self, batch: dict[str, Any]) -> bool:
        return batch["polls"] < self.batch_polls or asyncio.get_running_loop().time() < batch["done_at"]

    def _openai_batch(self, batch_id: str) -> dict[str, Any]:
        batch = self.batches[batch_id]
        done = not self._running(batch)
        status = {"done": "completed"}.get(batch["state"], batch["state"]) if done else "in_progress"
        why = {"code": "invalid_json_line", "message": "Line 1 is not valid.", "line": 1, "param": None}
        return {"id": batch_id, "object": "batch", "endpoint": "/v1/chat/completions", "completion_window": "24h",
                "input_file_id": batch["file"], "created_at": 1, "status": status,
                "metadata": {"name": batch["name"]},
                "request_counts": {"total": batch["lines"], "completed": 0, "failed": 0},
                "errors": {"object": "list", "data": [why]} if status == "failed" else None,
                "output_file_id": batch.get("output") if done else None,
                "error_file_id": batch.get("errors") if done else None}  # fmt: skip

    def _gemini_batch(self, batch_id: str) -> dict[str, Any]:
        batch = self.batches[batch_id]
        done = not self._running(batch)
        state = {"done": "SUCCEEDED"}.get(batch["state"], batch["state"].upper()) if done else "RUNNING"
        metadata: dict[str, Any] = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "name": f"batches/{batch_id}", "displayName": batch["name"], "model": "models/gemini-2.5-flash",
            "createTime": "2026-01-01T00:00:00Z", "updateTime": "2026-01-01T00:00:00Z",
            "inputConfig": {"fileName": f"files/{batch['file']}"}, "state": f"BATCH_STATE_{state}"}  # fmt: skip
        about: dict[str, Any] = {"name": f"batches/{batch_id}", "metadata": metadata, "done": done}
        if done and batch.get("output"):
            metadata["output"] = {"responsesFile": f"files/{batch['output']}"}
            about["response"] = metadata["output"]
        if state == "FAILED":
            about["error"] = {"code": 3, "message": "Line 1 is not valid."}
        return about


def _gone(wire: Wire) -> Response:
    status, headers, error = wire.error("no-model", "", None)
    return _json(error, status, headers)


def _multipart_file(content_type: str, body: bytes) -> bytes:
    """Return the content of the part with the name ``file``."""
    boundary = b"--" + content_type.split("boundary=")[1].strip('"').encode()
    for part in body.split(boundary):
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="file"' in head:
            return content.removesuffix(b"\r\n")
    raise ValueError("no part is called file")


def _answer_line(wire: Wire, key: str, answer: dict[str, Any]) -> dict[str, Any]:
    if wire is Gemini:
        return {"key": key, "response": answer}
    response = {"status_code": 200, "request_id": "req", "body": answer}
    return {"id": f"batch_req_{key[:8]}", "custom_id": key, "response": response, "error": None}


def _error_line(wire: Wire, key: str, code: str) -> str:
    if wire is Gemini:
        return json.dumps({"key": key, "error": {"code": 13, "message": f"Internal error: {code}."}})
    if code == "batch_expired":
        error = {"code": code, "message": "This request could not be executed before the completion window expired."}
        return json.dumps({"id": "batch_req_e", "custom_id": key, "response": None, "error": error})
    status, _, body = wire.error("500", "", None)
    response = {"status_code": status, "request_id": "req", "body": body}
    return json.dumps({"id": "batch_req_e", "custom_id": key, "response": response, "error": None})
