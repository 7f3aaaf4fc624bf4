"""Tables of a released data set: as Parquet, in which one folder can hold several configurations, and as Croissant.

Croissant is a description of a data set that machines read (Akhtar et al. 2024, mlcommons.org/croissant/1.0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from synthrank.files import sha256_of, write_json

CROISSANT = "croissant.json"

_ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64()}

Row = tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A configuration of a data set with its one split: columns with the types of their values, and rows."""

    config: str
    split: str
    columns: Mapping[str, type]
    rows: Sequence[Row]

    @property
    def path(self) -> str:
        """Where the table lies in the folder of the data set; named as the hub names the one file of a split."""
        name = self.split if self.config == "default" else self.config
        return f"data/{name}-00000-of-00001.parquet"

    def records(self) -> list[dict[str, Any]]:
        """Return the rows by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Write every table where its ``path`` says; the types are those of the columns, also of a table without rows."""
    (folder / "data").mkdir(parents=True)
    for table in tables:
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in table.columns.items()])
        parquet.write_table(pa.Table.from_pylist(table.records(), schema=schema), folder / table.path)


def write_croissant(folder: Path, name: str, description: str, tables: Sequence[Table]) -> None:
    """Describe the Parquet files of a released data set and their columns; called when they are written.

    The licence, the address, the day and the creators are for whoever publishes it: the card lists them as to do.

    Args:
        folder: the data set.
        name: what it is called.
        description: one sentence.
        tables: its tables; each becomes a file object with its hash and a record set of the same name.
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
