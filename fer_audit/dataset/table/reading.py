"""From the rows of a table to a dataset: images found, labels encoded, lines about one image merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import Listing
from fer_audit.dataset.table.columns import Roles
from fer_audit.dataset.table.encode import encode_columns
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.merge import merge_lines
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.types import FaceDataset, Source
from fer_audit.errors import DatasetError
from fer_audit.text import counted, encodable


def dataset_of_rows(
    given: DatasetPath,
    settings: DatasetSettings,
    rows: TableRows,
    roles: Roles,
    *,
    table: str,
    form: str,
    label_source: str,
    source: Source = "annotated",
    endings: Sequence[str] = (),
    notes: Iterable[str] = (),
    read: Iterable[str] = (),
) -> FaceDataset:
    """Return the dataset that the rows of one or several tables describe; `table` names them in messages.

    A row whose file is missing stays. endings: what the set puts behind a name before the suffix; read: the paths of
    the tables, for `make_dataset`. Raises ConfigError for a path that fits several images, DatasetError when no row
    names an image.
    """
    listing = given.pictures
    n_lines = len(rows) + len(rows.rejects)
    assert roles.path is not None  # noqa: S101 - the caller found it
    found = find_images(rows, roles.path, Locator(listing, endings=endings))
    columns = encode_columns(found.rows, roles, settings, table=table, source=source)
    merged = merge_lines(found.ids, columns.matrix(len(found.ids)), found.rows)
    files = listing_of(listing, merged.ids)
    _require_files(files, n_lines=n_lines, table=table)
    attributes, ages, age_notes = columns.finished(merged.codes, settings, source)
    return make_dataset(
        given,
        files.source(),
        files.ids,
        attributes,
        ages=ages,
        rejects=(*found.rows.rejects, *columns.rejects, *merged.rejects),
        notes=(
            *found.notes,
            *notes,
            *columns.notes,
            *age_notes,
            *missing_notes(listing, merged.ids, files, table),
        ),
        label_source=label_source,
        form=form,
        read=read,
    )


def _require_files(files: Listing, *, n_lines: int, table: str) -> None:
    if (files.sizes >= 0).any():
        return
    example = f'; the first path is "{encodable(files.ids[0])}"' if files.ids else ""
    raise DatasetError(
        f"None of the {counted(n_lines, 'line')} of {table} names an image under {files.root}{example}",
        hint="Say where the images lie with --images DIR, or which column holds their paths with --path-column.",
    )
