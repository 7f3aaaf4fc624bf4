"""Tables of a released data set as Parquet files, one per configuration, and their description as Croissant.

Croissant is a machine-readable description of a data set (Akhtar et al. 2024, mlcommons.org/croissant/1.0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from synthrank.data.files import sha256_of, write_json

CROISSANT = "croissant.json"

_ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64()}

TableRow = tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class DatasetTable:
    """A configuration of a data set with its only split: typed columns, and rows."""

    config: str
    split: str
    columns: Mapping[str, type]
    rows: Sequence[TableRow]

    @property
    def path(self) -> str:
        """Path of the table in the folder of the data set, named like the file of a one-file split on the hub."""
        name = self.split if self.config == "default" else self.config
        return f"data/{name}-00000-of-00001.parquet"

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def write_tables(folder: Path, tables: Sequence[DatasetTable]) -> None:
    """Write every table to its ``path``; an empty table also has the types of its columns."""
    (folder / "data").mkdir(parents=True)
    for table in tables:
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in table.columns.items()])
        parquet.write_table(pa.Table.from_pylist(table.records(), schema=schema), folder / table.path)


def write_croissant(folder: Path, name: str, description: str, tables: Sequence[DatasetTable]) -> None:
    """Describe the existing Parquet files of a released data set and their columns.

    The publisher adds licence, address, date and creators: the card lists them as open tasks.

    Args:
        folder: the data set.
        name: the name of the data set.
        description: one sentence.
        tables: its tables; each becomes a file object with its hash, and a record set with the table's name.
    """
    import mlcroissant as mlc

    types = {str: mlc.DataType.TEXT, int: mlc.DataType.INTEGER, float: mlc.DataType.FLOAT}
    files = [
        mlc.FileObject(
            id=table.path,
            name=table.path,
            content_url=table.path,
            content_size=f"{(folder / table.path).stat().st_size} B",
            encoding_formats=["application/x-parquet"],
            sha256=sha256_of(folder / table.path),
        )
        for table in tables
    ]
    records = [
        mlc.RecordSet(
            id=table.config,
            name=table.config,
            fields=[
                mlc.Field(
                    id=f"{table.config}/{column}",
                    name=column,
                    data_types=types[kind],
                    source=mlc.Source(file_object=table.path, extract=mlc.Extract(column=column)),
                )
                for column, kind in table.columns.items()
            ],
        )
        for table in tables
    ]
    described = mlc.Metadata(
        name=name, description=description, license="other", distribution=files, record_sets=records
    )
    write_json(folder / CROISSANT, described.to_json())
