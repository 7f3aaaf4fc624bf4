"""The store of replies at a million of them: ``python benchmarks/store.py [--replies N] [--folder FOLDER]``.

Replies of about 80 words to prompts of about 40 are written in groups of 10,000, and singly for 1,000. Then a fresh
process opens the store to look up 10,000 random keys and, in a second store, to sum the dollars; the first figures
include the opening, the second look-up does not. It runs twice: the files may come from the disk the first time. The
folder, a temporary one unless it is given, is removed; it takes 1.3 KB per reply.
"""

import argparse
import hashlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "src"))

from synthrank.data.records import Message, Reply  # noqa: E402
from synthrank.llms.store.store import ReplyStore  # noqa: E402

GROUP = 10_000
LOOKED_UP = 10_000
SINGLY = 1_000
WORDS = [hashlib.sha256(str(place).encode()).hexdigest()[: 2 + place % 8] for place in range(5000)]


def reply(place: int) -> Reply:
    """Return the reply of a number."""
    words = random.Random(place)
    query = " ".join(words.choices(WORDS, k=8))
    return Reply(
        query_id=f"q{place}",
        query=query,
        sample=0,
        text=" ".join(words.choices(WORDS, k=80)),
        finish_reason="stop",
        tokens_in=60,
        tokens_out=110,
        model="gpt-4.1-mini",
        sampling={"temperature": 1.0, "top_p": 1.0, "max_new_tokens": 256, "seed": 0},
        messages=(
            Message("system", "You write passages for a search collection."),
            Message("user", f"Question: {query}\nWrite one passage that answers it, in the style of the collection."),
        ),
        key=key(place),
        snapshot="gpt-4.1-mini-2025-04-14",
        latency_s=1.01,
        price_usd=0.0002,
        time="2026-01-01T00:00:00+00:00",
        mode="live",
    )


def key(place: int) -> str:
    """Return the key of a number."""
    return hashlib.sha256(f"request {place}".encode()).hexdigest()


def measure(folder: Path, replies: int) -> None:
    """Open a store and look keys up, twice, then sum the dollars in another, and print the seconds and the memory."""
    count = min(LOOKED_UP, replies)
    keys = [key(place) for place in random.Random(1).sample(range(replies), count)]
    looked_up = []
    start = time.perf_counter()
    with ReplyStore(folder) as store:
        for _ in range(2):
            assert len(store.find(keys)) == count
            looked_up.append(time.perf_counter() - start)
            start = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    del store
    start = time.perf_counter()
    with ReplyStore(folder) as store:
        spent = store.spent_usd()
    summed = time.perf_counter() - start
    sys.stdout.write(
        f"{count:,} keys looked up in {looked_up[0]:.2f} s, again in {looked_up[1]:.2f} s, ${spent:,.2f} summed in "
        f"{summed:.2f} s; peak memory {peak:.0f} MB\n"
    )


def main() -> None:
    """Fill a store and measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replies", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.folder, options.replies)
        return
    folder = Path(tempfile.mkdtemp(prefix="store-", dir=options.folder))
    again = [sys.executable, __file__, "--measure", "--folder", str(folder), "--replies", str(options.replies)]
    try:
        spent, start = 0.0, time.perf_counter()
        with ReplyStore(folder) as store:
            for first in range(0, options.replies, GROUP):
                group = [reply(place) for place in range(first, min(first + GROUP, options.replies))]
                begun = time.perf_counter()
                store.add_all(group)
                spent += time.perf_counter() - begun
        size = sum(path.stat().st_size for path in folder.glob("*.jsonl"))
        sys.stdout.write(
            f"{options.replies:,} replies stored in {spent:.1f} s ({time.perf_counter() - start:.1f} with making), "
            f"{size / options.replies:.0f} bytes per reply\n"
        )
        sys.stdout.flush()
        for _ in range(2):
            subprocess.run(again, check=True)
        with ReplyStore(folder) as store:
            start = time.perf_counter()
            for place in range(options.replies, options.replies + SINGLY):
                store.add(reply(place))
            each = (time.perf_counter() - start) / SINGLY
            sys.stdout.write(f"one at a time: {1000 * each:.2f} ms per reply, durable\n")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
