"""``config/variances.csv``: measured variances of paired differences, for planning studies."""

import csv
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from synthrank.config.base import Count, Entity, ModelName, validate
from synthrank.config.measures import MeasureName
from synthrank.errors import ConfigError
from synthrank.runtime.text_files import read_text

FILE = "variances.csv"
"""The name of the file, in the experiment's folder."""

Against = Literal["control", "untrained"]
"""The baseline of a comparison: the same ranker trained on a claim's control, or untrained."""

Variance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Variances(Entity):
    """A row: variance components of one kind of ranker, as means over the comparisons."""

    architecture: Literal["cross-encoder", "seq2seq", "bi-encoder"] = Field(description="The ranker's architecture.")
    model: ModelName = Field(description="The pretrained model at the start of the ranker's chain of bases.")
    distribution: Literal["id", "ood"] = Field(description="Test sets in or out of distribution.")
    against: Against = Field(description="The baseline of the comparison.")
    measure: MeasureName = Field(description="The measure of the differences.")
    var_query: Variance = Field(description="Variance over queries.")
    var_seed: Variance = Field(description="Variance over training seeds.")
    var_residual: Variance = Field(description="Residual variance of a query and a seed.")
    queries: Count = Field(description="The number of queries of the estimates.")
    seeds: Count = Field(description="The number of training seeds of the estimates.")
    source: str = Field(description="The experiment of the estimates.")


def read_variances(path: Path) -> list[Variances]:
    """Return the rows of the file, or an empty list if it does not exist.

    Raises:
        ConfigError: a row is invalid. The message has its line.
    """
    if not path.is_file():
        return []
    rows = csv.DictReader(read_text(path, ConfigError, "a CSV file").splitlines())
    return [validate(Variances, row, f"{path}:{line}", strict=False) for line, row in enumerate(rows, 2)]
