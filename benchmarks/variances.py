"""Refresh config/variances.csv from a finished experiment: ``python benchmarks/variances.py --config config/x.yaml``.

Run it in the folder with the experiment's config/ and results/. For every row of the claims table, the two-way
analysis of variance (``synthrank.stats.variance_components``) gives the variance components of the differences to the
control and, for the gate, to the untrained ranker. Rows with the same architecture, pretrained model and distribution
are averaged. Other rows of the file stay unchanged.
"""

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from synthrank.config.base import read_yaml
from synthrank.config.pretraining import base_of
from synthrank.config.study import Study
from synthrank.config.variances import FILE, Variances, read_variances
from synthrank.data.files import atomic_text
from synthrank.data.paths import TESTSET_SCORES
from synthrank.errors import ConfigError, SynthrankError
from synthrank.stats.score_matrix import read_cells
from synthrank.stats.variance_components import Components, components
from synthrank.steps.tables.claims import list_comparisons
from synthrank.workflow.inputs import Inputs
from synthrank.workflow.inputs.templates import Templates
from synthrank.workflow.plan.claims import places_of

Key = tuple[str, str, str, str, str]


def measured(study: Study, source: str) -> list[Variances]:
    """Return the rows of an experiment.

    Raises:
        ConfigError: it has one training seed, which shows nothing of others.
    """
    if len(study.experiment.seeds) < 2:
        raise ConfigError("experiment: seeds: has one; variances over seeds are seen of two or more, better five")
    claims = study.claims.model_copy(update={"over": ("queries", "seeds"), "first_look": None})
    scores = Templates(study).each(Inputs(study).tables.claims_metrics, f"results/{TESTSET_SCORES.template}")
    paths = map(Path, scores(None))
    parts: dict[Key, list[Components]] = defaultdict(list)
    counts: dict[Key, tuple[int, int]] = {}
    for row in list_comparisons(read_cells(paths, [claims.measure]), places_of(study), claims):
        ranker, member = study.entities["rankers"][row.member.ranker], row.member
        for against, values in (("control", row.effect), ("untrained", row.gain)):
            key = (ranker.architecture, base_of(study, member.ranker), member.distribution, against, claims.measure)
            parts[key].append(components(list(values.values())))
            counts[key] = sum(array.shape[1] for array in values.values()), row.seeds
    return [
        Variances(
            **dict(zip(("architecture", "model", "distribution", "against", "measure"), key, strict=True)),
            **{f"var_{name}": float(np.mean([getattr(item, name) for item in found])) for name in Components.__slots__},
            queries=counts[key][0], seeds=counts[key][1], source=source,
        )
        for key, found in parts.items()
    ]  # fmt: skip


def key_of(row: Variances) -> Key:
    """Return what two rows of the file may not share."""
    return row.architecture, row.model, row.distribution, row.against, row.measure


def write(path: Path, rows: Iterable[Variances]) -> None:
    """Write the file, sorted; of rows that may not both be in it the last one."""
    kept = {key_of(row): row.model_dump() for row in rows}
    with atomic_text(path) as stream:
        writer = csv.DictWriter(stream, list(Variances.model_fields), lineterminator="\n")
        writer.writeheader()
        for key in sorted(kept):
            writer.writerow({name: f"{v:.4g}" if isinstance(v, float) else v for name, v in kept[key].items()})


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("config/config.yaml"), help="the experiment")
    parser.add_argument("--source", help="origin to write into the rows; the name of the experiment's file by default")
    arguments = parser.parse_args()
    path = Path("config") / FILE
    try:
        study = Study(Path("config"), read_yaml(arguments.config))
        write(path, [*read_variances(path), *measured(study, arguments.source or arguments.config.stem)])
    except SynthrankError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
