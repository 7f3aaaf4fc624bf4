"""``config/variances.csv``: how far paired differences varied where they were measured, to plan studies by."""

import csv
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from synthrank.specs.base import Count, Entity, ModelName, validate
from synthrank.specs.measures import MeasureName

FILE = "variances.csv"
"""Its name, beside the experiment."""

Against = Literal["control", "untrained"]
"""What rankers were compared with: the same ranker trained on a claim's control, or not trained."""

Variance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Variances(Entity):
    """A row: the variance components of one kind of ranker, as the means over what was compared."""

    architecture: Literal["cross-encoder", "seq2seq", "bi-encoder"]
    model: ModelName = Field(description="The pretrained model at the start of the ranker's chain of bases.")
    distribution: Literal["id", "ood"]
    against: Against
    measure: MeasureName
    var_query: Variance
    var_seed: Variance
    var_residual: Variance = Field(description="Of a query with a seed.")
    queries: Count = Field(description="Of how many queries the estimates are.")
    seeds: Count = Field(description="Of how many training seeds.")
    source: str = Field(description="The experiment that they were measured in.")


def read_variances(path: Path) -> list[Variances]:
    """Return the rows of the file; none if there is no such file.

    Raises:
        ConfigError: a row is not one; the line is named.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [validate(Variances, row, f"{path}:{line}") for line, row in enumerate(csv.DictReader(stream), 2)]
