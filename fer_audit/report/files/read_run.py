"""Read a finished run directory: result.json, rows.parquet, embeddings.npy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.compare import LabelColumn, RunRows
from fer_audit.audit.types.result import AuditResult
from fer_audit.errors import StoreError
from fer_audit.report.files.document import read_result
from fer_audit.report.files.rows import attribute_columns
from fer_audit.store.stage import file_sha256
from fer_audit.text import encodable

if TYPE_CHECKING:
    import pyarrow as pa

_HINT = "Finish the run with the same fer-audit run command."
_CHECKED = ("result.json", "rows.parquet")
"""Vectors are gigabytes; their shape is checked, their bytes are not."""


def read_finished_result(run: Path) -> AuditResult:
    """Return the result of a run directory whose audit is finished and untouched.

    Raises StoreError when the directory, a file or DONE.json is missing, a file was changed, or the result is incomplete.
    """
    if not run.is_dir():
        hint = "Give two folders that fer-audit run wrote."
        raise StoreError(f"{run} is no run directory", hint=hint)
    digests = _digests(run / "DONE.json")
    for name in _CHECKED:
        path = run / name
        if name not in digests or not path.is_file():
            raise _refused(f"{run} has no {name}")
        if file_sha256(path) != digests[name]:
            raise _refused(f"{path} is not the file that the run wrote")
    result = read_result(run / "result.json")
    if not result.complete:
        raise _refused(f"The audit in {run} is incomplete: a part of it is missing")
    return result


def read_run_rows(path: Path, result: AuditResult) -> RunRows:
    """Return the rows of a rows.parquet; an attribute of `result` that has no column there is left out.

    Raises StoreError when the file cannot be read or its rows are not those of the result.
    """
    table = _read_table(path)
    if table.num_rows != result.dataset.listed:
        listed = f"the result lists {result.dataset.listed:,} images"
        raise _refused(f"{path} has {table.num_rows:,} rows, {listed}")
    k = 0 if result.clustering is None else result.clustering.k
    clusters = np.full(table.num_rows, -1, dtype=np.int32)
    if k:
        clusters = _column(table, "cluster", "int32", path).fill_null(-1).to_numpy()
    ok = _column(table, "ok", "bool", path)
    if ok.null_count:
        raise _refused(f"The column ok of {path} is not filled in every row")
    if clusters.size and (clusters.min() < -1 or clusters.max() >= k):
        raise _refused(f"{path} names a cluster that is not one of the {k} of the result")
    names = [each.attribute for each in result.representation]
    groups = [tuple(group.name for group in each.groups) for each in result.representation]
    labels = tuple(
        _labels(table, column, name, known, path)
        for column, name, known in zip(attribute_columns(names), names, groups, strict=True)
        if column in table.column_names
    )
    ids, digests = (
        [text or "" for text in _column(table, name, "string", path).to_pylist()]
        for name in ("id", "sha256")
    )
    sha256 = np.array([text.encode("ascii", "replace") for text in digests], dtype="S64")
    return RunRows(tuple(ids), sha256, ok=ok.to_numpy(), clusters=clusters, labels=labels)


def read_subjects(path: Path, result: AuditResult) -> tuple[LabelColumn, ...]:
    """Return the columns of a rows.parquet that say who is on an image; StoreError when it cannot be read."""
    table = _read_table(path)
    names = [each.attribute for each in result.representation]
    names += [each.attribute for each in result.subjects]
    columns = list(zip(names, attribute_columns(names), strict=True))[len(result.representation) :]
    found = []
    for name, column in columns:
        if column in table.column_names:
            texts = set(_column(table, column, "string", path).to_pylist()) - {None}
            found.append(_labels(table, column, name, tuple(sorted(texts)), path))
    return tuple(found)


def map_run_vectors(path: Path, rows: int) -> NDArray[np.floating[Any]] | None:
    """Return the (rows, d) vectors of a run as a read-only memory map; None when the file is not there.

    Raises StoreError when it holds no such array.
    """
    if not path.is_file():
        return None
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as exc:
        raise _refused(f"{path} cannot be read: {exc}") from exc
    if not isinstance(vectors, np.ndarray) or vectors.ndim != 2 or len(vectors) != rows:
        raise _refused(f"{path} does not hold one vector for each of {rows:,} images")
    if not np.issubdtype(vectors.dtype, np.floating):
        raise _refused(f"{path} holds {vectors.dtype}, not floating-point numbers")
    return vectors


def _refused(message: str) -> StoreError:
    return StoreError(message, hint=_HINT)


def _digests(path: Path) -> dict[str, str]:
    """Return the checksums of a DONE.json by file."""
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
    except FileNotFoundError as exc:
        raise _refused(f"{path.parent} holds no finished run: {path.name} is missing") from exc
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as exc:
        raise _refused(f"{path} cannot be read ({type(exc).__name__})") from exc
    if not isinstance(files, dict):
        raise _refused(f"{path} names no files")
    return files


def _read_table(path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # One file, not a dataset: nothing is guessed from folder names.
        with parquet.ParquetFile(path) as file:
            return file.read()
    except (OSError, pa.ArrowException) as exc:
        raise _refused(f"{path} cannot be read: {exc}") from exc


def _column(table: pa.Table, name: str, kind: str, path: Path) -> pa.ChunkedArray:
    """Return the one column of this name; StoreError when its type is not `kind`, e.g. int32."""
    found = [index for index, column in enumerate(table.column_names) if column == name]
    if len(found) != 1:
        count = "no" if not found else "more than one"
        raise _refused(f"{path} has {count} column {name}")
    column = table.column(found[0])
    if str(column.type) != kind:
        raise _refused(f"The column {name} of {path} holds {column.type}, not {kind}")
    return column


def _labels(
    table: pa.Table, column: str, name: str, groups: tuple[str, ...], path: Path
) -> LabelColumn:
    """Return one attribute's groups as codes; a group that the result does not name is an error."""
    codes_of = {encodable(group): code for code, group in enumerate(groups)}
    texts = _column(table, column, "string", path).to_pylist()
    codes = np.array(
        [codes_of.get(text, -2) if text is not None else -1 for text in texts], np.int32
    )
    if -2 in codes:
        unknown = "a group that the result does not name"
        raise _refused(f"The column {column} of {path} holds {unknown}")
    return LabelColumn(name, groups, codes)
