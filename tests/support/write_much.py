"""Write a file larger than a small disk with the steps' own functions, like a step on a full quota."""

from pathlib import Path

from synthrank.cli import run
from synthrank.data.files import write_json


def write_much(*, file: Path) -> None:
    """Write half a megabyte."""
    write_json(file, ["x" * 100] * 5000)


if __name__ == "__main__":
    run(write_much)
