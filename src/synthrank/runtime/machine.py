"""Hardware, operating system and commit, recorded so that a run can be repeated."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

_GIB = 1024**3
_CPUINFO = Path("/proc/cpuinfo")
_ARCHIVAL = ".git_archival.txt"
"""``git archive`` writes the commit into this file, as .gitattributes requests."""


def hardware() -> dict[str, Any]:
    """Return CPU, memory and the GPUs that ``nvidia-smi`` lists, if any, under the names of ir_metadata."""
    found: dict[str, Any] = {
        "cpu": {
            "model": _cpu_model(),
            "architecture": platform.machine(),
            "operation mode": platform.architecture()[0].replace("bit", "-bit"),
            "number of cores": os.cpu_count(),
        }
    }
    if gpus := _gpus():
        found["gpu"] = gpus
    if "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
        found["ram"] = f"{size:.1f} GB"
    return found


def operating_system() -> dict[str, str]:
    """Return the kernel and the distribution, or the system's version if it names no distribution."""
    found = {"kernel": f"{platform.system()} {platform.release()}"}
    try:
        found["distribution"] = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        found["distribution"] = platform.version()
    return found


def commit_of(file: Path) -> str | None:
    """Return the commit of the repository that tracks a file, marked ``with changes`` if tracked files have changed.

    For an untracked file, such as an installed package, the commit is read from the nearest ``.git_archival.txt`` of an
    unpacked archive. Returns None if there is no such file either.
    """
    if _output_of("git", "-C", str(file.parent), "ls-files", "--error-unmatch", file.name) is None:
        return _unpacked(file)
    commit = _output_of("git", "-C", str(file.parent), "rev-parse", "HEAD")
    changed = _output_of("git", "-C", str(file.parent), "status", "--porcelain", "--untracked-files=no")
    return f"{commit} with changes" if commit and changed else commit


def _unpacked(file: Path) -> str | None:
    archival = next((found for folder in file.parents if (found := folder / _ARCHIVAL).is_file()), None)
    commit = archival.read_text(encoding="utf-8").removeprefix("commit: ").strip() if archival else ""
    return None if not commit or commit.startswith("$") else commit


def _cpu_model() -> str:
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _gpus() -> dict[str, str]:
    output = _output_of("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    rows = [line.rpartition(", ") for line in (output or "").splitlines()]
    found = [(name, memory) for name, _, memory in rows if name]
    return {"architecture": ", ".join(n for n, _ in found), "ram": ", ".join(m for _, m in found)} if found else {}


def _output_of(*command: str) -> str | None:
    """Return the output of a command, or None if the command is missing or fails."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None
