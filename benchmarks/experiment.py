"""Keep the results of an experiment: ``python benchmarks/experiment.py NAME --folder DIR --commit HASH``.

Run it on the machine that made the results. DIR is the folder in which ``snakemake --configfile
config/experiments/NAME.yaml`` (or the file that ``--config`` names) made tables and figures. They are copied to
``docs/experiments/NAME``. A README next to them states the commit, the machine, and the wall-clock and processor time
per rule, from Snakemake's benchmark files.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "src")]

import torch  # noqa: E402
from workflow import jobs_of, results_of  # noqa: E402

from synthrank.runtime.revision import FILE, NUMBERS  # noqa: E402
from synthrank.runtime.torch_setup import device  # noqa: E402


def times(folder: Path) -> list[tuple[str, int, float, float]]:
    """Return (rule, jobs, wall-clock seconds, processor seconds), the longest first."""
    rows = [
        (rule, len(jobs), sum(job["s"] for job in jobs), sum(job["cpu_time"] for job in jobs))
        for rule, jobs in jobs_of(folder).items()
    ]
    return sorted(rows, key=lambda row: -row[2])


def machine() -> str:
    """Return the processor, cores and memory in words."""
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    found = re.search(r"model name\s*:\s*(.+)", told)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = found[1].strip() if found else platform.machine()
    accelerator = "no accelerator" if device() == "cpu" else torch.cuda.get_device_name()
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores ({name}), {memory:.0f} GB of memory, {accelerator}, {python}"


def readme(name: str, config: str, commit: str, rules: list[tuple[str, int, float, float]], kept: list[str]) -> str:
    """Return the page that states the origin of the tables."""
    wall, used = sum(row[2] for row in rules), sum(row[3] for row in rules)
    needs_data = "SYNTHRANK_DATA" in (PROJECT / config).read_text(encoding="utf-8")
    data = ", with the collections in the folder SYNTHRANK_DATA" if needs_data else ""
    lines = [
        f"# {name}",
        "",
        "<!-- age:begin -->",
        "<!-- age:end -->",
        "",
        f"Made by commit `{commit}` from `{config}` on {machine()}: {wall / 3600:.1f} hours of "
        f"jobs and {used / 3600:.1f} hours of processor time; the first number includes waiting for other processes. "
        f"To repeat it{data}:",
        "",
        "```",
        f"snakemake --cores all --configfile {config} -- \\",
        "    " + " ".join(f"{results_of(PROJECT / config)}tables/{item}" for item in kept if item.endswith(".csv")),
        "```",
        "",
        "| file | content |",
        "|---|---|",
        *(f"| [{item}]({item}) | {Path(item).stem}, {_kind(item)} |" for item in kept),
        "",
        "| rule | jobs | wall-clock s | processor s |",
        "|---|---:|---:|---:|",
        *(f"| {rule} | {jobs} | {seconds:.0f} | {processor:.0f} |" for rule, jobs, seconds, processor in rules),
    ]
    return "\n".join(lines) + "\n"


def _kind(name: str) -> str:
    return {".csv": "every row", ".md": "to read", ".svg": "a figure"}[Path(name).suffix]


def main() -> None:
    """Copy the tables and figures and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="of the workflow that made them")
    parser.add_argument("--config", help="of the experiment; config/experiments/NAME.yaml unless stated")
    options = parser.parse_args()
    config = options.config or f"config/experiments/{options.name}.yaml"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", f"{options.commit}^{{commit}}"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    kept = PROJECT / "docs/experiments" / options.name
    kept.mkdir(parents=True, exist_ok=True)
    results = options.folder / results_of(PROJECT / config)
    found = [
        *(results / "tables").glob("*.csv"),
        *(results / "tables").glob("*.md"),
        *(results / "figures").glob("*.svg"),
    ]
    for path in found:
        shutil.copy(path, kept)
    page = readme(options.name, config, commit, times(options.folder), sorted(path.name for path in found))
    (kept / FILE).write_text(f"{NUMBERS}\n", encoding="utf-8")
    (kept / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
