"""The command: ``python -m synthrank.plan``."""

import sys
from pathlib import Path

from cyclopts import App

from synthrank.errors import SynthrankError
from synthrank.llms.store import spent_usd
from synthrank.plan import as_text, plan
from synthrank.plan.claims import claims_text, planned
from synthrank.specs.base import read_yaml
from synthrank.specs.variances import FILE, read_variances
from synthrank.study import Study
from synthrank.variables import store_folder


def main(*, config: Path = Path("config/config.yaml")) -> None:
    """Print what an experiment can settle, what it will ask of language models, and what that costs.

    Args:
        config: the experiment, whole, as --configfile takes it.
    """
    try:
        study = Study(Path("config"), read_yaml(config))
        store = store_folder()
        if study.experiment.claims:
            sys.stdout.write(claims_text(planned(study, read_variances(Path("config") / FILE)), study) + "\n")
        lines = list(plan(study, Path("results"), store))
        sys.stdout.write(as_text(lines, study, spent_usd(store)))
    except SynthrankError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    app = App(name="plan", help=__doc__)
    app.default(main)
    app()
