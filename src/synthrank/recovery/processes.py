"""The processes of this machine that work in a project's folder, read from /proc; without it, none are found."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
IN_SLURM = b"SLURM_JOB_ID="


@dataclass(frozen=True, slots=True)
class Process:
    """A process: a head of the workflow, or a step that outlived one."""

    pid: int
    is_head: bool
    step: str


def processes_of(folder: Path, proc: Path = PROC) -> list[Process]:
    """Return the heads and orphaned steps whose working directory is ``folder``, but for steps in SLURM jobs.

    A head is a Snakemake without ``--mode``, which a head gives to those that it starts itself. A step's command line
    names a script of this project.
    """
    folder, found = folder.resolve(), []
    for entry in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)):
        # Processes end while one looks, and those of others are closed.
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
    scripts = str(folder / "scripts")
    step = next((Path(word).name for word in words[1:] if word.startswith(f"{scripts}/")), "")
    return Process(pid, False, step) if step and not in_slurm else None


def _is_snakemake(words: list[str]) -> bool:
    """Return whether Python runs Snakemake, by its command or as a module."""
    if not Path(words[0]).name.startswith("python"):
        return False
    program = next((word for word in words[1:] if word and not word.startswith("-")), "")
    return Path(program).name == "snakemake" or program.endswith("snakemake/__main__.py")
