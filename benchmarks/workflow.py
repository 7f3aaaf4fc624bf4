"""Time and memory of a whole workflow, by rule.

    python benchmarks/workflow.py                  the default experiment, in a fresh folder
    python benchmarks/workflow.py --toy            the toy experiment of the tests
    python benchmarks/workflow.py --save docs/demo keep the tables and times that the README shows
    python benchmarks/workflow.py --config config/study.yaml --page --save docs/study
                                                   another experiment, including its report

Reports the wall-clock time of a first run and of a second run that finds nothing to do, the peak memory of all
processes together (proportional set size, sampled every two seconds), and seconds per rule from Snakemake's benchmark
files.
"""

import argparse
import csv
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "src")]

from synthrank.config.base import read_yaml, validate  # noqa: E402
from synthrank.config.experiment import Experiment  # noqa: E402
from synthrank.runtime.revision import FILE, NUMBERS  # noqa: E402

TABLES = ("tables/ood.csv", "tables/id.csv")
PAGE = "report.html"
MEGABYTE = 1024 * 1024


class PeakMemory(threading.Thread):
    """Samples the memory of this process and all below it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._done = threading.Event()

    def run(self) -> None:
        """Sample until stopped."""
        me = psutil.Process()
        while not self._done.wait(2.0):
            total = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            self.peak = max(self.peak, total)

    def stop(self) -> float:
        """Stop and return the peak in megabytes."""
        self._done.set()
        self.join()
        return self.peak / MEGABYTE


def run(folder: Path, snakefile: Path, config: Path | None, *targets: str) -> float:
    """Run the workflow in a folder, up to the targets, and return the seconds it took."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--directory", str(folder)]
    command += ["--configfile", str(config)] if config else []
    begin = time.perf_counter()
    subprocess.run(
        [*command, "--cores", "all", "--show-failed-logs", "--scheduler", "greedy", "--quiet", "all", "--", *targets],
        check=True,
        env={**os.environ, "PATH": path, "SYNTHRANK_DATA": str(folder / "data")},
    )
    return time.perf_counter() - begin


def results_of(config: Path) -> str:
    """Return the folder of the tables, figures and report of an experiment, ending with a slash."""
    experiment: Experiment = validate(Experiment, read_yaml(config), str(config))
    return f"results/{experiment.folder}"


def jobs_of(folder: Path) -> dict[str, list[dict[str, float]]]:
    """Return the columns of Snakemake's benchmark files, one row per job, by rule; missing values are 0."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for rule in (folder / "results/benchmarks").glob("*/"):
        for path in rule.rglob("*.tsv"):
            with path.open(newline="") as stream:
                row = next(csv.DictReader(stream, delimiter="\t"))
            columns = ("s", "cpu_time", "max_rss")
            found[rule.name].append({name: 0.0 if row[name] in ("NA", "-") else float(row[name]) for name in columns})
    return found


def by_rule(folder: Path) -> list[tuple[str, int, float, float]]:
    """Return (rule, jobs, seconds, most megabytes of a job), the longest first."""
    rows = [
        (rule, len(jobs), sum(job["s"] for job in jobs), max(job["max_rss"] for job in jobs))
        for rule, jobs in jobs_of(folder).items()
    ]
    return sorted(rows, key=lambda row: -row[2])


def report(first: float, peak: float, second: float, rules: list[tuple[str, int, float, float]]) -> str:
    """Return the figures as CSV."""
    total = sum(row[2] for row in rules)
    lines = ["what,jobs,seconds,share,peak_mb", f"first run,,{first:.0f},,{peak:.0f}", f"second run,,{second:.1f},,"]
    lines += [f"{rule},{jobs},{s:.0f},{s / total:.3f},{memory:.0f}" for rule, jobs, s, memory in rules]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--toy", action="store_true")
    parser.add_argument("--config", type=Path, help="the experiment, in place of the default one")
    parser.add_argument("--page", action="store_true", help="make all that it states, in place of the main tables")
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "run"
        if options.toy:
            sys.path.insert(0, str(PROJECT / "tests/support"))
            from toy_experiment import make_toy

            snakefile = make_toy(folder) / "Snakefile"
        else:
            shutil.copytree(PROJECT / "config", folder / "config")
            snakefile = PROJECT / "Snakefile"
        results = results_of(options.config) if options.config else "results/"
        targets = [f"{results}{name}" for name in ((PAGE,) if options.page else TABLES)]
        memory = PeakMemory()
        memory.start()
        first = run(folder, snakefile, options.config, *targets)
        peak = memory.stop()
        rules = by_rule(folder)
        second = run(folder, snakefile, options.config, *targets)
        figures = report(first, peak, second, rules)
        sys.stdout.write(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n{figures}")
        if options.save:
            options.save.mkdir(parents=True, exist_ok=True)
            (options.save / "time.csv").write_text(figures)
            (options.save / FILE).write_text(f"{NUMBERS}\n")
            made = (
                sorted((folder / results / "tables").glob("*.csv"))
                if options.page
                else [folder / name for name in targets]
            )
            for path in made:
                shutil.copy(path, options.save)


if __name__ == "__main__":
    main()
