"""Write JSON Schemas of all kinds of entities for editors: ``python -m synthrank.config.schemas [--check] FOLDER``."""

import json
import sys
from pathlib import Path

from pydantic import TypeAdapter

from synthrank.config.experiment import Experiment
from synthrank.config.study import KINDS


def schemas() -> dict[str, str]:
    """Return the schema of each kind and of the experiment, by file name."""
    kinds = {**KINDS, "experiment": Experiment}
    return {
        f"{name}.json": json.dumps(TypeAdapter(kind).json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, kind in kinds.items()
    }


def main(arguments: list[str]) -> None:
    """Write the schemas into a folder, or check that its files match the models."""
    check, folder = "--check" in arguments, Path(arguments[-1])
    for name, text in schemas().items():
        path = folder / name
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"error: {path}: differs from the models; run make format")


if __name__ == "__main__":
    main(sys.argv[1:])
