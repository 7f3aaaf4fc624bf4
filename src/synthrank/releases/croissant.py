"""Croissant: a description of a data set that machines read (Akhtar et al. 2024, mlcommons.org/croissant/1.0)."""

from collections.abc import Sequence
from pathlib import Path

from synthrank.files import sha256_of, write_json
from synthrank.releases.parquet import Kind, Table

CROISSANT = "croissant.json"


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

    types: dict[Kind, str] = {
        "text": mlc.DataType.TEXT,
        "whole": mlc.DataType.INTEGER,
        "number": mlc.DataType.FLOAT,
    }
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
