"""A one-line error in place of a traceback if a step's environment lacks a module."""

import sys
from pathlib import Path

STEPS = Path(__file__).resolve().parents[1] / "steps"


def stage_of(step: str) -> str | None:
    """Return the stage of a step from the folder of its module, or None if there is no such step."""
    return next((path.parent.name for path in STEPS.glob(f"*/{step}.py")), None)


def explain_missing(error: ModuleNotFoundError, step: str) -> str | None:
    """Return an error line with the missing module, the environment, the file that lists the module, and a fix.

    Args:
        error: the error of the import.
        step: the name of the step, which is also the name of its rule and module.

    Returns:
        The line, or None if the missing module is part of synthrank or no stage has such a step.
    """
    name, stage = error.name or str(error), stage_of(step)
    if name.split(".")[0] == "synthrank" or stage is None:
        return None
    return (
        f"error: {step}: no module {name} in {sys.prefix}; envs/{stage}.yaml lists the packages of stage {stage}: run "
        f"with --sdm conda, or pip install '.[{stage}]' there; if Snakemake created that environment, remove its "
        f"folder, and Snakemake creates it again"
    )
