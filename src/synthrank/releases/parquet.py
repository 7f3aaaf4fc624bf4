"""Tables of a released data set as Parquet, the one format in which one folder can hold several configurations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pyarrow import parquet

Kind = Literal["text", "whole", "number"]

_ARROW: dict[Kind, pa.DataType] = {"text": pa.string(), "whole": pa.int64(), "number": pa.float64()}


@dataclass(frozen=True, slots=True)
class Table:
    """A configuration of a data set with its one split: columns with their kinds, and rows of plain values."""

    config: str
    split: str
    columns: Mapping[str, Kind]
    rows: Sequence[Mapping[str, Any]]

    @property
    def path(self) -> str:
        """Where the table lies in the folder of the data set; named as the hub names the one file of a split."""
        name = self.split if self.config == "default" else self.config
        return f"data/{name}-00000-of-00001.parquet"


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Write every table where its ``path`` says; the types are those of the columns, also of a table without rows."""
    (folder / "data").mkdir(parents=True)
    for table in tables:
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in table.columns.items()])
        parquet.write_table(pa.Table.from_pylist(list(table.rows), schema=schema), folder / table.path)
