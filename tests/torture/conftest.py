"""The torture tests: their time, their seed, and the table of what they tried, build/torture.csv.

A run takes at most ``TORTURE_MINUTES``. Each file has a share of that time, in ``SHARES``, which the tests of the file
that use the fixture ``seconds`` divide evenly. When the time is used up, the remaining tests are skipped, and the table
shows so. A test counts its inputs with the fixture ``tried``; without it, each test is one input.
"""

import csv
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tried import Tried

MINUTES = float(os.environ.get("TORTURE_MINUTES") or 30)
SHARES = {"test_crashes": 0.4, "test_parsers": 0.15, "test_provider_faults": 0.15, "test_readers": 0.1}
"""Shares of the time; the rest belongs to the files that are not listed, which take a fixed number of inputs."""

TABLE = Path(__file__).resolve().parents[2] / "build/torture.csv"
COLUMNS = ("part", "test", "what", "tried", "failed", "seconds", "note")


class Table:
    """Results of the tests, one row per test function; parameters of a function are its inputs."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.rows: dict[tuple[str, str], dict[str, str | int | float]] = {}

    def seconds_left(self) -> float:
        return self.begin + 60 * MINUTES - time.monotonic()

    def add(self, item: pytest.Item, report: pytest.TestReport, note: str) -> None:
        tried = item.funcargs.get("tried", Tried(1)) if report.when == "call" else Tried(1)  # type: ignore[attr-defined]
        part, test = item.path.stem.removeprefix("test_"), item.originalname  # type: ignore[attr-defined]
        document = item.function.__doc__ or test.removeprefix("test_").replace("_", " ")  # type: ignore[attr-defined]
        row = self.rows.setdefault(
            (part, test),
            {"part": part, "test": test, "what": document.split("\n")[0], "tried": 0, "failed": 0, "seconds": 0.0},
        )
        row["tried"] += 0 if report.skipped else max(1, tried.count)  # type: ignore[operator]
        row["failed"] += max(tried.failed, int(report.failed))  # type: ignore[operator]
        row["seconds"] = round(float(row["seconds"]) + report.duration, 1)
        row["note"] = report.longrepr[2] if report.skipped and isinstance(report.longrepr, tuple) else note

    def write(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(sorted(self.rows.values(), key=lambda row: (row["part"], row["test"])))


TABLE_OF_RUN = Table()
SEED = int(os.environ.get("SYNTHRANK_TEST_SEED") or random.SystemRandom().randrange(10**6))
"""``SYNTHRANK_TEST_SEED`` repeats a run. How far it gets still depends on the time."""


@pytest.fixture(scope="session")
def seed() -> int:
    """Return the seed of the run; it is printed with a failure and written into the table."""
    return SEED


@pytest.fixture
def tried() -> Tried:
    """Return the counter of the test's inputs."""
    return Tried()


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """Return the time of this test: its part of the share of its file."""
    assert sum(SHARES.values()) < 1
    same = {
        item.nodeid
        for item in request.session.items
        if item.path == request.path and "seconds" in item.fixturenames  # type: ignore[attr-defined]
    }
    return 60 * MINUTES * SHARES[request.path.stem] / len(same)


def pytest_runtest_setup() -> None:
    if TABLE_OF_RUN.seconds_left() <= 0:
        pytest.skip(f"the {MINUTES:g} minutes of TORTURE_MINUTES are used up")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: pytest.TestReport = yield
    used = item.funcargs.keys() & {"seed", "tried"}  # type: ignore[attr-defined]
    if report.when == "call" or not report.passed:
        TABLE_OF_RUN.add(item, report, f"seed {SEED}" if used else "")
        if report.failed and used:
            report.sections.append(("to repeat", f"SYNTHRANK_TEST_SEED={SEED}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TABLE_OF_RUN.rows:
        TABLE_OF_RUN.write(TABLE)
        terminalreporter.write_line(f"seed {SEED}; table: {TABLE}")
