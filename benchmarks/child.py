"""A child process: its output, how long it took, and the most memory that it, or a process below it, held."""

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Child:
    """What a process that ended well was like."""

    seconds: float
    processor_seconds: float
    peak_mb: float
    output: str


def timed(command: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None) -> Child:
    """Run a command in a folder and measure it; raise RuntimeError with its output where it fails."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(settings or {})}, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)  # of this one child, where getrusage would add all up
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}\n{text}")
    took = time.perf_counter() - begin
    return Child(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)
