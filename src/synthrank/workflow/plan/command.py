"""The command ``python scripts/plan.py``."""

import sys
from pathlib import Path

from synthrank.config.base import read_yaml
from synthrank.config.study import Study
from synthrank.config.variances import FILE, read_variances
from synthrank.llms.store.store import spent_usd
from synthrank.runtime.environment import store_folder
from synthrank.workflow.plan import format_plan, plan
from synthrank.workflow.plan.claims import claims_text, plan_claims


def main(*, config: Path = Path("config/config.yaml")) -> None:
    """Print the power of an experiment's claims, and its requests to language models with their cost.

    Args:
        config: the file of the experiment, as for --configfile.
    """
    study = Study(Path("config"), read_yaml(config), str(config))
    store = store_folder()
    if study.experiment.claims:
        sys.stdout.write(claims_text(plan_claims(study, read_variances(Path("config") / FILE)), study) + "\n")
    lines = list(plan(study, Path("results"), store))
    sys.stdout.write(format_plan(lines, study, spent_usd(store)))
