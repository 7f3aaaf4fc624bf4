"""Show, export, import and compact the store of replies: ``python scripts/replies.py --help``.

The store is a folder with one folder per model.
"""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from synthrank.data.files import atomic_path, read_jsonl
from synthrank.data.passage_texts import split_into_batches
from synthrank.data.records import Reply
from synthrank.errors import StoreError, SynthrankError
from synthrank.llms.store.compact import compact
from synthrank.llms.store.segments import PATTERN, encode
from synthrank.llms.store.store import ReplyStore, Totals, folder_of
from synthrank.runtime.environment import DEFAULT_STORE, STORE, tracebacks

IMPORTED_AT_ONCE = 20_000
"""Replies of an import that are looked up and stored together, about 50 MB of memory."""

Store = Annotated[Path, Parameter(env_var=STORE)]
DEFAULT = Path(DEFAULT_STORE)

app = App(name="replies", help=__doc__, result_action="return_value")


@app.command(name="info")
def cache_info(*, store: Store = DEFAULT) -> None:
    """Show replies, tokens and dollars per model, and the size of the store.

    Args:
        store: the folder of the whole store.
    """
    rows = [("model", "replies", "tokens in", "tokens out", "dollars")]
    summaries = [ReplyStore(folder).summary() for folder in _folders(store)]
    total = Totals()
    for name, held in (model for summary in summaries for model in summary.models.items()):
        rows.append(_row(name, held))
        total.add(held)
    rows.append(_row("total", total))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        line = [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))]
        sys.stdout.write("  ".join(line).rstrip() + "\n")
    segments, size, duplicates, broken, partial = (
        sum(getattr(summary, name) for summary in summaries)
        for name in ("segments", "bytes", "duplicates", "broken", "partial")
    )
    sys.stdout.write(f"\n{store}: {size:,} bytes in {segments} segments\n")
    sys.stdout.write(f"duplicate replies to the same request: {duplicates}\n")
    sys.stdout.write(f"broken lines: {broken}, incomplete last lines: {partial}\n")


@app.command(name="export")
def export_replies(*, store: Store = DEFAULT, file: Path) -> None:
    """Write every reply once as JSON lines, so that others can rerun the study without a key.

    Args:
        store: the folder of the whole store.
        file: the output file; it is replaced only when it is complete.
    """
    if not store.is_dir():
        raise StoreError(f"{store}: no such folder; give --store FOLDER or set {STORE}")
    count, folders = 0, list(_folders(store))
    with atomic_path(file) as temporary, temporary.open("wb") as stream:
        for reply in chain.from_iterable(ReplyStore(folder).replies() for folder in folders):
            stream.write(encode(reply))
            count += 1
        stream.flush()
        os.fsync(stream.fileno())
    sys.stdout.write(f"exported {count} replies of {len(folders)} models to {file}\n")


@app.command(name="import")
def import_replies(*, store: Store = DEFAULT, file: Path) -> None:
    """Store the replies of an exported file, except replies to requests that the store can answer.

    Args:
        store: the folder of the whole store.
        file: an exported file of JSON lines.
    """
    new = read = 0
    stores: dict[str, ReplyStore] = {}
    with ExitStack() as stack:
        for chunk in split_into_batches(read_jsonl(file, Reply), IMPORTED_AT_ONCE):
            for model in dict.fromkeys(reply.model for reply in chunk):
                if model not in stores:
                    stores[model] = stack.enter_context(ReplyStore(folder_of(store, model)))
                new += stores[model].add_new([reply for reply in chunk if reply.model == model])
            read += len(chunk)
    sys.stdout.write(f"imported {new} replies into {store}; {read - new} were already there\n")


@app.command(name="compact")
def compact_store(*, store: Store = DEFAULT) -> None:
    """Merge the small files of short jobs. This is safe while jobs run.

    Args:
        store: the folder of the whole store.
    """
    for folder in _folders(store):
        sys.stdout.write(f"{folder}: merged {compact(folder)} segments\n")


def _folders(store: Path) -> Iterator[Path]:
    """Yield the folders with segments, including the store itself if it is the folder of one model."""
    for folder in (store, *sorted(store.glob("*/"))):
        if next(folder.glob(PATTERN), None):
            yield folder


def _row(name: str, held: Totals) -> tuple[str, str, str, str, str]:
    return name, f"{held.replies:,}", f"{held.tokens_in:,}", f"{held.tokens_out:,}", f"{held.usd:,.4f}"


def main(arguments: list[str] | None = None) -> None:
    """Run a command. Errors that a user can fix have one line; a closed pipe, as of ``head``, is not an error."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        app(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Otherwise Python flushes the buffer at exit and reports the closed pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except SynthrankError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if tracebacks():
            raise
        sys.exit(f"error: {error.filename or 'a file'}: {error.strerror or error}; check free space and permissions")
