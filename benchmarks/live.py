"""Figures of live mode: throughput, memory and calls of one process against the test server, which is another.

    python benchmarks/live.py [--requests 3000] [--gemini]

1. 3,000 requests at a server latency of 1 s ± 0.25, 128 in flight: throughput as a share of 128 / latency.
2. No latency: the highest rate of one process.
3. As 1, and 30 % of first attempts fail in mixed ways: calls against requests + failures.

Every run is a process of its own that asks through the store: each reply is parsed, and durable before the next one
is taken.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

IN_FLIGHT = 128
LATENCY_S = 1.0


def say(line: str) -> None:
    """Print at once, into a pipe too."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def ask(url: str, requests: int, gemini: bool) -> None:
    """Be the process that asks; print what it took."""
    from provider_specs import KEY, VARIABLE, gemini_spec, openai_spec, request

    from synthrank.llms import open_stored

    os.environ[VARIABLE] = KEY
    limits = {"concurrency": IN_FLIGHT, "timeout_s": 60, "attempts": 8, "longest_wait_s": 60}
    spec = (gemini_spec if gemini else openai_spec)(url, limits=limits)
    padding = "the question of a reader and a passage that answers it " * 20
    asked = [request(f"question {number} {padding}") for number in range(requests)]
    with tempfile.TemporaryDirectory() as store:
        os.environ["SYNTHRANK_STORE"] = store
        started, cpu = time.perf_counter(), time.process_time()
        answered = sum(1 for _ in open_stored(spec).generate(asked))
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    assert answered == requests
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(json.dumps({"seconds": seconds, "cpu": cpu, "mb": megabytes}))


def call(url: str, path: str, body: object = None) -> dict:
    """Speak to the server's own pages."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url + path, data), timeout=60) as answer:
        return json.load(answer)


def measured(url: str, requests: int, gemini: bool, **script: object) -> tuple[dict, dict]:
    """Run one process; return its figures and what the server saw."""
    call(url, "/script", {"reset": True, "latency": 0, "spread": 0, "faults": [], **script})
    command = [sys.executable, __file__, "--ask", url, "--requests", str(requests), *(["--gemini"] if gemini else [])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout), call(url, "/witness")


def main() -> None:
    """Run all three and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--gemini", action="store_true", help="the Gemini API instead of OpenAI's")
    parser.add_argument("--ask", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask(given.ask, given.requests, given.gemini)
        return
    command = [sys.executable, str(ROOT / "tests/provider_server.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().strip()
            slow = {"latency": LATENCY_S, "spread": LATENCY_S / 4}
            # The first 128 answers come only after one latency: that is part of any run, and of the ideal.
            ideal = IN_FLIGHT / LATENCY_S
            took, seen = measured(url, given.requests, given.gemini, **slow)
            rate = given.requests / took["seconds"]
            say(
                f"latency 1 s, 128 in flight: {rate:.1f} requests/s, {rate / ideal:.1%} of {ideal:.0f}; "
                f"{took['mb']:.0f} MB, {took['cpu'] / given.requests * 1000:.2f} ms of CPU a request, "
                f"most in flight {seen['most_in_flight']}, calls {seen['calls']}"
            )
            took, _ = measured(url, given.requests, given.gemini)
            say(f"no latency: {given.requests / took['seconds']:.0f} requests/s, {took['mb']:.0f} MB")
            took, seen = measured(url, given.requests, given.gemini, **slow, faults=[{"kind": "mixed", "share": 0.3}])
            calls, needed = seen["calls"], given.requests + seen["failed"]
            say(
                f"30 % mixed failures: {given.requests / took['seconds']:.1f} requests/s, {calls} calls for "
                f"{given.requests} requests + {seen['failed']} failures ({calls / needed:.3f}), answered "
                f"{len(seen['answered'])}, more than once {sum(times > 1 for times in seen['answered'].values())}"
            )
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
