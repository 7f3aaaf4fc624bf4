"""A provider of batches in the test's process or in a file, with scripted faults."""

import json
import os
from collections import Counter
from datetime import date

from synthrank.config.llms import Batch, Limits, OpenAiLlm, Price
from synthrank.data.records import Message, Request
from synthrank.errors import ProviderError, TransientError
from synthrank.llms.base import Answer, BatchState


def spec(lines=100, megabytes=200, attempts=4):
    return OpenAiLlm(
        backend="openai",
        model="gpt-test",
        key_variable="TEST_KEY",
        mode="batch",
        limits=Limits(attempts=attempts, longest_wait_s=0.001),
        batch=Batch(lines=lines, megabytes=megabytes, poll_s=0.0001),
        price=Price(listed=date(2026, 1, 1), input=1, cached_input=1, output=1),
    )


def asked(*names):
    return {f"key-{name}": Request(name, f"query {name}", (Message("user", f"say {name}"),)) for name in names}


def answer_line(key, text=None):
    return json.dumps({"key": key, "answer": text or f"answer to {key}"})


def error_line(key, kind):
    return json.dumps({"key": key, kind: f"{kind} trouble with {key}"})


class FakeProvider:
    """Keeps its batches in memory and, given a file, there.

    ``outcome(number, keys, asks)`` returns the end state, the lines of the result file and optionally the error of the
    batch with that number, from 0; ``asks`` counts the submissions of each key. ``faults[call]`` lists the
    behaviour of successive calls of that name: None works, an exception is raised, ("late", exception) is raised after
    the call took effect. ``event()`` is called before and after every effect.
    """

    def __init__(self, outcome=None, *, polls=2, file=None, event=lambda: None, **faults):
        self.outcome = outcome or (lambda number, keys, asks: ("done", [answer_line(key) for key in keys]))
        self.polls, self.file, self.event, self.faults = polls, file, event, faults
        self.batches, self.calls, self.closed, self.twice = [], [], False, []
        if file and file.exists():
            state = json.loads(file.read_text())
            self.batches, self.twice = state["batches"], state["twice"]

    @property
    def asks(self):
        return Counter(key for batch in self.batches for key in batch["keys"])

    @property
    def names(self):
        return [batch["name"] for batch in self.batches]

    def _call(self, name):
        self.calls.append(name)
        self.event()
        queue = self.faults.get(name, [])
        fault = queue.pop(0) if queue else None
        if isinstance(fault, Exception):
            raise fault
        return fault

    def _after(self, fault):
        if self.file:
            new = self.file.with_suffix(".new")
            new.write_text(json.dumps({"batches": self.batches, "twice": self.twice}))
            os.rename(new, self.file)
        self.event()
        if fault:
            raise fault[1]

    def batch_line(self, key, request):
        return {"key": key, "say": request.messages[-1].content}

    def read_line(self, line):
        if "answer" in line:
            return line["key"], Answer(line["answer"], "stop", "gpt-test-1", 3, 4)
        if "transient" in line:
            return line["key"], TransientError(line["transient"], "server")
        return line["key"], ProviderError(line["permanent"])

    async def submit_batch(self, file, name):
        fault = self._call("submit")
        content = file.read_bytes()
        keys = [json.loads(line)["key"] for line in content.splitlines()]
        # Never allowed: a key in two running batches, or submitted again after it has an answer.
        self.twice += [key for key in keys if any(key in batch["owes"] for batch in self.batches)]
        asks = self.asks + Counter(keys)
        state, lines, *error = self.outcome(len(self.batches), keys, asks)
        owes = [key for key in keys if any(f'"{key}", "answer"' in line for line in lines)]
        self.batches.append(
            {"name": name, "keys": keys, "state": state, "lines": lines, "error": "".join(error), "polls": 0,
             "owes": owes, "bytes": len(content)}
        )  # fmt: skip
        self._after(fault)
        return f"id-{len(self.batches) - 1}"

    async def find_batch(self, name):
        self._call("find")
        return f"id-{self.names.index(name)}" if name in self.names else None

    async def poll_batch(self, batch_id):
        fault = self._call("poll")
        batch = self.batches[int(batch_id[3:])]
        batch["polls"] += 1
        self._after(fault)
        if batch["polls"] < self.polls:
            return BatchState("running")
        return BatchState(batch["state"], batch["error"])

    async def download_batch(self, batch_id, folder):
        fault = self._call("download")
        assert list(folder.iterdir()) == []
        lines = self.batches[int(batch_id[3:])]["lines"]
        paths = [folder / "output.jsonl", folder / "errors.jsonl"]
        paths[0].write_text("".join(f"{line}\n" for line in lines if "answer" in line))
        paths[1].write_text("".join(f"{line}\n" for line in lines if "answer" not in line))
        self._after(fault)
        return paths

    async def close(self):
        self.closed = True
