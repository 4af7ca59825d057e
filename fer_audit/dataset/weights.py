"""--weights: a number for each image, read from a table such as the weights.parquet of `fer-audit balance`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.build import seal
from fer_audit.dataset.sources.parquet import facts_of, opened_parquet, parquet_failures
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, listed, name_some, visible

ID = "id"


def with_weights(dataset: FaceDataset, asked: str | None) -> FaceDataset:
    """Return the dataset with the weights of a parquet or CSV file, "FILE" or "COLUMN=FILE"; as it is for None.

    The file has a column `id` and one of numbers, or COLUMN says which. An image that it does not name weighs 0.
    Raises ConfigError for a file, a column or a number that cannot be used.
    """
    if asked is None:
        return dataset
    column, path = column_and_file(asked)
    ids, weights = _read(path, column)
    rows = {visible(file_id): row for row, file_id in enumerate(dataset.ids)}
    at = np.array([rows.get(visible(each), -1) for each in ids], np.int64)
    found = np.zeros(len(dataset))
    found[at[at >= 0]] = weights[at >= 0]
    if not found.any():
        raise ConfigError(
            f"--weights {path} gives no image of {dataset.name} a weight",
            hint=f"Its column {ID} holds names such as {name_some(list(dataset.ids[:1]))}.",
        )
    weighed = counted(int((found > 0).sum()), "image")
    note = f'Weights of {weighed} come from "{path.name}"; every other image weighs 0.'
    if unknown := int((at < 0).sum()):
        note += f" {counted(unknown, 'row')} of it {'is' if unknown == 1 else 'are'} of no image."
    return seal(replace(dataset, weights=found, notes=(*dataset.notes, note)))


def column_and_file(asked: str) -> tuple[str, Path]:
    """Return the column and the file of FILE or COLUMN=FILE; a file of that very name is meant first."""
    column, equals, name = asked.partition("=")
    return (column, Path(name)) if equals and not os.path.lexists(asked) else ("", Path(asked))


def _read(path: Path, column: str) -> tuple[list[str], NDArray[np.float64]]:
    """Return the ids and weights of a file."""
    table = _table(path)
    if column and column not in table.column_names:
        raise ConfigError(
            f"--weights {path} has no column {column}",
            hint=f"It has {listed(table.column_names)}.",
        )
    if table.column_names.count(ID) != 1:
        raise ConfigError(f"--weights {path} needs one column {ID}")
    import pyarrow.types as kinds

    numeric = [
        field.name
        for field in table.schema
        if field.name != ID and table.column_names.count(field.name) == 1
        if kinds.is_floating(field.type) or kinds.is_integer(field.type)
    ]
    if not column and len(numeric) == 1:
        column = numeric[0]
    if column not in numeric:
        raise ConfigError(
            f"--weights {path}: which column holds the weights?",
            hint=f"Give --weights {numeric[0]}={path}; there are {listed(numeric)}."
            if numeric
            else "None of its columns holds numbers.",
        )
    weights = np.nan_to_num(table[column].to_numpy().astype(np.float64), nan=0.0, posinf=-1.0)
    weights /= max(
        weights.max(initial=0.0), np.finfo(np.float64).tiny
    )  # squares of 1e200 would be infinite
    if (weights < 0).any():
        raise ConfigError(f"--weights {path}: {column} holds numbers below 0 or infinite ones")
    ids = [str(each) for each in table[ID].to_pylist()]
    if len(set(ids)) < len(ids):
        raise ConfigError(f"--weights {path} names an image twice")
    return ids, weights


def _table(path: Path) -> Any:  # noqa: ANN401 - pyarrow ships no types
    import pyarrow as pa
    from pyarrow import csv

    try:
        if path.suffix.casefold() == ".parquet":
            with opened_parquet(facts_of(path)) as file:
                return file.read()
        words = csv.ConvertOptions(column_types={ID: pa.string()})  # 001 is a name
        return csv.read_csv(path, convert_options=words)
    except DatasetError as exc:
        raise ConfigError(f"--weights: {exc}") from exc
    except parquet_failures() as exc:
        raise ConfigError(f"--weights {path} cannot be read: {str(exc).strip()}") from exc
