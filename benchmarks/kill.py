"""SIGKILL at random moments: what is answered in the end, and whether anything stored was ever asked again.

    python benchmarks/kill.py [--requests 3000] [--kills 30]

A process asks the test server through the store, live and then by batch. It is killed at random moments and started
again until it ends by itself. After each kill the store is read: what is in it must never be asked again. Live, what
was in flight at a kill was never stored and is asked again; that is the whole price of a kill.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from live import call, say  # noqa: E402  (beside this file)

SCRIPT = {"live": {"latency": 0.5, "spread": 0.2}, "batch": {"latency": 0.0, "batch_s": 40.0}}
LONGEST_LIFE_S = {"live": 2.5, "batch": 2.0}


def requests(count: int) -> list:
    """Return different requests."""
    from provider_specs import request

    return [request(f"question {number}") for number in range(count)]


def spec_of(url: str, mode: str):
    """Return the entity that is asked."""
    from provider_specs import openai_spec

    from synthrank.specs.llms import Batch

    limits = {"concurrency": 128, "timeout_s": 60, "attempts": 8, "longest_wait_s": 60}
    return openai_spec(url, limits=limits, mode=mode, batch=Batch(lines=500, megabytes=100, poll_s=0.2))


def ask(url: str, mode: str, count: int) -> None:
    """Be the process that is killed."""
    from provider_specs import KEY, VARIABLE

    from synthrank.llms import open_stored

    os.environ[VARIABLE] = KEY
    for _ in open_stored(spec_of(url, mode)).generate(requests(count)):
        pass


def stored(folder: Path, url: str, mode: str, count: int) -> set[str]:
    """Return the questions whose replies are in the store."""
    from synthrank.llms.hosted import identity
    from synthrank.llms.keys import request_key
    from synthrank.llms.store import ReplyStore, folder_of

    spec = spec_of(url, mode)
    keys = {request_key(identity(spec), item): item.query for item in requests(count)}
    with ReplyStore(folder_of(folder, spec.model)) as store:
        return {keys[key] for key in store.find(keys)}


def run(url: str, mode: str, count: int, kills: int) -> str:
    """Kill and restart until all is answered; return the figures."""
    call(url, "/script", {"reset": True, "faults": [], "latency": 0, "spread": 0, "batch_s": 0, **SCRIPT[mode]})
    generator, killed, again = random.Random(13), 0, 0
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before: dict[str, int] = {}
        command = [sys.executable, __file__, "--ask", url, "--mode", mode, "--requests", str(count)]
        while True:
            child = subprocess.Popen(
                command, env={**os.environ, "SYNTHRANK_STORE": str(folder)}, stderr=subprocess.DEVNULL
            )
            try:
                life = None if killed == kills else 0.3 + generator.random() * LONGEST_LIFE_S[mode]
                ended = child.wait(life) == 0
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                killed, ended = killed + 1, False
            asked = call(url, "/witness")["asked"]
            again += sum(asked.get(question, 0) > times for question, times in before.items())
            before = {question: asked.get(question, 0) for question in stored(folder, url, mode, count)}
            if ended:
                break
    witness = call(url, "/witness")
    return json.dumps(
        {
            "mode": mode,
            "requests": count,
            "kills": killed,
            "stored": len(before),
            "stored replies asked again": again,
            "answers beyond one each": sum(witness["answered"].values()) - count,
            "batches": len(witness["batches"]),
            "seconds": round(time.perf_counter() - begin),
        }
    )


def main() -> None:
    """Run both modes and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--modes", nargs="+", default=["live", "batch"], choices=["live", "batch"])
    parser.add_argument("--mode", default="live", help=argparse.SUPPRESS)
    parser.add_argument("--ask", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask(given.ask, given.mode, given.requests)
        return
    command = [sys.executable, str(ROOT / "tests/provider_server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().strip()
            for mode in given.modes:
                say(run(url, mode, given.requests, given.kills))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
