"""Snakemake's output on a terminal: a progress line, and one line per failed job.

`make demo` adds ``--logger synthrank`` on a terminal. Snakemake's log contains everything as usual.
"""

import sys
import threading
import time
from contextlib import suppress
from logging import WARNING, LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

# Snakemake imports every installed plugin, even for the workflow of another clone or commit. Therefore modules of
# synthrank are imported only after this plugin is chosen.

EVERY_S, MONEY_EVERY_S = 2.0, 30.0
"""Seconds between two reads of the log, and of the store of replies, which may be large."""
STOPPED = "Terminating processes on user request"
"""The start of Snakemake's line after Ctrl-C."""
PASSED_ON = ("Nothing to be done", "Complete log", "Shutting down", "Exiting because", "Will exit after", STOPPED)
"""Starts of Snakemake's lines that are printed. Warnings and errors are printed too."""


class LogHandler(LogHandlerBase):
    """Writes progress, failures, warnings and errors to the terminal."""

    writes_to_stream = True  # replaces Snakemake's own output
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Start the progress line, and turn the bars of steps off, which would overwrite it."""
        from synthrank.runtime.environment import turn_bar_off

        turn_bar_off()
        self._began, self._spent, self._looked = time.time(), 0.0, 0.0
        self._stopped = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def emit(self, record: LogRecord) -> None:
        """Print failures, warnings, errors and some other lines. Errors after Ctrl-C are not printed."""
        event, text = getattr(record, "event", None), record.getMessage()
        self._stopped |= text.startswith(STOPPED)
        if event in (LogEvent.JOB_ERROR, LogEvent.ERROR) and self._stopped:
            return
        if event == LogEvent.JOB_ERROR:
            self._print(self._failure(record))
        elif event == LogEvent.ERROR:
            if getattr(record, "exception", "") != "RuleException":  # the line of the failed job has more details
                self._print(text)
        elif event in (LogEvent.GROUP_ERROR, None) and (record.levelno >= WARNING or text.startswith(PASSED_ON)):
            self._print(text)

    def close(self) -> None:
        """Remove the progress line."""
        self._over.set()
        self._thread.join()
        super().close()

    def _failure(self, record: LogRecord) -> str:
        from synthrank.workflow.monitor.log import StartedJob
        from synthrank.workflow.monitor.text import reason

        logs = [Path(str(path)) for path in getattr(record, "log", None) or []]
        job = StartedJob(
            str(getattr(record, "rule_name", None) or getattr(record, "name", "")), 0.0, log=str(*logs[:1])
        )
        return f"FAILED {job.rule} {job.name}: {reason(logs[0]) if logs else record.getMessage()}"

    def _print(self, text: str) -> None:
        """Print a line above the progress line."""
        from tqdm import tqdm

        tqdm.write(text.strip(), file=sys.stderr)

    def _line(self) -> str:
        """Return the progress line, which is empty until this run has jobs."""
        from synthrank.llms.store.store import spent_usd
        from synthrank.runtime.environment import store_folder
        from synthrank.workflow.monitor.log import last_run
        from synthrank.workflow.monitor.text import describe_progress, run_line

        found, now = last_run(Path()), time.time()
        if found is None or found[0].stat().st_mtime < self._began:
            return ""
        if now - self._looked > MONEY_EVERY_S:
            self._spent, self._looked = spent_usd(store_folder()), now
        run = found[1]
        return run_line(run, now, self._spent) + (describe_progress(Path(), run.running[0]) if run.running else "")

    def _follow(self) -> None:
        from tqdm import tqdm

        from synthrank.errors import SynthrankError

        with tqdm(bar_format="{desc}", dynamic_ncols=True, leave=False) as shown:
            while not self._over.wait(EVERY_S):
                with suppress(OSError, SynthrankError):  # the jobs report such errors
                    shown.set_description_str(self._line())
