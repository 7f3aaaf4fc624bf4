"""A read-only S3 bucket with the files of a folder, for dry runs of Snakemake."""

import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ENTRY = "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>{size}</Size></Contents>"
LISTING = (
    '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<Name>{bucket}</Name><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
)


class BucketServer:
    """Serves the files below ``folder`` as the objects of any bucket; ``asked`` lists the signatures of requests.

    Args:
        folder: its files' relative paths are the keys.
        prefix: the start of every key.
    """

    def __init__(self, folder: Path, prefix: str) -> None:
        self.objects = {f"{prefix}/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}
        self.asked: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "BucketServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer(*bucket.head(self.path))

            def do_GET(self) -> None:
                self.answer(*bucket.listing(self.path))

            def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                bucket.asked.append((self.command, self.headers.get("Authorization", "")))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        return Handler

    def head(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """Answer whether the bucket or one of its objects exists."""
        _, _, key = unquote(urlsplit(target).path).lstrip("/").partition("/")
        if key and key not in self.objects:
            return 404, {}, b""
        size = self.objects[key].stat().st_size if key else 0
        return 200, {"Content-Length": str(size), "Last-Modified": formatdate(0, usegmt=True), "ETag": '"0"'}, b""

    def listing(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """Answer which objects begin with a prefix."""
        found = urlsplit(target)
        prefix = parse_qs(found.query).get("prefix", [""])[0]
        entries = "".join(
            ENTRY.format(key=escape(key), size=path.stat().st_size)
            for key, path in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        body = LISTING.format(bucket=found.path.strip("/"), entries=entries).encode()
        return 200, {"Content-Type": "application/xml"}, body
