"""Snakemake's output for someone who watches: one line that is kept up to date, and one for each job that fails.

``--logger synthrank``, which `make demo` says on a terminal. Everything else stands in Snakemake's log, as ever.
"""

import sys
import threading
import time
from contextlib import suppress
from logging import WARNING, LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

# Snakemake imports every plugin that it finds, also where it runs the workflow of another clone or commit: nothing of
# the package is imported before this one is chosen.

EVERY_S, MONEY_EVERY_S = 2.0, 30.0
"""Seconds between two looks at the log, and at the store of replies, which may be large."""
SAID = ("Nothing to be done", "Complete log", "Shutting down", "Exiting because", "Will exit after", "Terminating")
"""How lines of Snakemake's begin that are passed on; those of warnings and errors are too."""


class LogHandler(LogHandlerBase):
    """Writes to the terminal."""

    writes_to_stream = True  # in place of Snakemake's own output
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        """Begin; steps' own bars would be drawn over the line, so they write into their logs."""
        from synthrank.variables import turn_bar_off

        turn_bar_off()
        self._began, self._spent, self._looked = time.time(), 0.0, 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def emit(self, record: LogRecord) -> None:
        """Say what a person must know now."""
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_ERROR:
            self._say(self._failure(record))
        elif event == LogEvent.ERROR:
            if getattr(record, "exception", "") != "RuleException":  # the job's own line says more
                self._say(record.getMessage())
        elif event in (LogEvent.GROUP_ERROR, None) and (
            record.levelno >= WARNING or record.getMessage().startswith(SAID)
        ):
            self._say(record.getMessage())

    def close(self) -> None:
        """Wipe the line."""
        self._over.set()
        self._thread.join()
        super().close()

    def _failure(self, record: LogRecord) -> str:
        from synthrank.watch.log import Job
        from synthrank.watch.text import reason

        logs = [Path(str(path)) for path in getattr(record, "log", None) or []]
        job = Job(str(getattr(record, "rule_name", None) or getattr(record, "name", "")), 0.0, log=str(*logs[:1]))
        return f"FAILED {job.rule} {job.name}: {reason(logs[0]) if logs else record.getMessage()}"

    def _say(self, text: str) -> None:
        """Write a line above the one that is kept up to date."""
        from tqdm import tqdm

        tqdm.write(text.strip(), file=sys.stderr)

    def _line(self) -> str:
        """Return how far this run is, nothing before its log says."""
        from synthrank.llms.store import spent_usd
        from synthrank.variables import store_folder
        from synthrank.watch.log import last_run
        from synthrank.watch.text import far, line

        found, now = last_run(Path()), time.time()
        if found is None or found[0].stat().st_mtime < self._began:
            return ""
        if now - self._looked > MONEY_EVERY_S:
            self._spent, self._looked = spent_usd(store_folder()), now
        run = found[1]
        return line(run, now, self._spent) + (far(Path(), run.running[0]) if run.running else "")

    def _follow(self) -> None:
        from tqdm import tqdm

        from synthrank.errors import SynthrankError

        with tqdm(bar_format="{desc}", dynamic_ncols=True, leave=False) as shown:
            while not self._over.wait(EVERY_S):
                with suppress(OSError, SynthrankError):  # of the line alone: what is wrong, the jobs will say
                    shown.set_description_str(self._line())
