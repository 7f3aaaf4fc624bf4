"""The command: ``python -m synthrank.plan``."""

import os
import sys
from pathlib import Path

from cyclopts import App

from synthrank.errors import SynthrankError
from synthrank.plan import as_text, plan
from synthrank.specs.base import read_yaml
from synthrank.study import Study


def main(*, config: Path = Path("config/config.yaml")) -> None:
    """Print what an experiment will ask of language models.

    Args:
        config: the experiment, whole, as --configfile takes it.
    """
    try:
        study = Study(Path("config"), read_yaml(config))
        store = Path(os.environ.get("SYNTHRANK_STORE") or "results/store")
        sys.stdout.write(as_text(list(plan(study, Path("results"), store)), study))
    except SynthrankError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    app = App(name="plan", help=__doc__)
    app.default(main)
    app()
