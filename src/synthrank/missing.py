"""What a job says where the environment it runs in lacks a module: one line instead of a traceback.

A script imports its step before anything of the step runs, so the line is that of an exception that nobody caught.
"""

import sys
import traceback
from pathlib import Path
from types import TracebackType

from synthrank.variables import tracebacks

PACKAGE = Path(__file__).resolve().parent


def answer_missing_modules() -> None:
    """From now on, end a script whose step or command line cannot be imported with the line of :func:`missing`."""
    sys.excepthook = _end


def missing(error: ModuleNotFoundError, step: str) -> str | None:
    """Return one line: which module is missing where, which file lists it, and what to do.

    Args:
        error: what the import raised.
        step: the name that the step, its script and its module share.

    Returns:
        None where the module is the package's own, or no stage has such a step.
    """
    name = error.name or str(error)
    stages = sorted(path.parent.name for path in PACKAGE.glob(f"*/{step}.py"))
    if name.split(".")[0] == PACKAGE.name or not stages:
        return None
    stage = stages[0]
    return (
        f"error: {step}: no module {name} in {sys.prefix}; envs/{stage}.yaml lists what stage {stage} needs: run with "
        f"--sdm conda, or pip install '.[{stage}]' there; an environment that Snakemake made and that lacks it is made "
        f"anew once its folder is removed"
    )


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    said = missing(error, Path(sys.argv[0]).stem) if isinstance(error, ModuleNotFoundError) else None
    if said is None or tracebacks():
        traceback.print_exception(kind, error, trace)
    if said:
        sys.stderr.write(said + "\n")
