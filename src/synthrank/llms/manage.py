"""Look into the store of replies, and carry it elsewhere: ``python -m synthrank.llms.manage --help``.

The store is a folder with one folder of replies a model.
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

from synthrank.errors import StoreError, SynthrankError
from synthrank.files import atomic_path, read_jsonl
from synthrank.llms.segments import PATTERN, encode
from synthrank.llms.store import ReplyStore, Totals, folder_of
from synthrank.llms.store_merge import compact
from synthrank.records import Reply
from synthrank.texts import chunks
from synthrank.variables import DEFAULT_STORE, STORE, tracebacks

IMPORTED_AT_ONCE = 20_000
"""Replies of an import that are looked up and committed together, some 50 MB of memory."""

Store = Annotated[Path, Parameter(env_var=STORE)]
DEFAULT = Path(DEFAULT_STORE)

app = App(name="python -m synthrank.llms.manage", help=__doc__, result_action="return_value")


@app.command(name="info")
def cache_info(*, store: Store = DEFAULT) -> None:
    """Show what the store holds: replies, tokens and dollars by model, and its size.

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
    sys.stdout.write(f"further replies to an answered request: {duplicates}\n")
    sys.stdout.write(f"broken lines: {broken}, cut last lines: {partial}\n")


@app.command(name="export")
def export_replies(*, store: Store = DEFAULT, file: Path) -> None:
    """Write every reply once as JSON lines, for others who rerun the study without a key.

    Args:
        store: the folder of the whole store.
        file: what is written, whole or not at all.
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
    sys.stdout.write(f"{count} replies of {len(folders)} models are in {file}\n")


@app.command(name="import")
def import_replies(*, store: Store = DEFAULT, file: Path) -> None:
    """Store the replies of an export; those whose requests are answered already are passed over.

    Args:
        store: the folder of the whole store.
        file: JSON lines that an export wrote.
    """
    new = read = 0
    stores: dict[str, ReplyStore] = {}
    with ExitStack() as stack:
        for chunk in chunks(read_jsonl(file, Reply), IMPORTED_AT_ONCE):
            for model in dict.fromkeys(reply.model for reply in chunk):
                if model not in stores:
                    stores[model] = stack.enter_context(ReplyStore(folder_of(store, model)))
                new += stores[model].add_new([reply for reply in chunk if reply.model == model])
            read += len(chunk)
    sys.stdout.write(f"{new} replies stored in {store}, {read - new} were there\n")


@app.command(name="compact")
def compact_store(*, store: Store = DEFAULT) -> None:
    """Merge the many small files that short jobs leave; jobs may go on meanwhile.

    Args:
        store: the folder of the whole store.
    """
    for folder in _folders(store):
        sys.stdout.write(f"{folder}: {compact(folder)} segments merged\n")


def _folders(store: Path) -> Iterator[Path]:
    """Yield the folders that hold segments, the store's own if it is that of one model."""
    for folder in (store, *sorted(store.glob("*/"))):
        if next(folder.glob(PATTERN), None):
            yield folder


def _row(name: str, held: Totals) -> tuple[str, str, str, str, str]:
    return name, f"{held.replies:,}", f"{held.tokens_in:,}", f"{held.tokens_out:,}", f"{held.usd:,.4f}"


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an error that a person can mend is one line."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        app(arguments)
    except SynthrankError as error:
        sys.exit(f"error: {error}")
    except OSError as error:
        if tracebacks():
            raise
        sys.exit(f"error: {error.filename or 'a file'}: {error.strerror or error}; free space or rights may be missing")


if __name__ == "__main__":
    main()
