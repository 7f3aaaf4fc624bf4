"""The processes on this machine that work in a project's folder, read from /proc. Without /proc the list is empty."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
IN_SLURM = b"SLURM_JOB_ID="


@dataclass(frozen=True, slots=True)
class Process:
    """A main process of the workflow, or a step that continues after its main process was killed."""

    pid: int
    is_head: bool
    step: str


def processes_of(folder: Path, proc: Path = PROC) -> list[Process]:
    """Return the main processes and orphaned steps whose working directory is ``folder``, except steps in SLURM jobs.

    A main process is a Snakemake without ``--mode``, an option that a main process passes to its child processes. On
    the command line of a step its name follows ``scripts/step.py`` of this project.
    """
    folder, found = folder.resolve(), []
    for entry in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)):
        # Processes may end meanwhile, and processes of other users are unreadable.
        with suppress(OSError):
            if (entry / "cwd").resolve(strict=True) != folder:
                continue
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            in_slurm = any(item.startswith(IN_SLURM) for item in (entry / "environ").read_bytes().split(b"\0"))
            if process := _process(int(entry.name), words, folder, in_slurm):
                found.append(process)
    return found


def _process(pid: int, words: list[str], folder: Path, in_slurm: bool) -> Process | None:
    if _is_snakemake(words):
        is_head = "--mode" not in words
        return None if "--unlock" in words or (in_slurm and not is_head) else Process(pid, is_head, "snakemake")
    runner = str(folder / "scripts/step.py")
    step = words[words.index(runner) + 1] if runner in words[1:-1] else ""
    return Process(pid, False, step) if step and not in_slurm else None


def _is_snakemake(words: list[str]) -> bool:
    """Return whether Python runs Snakemake, by its command or as a module."""
    if not Path(words[0]).name.startswith("python"):
        return False
    program = next((word for word in words[1:] if word and not word.startswith("-")), "")
    return Path(program).name == "snakemake" or program.endswith("snakemake/__main__.py")
