"""Join a table of predictions that somebody made with a set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_audit.classify.table import prediction_columns, table_predictions
from fer_audit.classify.types import Predictions, Predictor, Said
from fer_audit.config import DatasetSettings
from fer_audit.dataset.listing import Listing
from fer_audit.dataset.maps import GENDER, MAPS, GroupMap
from fer_audit.dataset.sources.source import NO_FILE
from fer_audit.dataset.table.columns import path_column
from fer_audit.dataset.table.file import open_table
from fer_audit.dataset.table.paths import Locator, find_images
from fer_audit.dataset.types import FaceDataset
from fer_audit.encoders.types import Head
from fer_audit.errors import DatasetError
from fer_audit.pipeline.types import Order, Source
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import file_sha256
from fer_audit.text import counted, encodable

SCHEMES = {each.name: each for each in (*MAPS, GENDER) if isinstance(each, GroupMap)}
DEFAULT = "expression8"


def scheme_and_table(asked: str) -> tuple[str, Path]:
    """Return the scheme and the file of TABLE or MAP=TABLE."""
    before, _, after = asked.partition("=")
    return (before, Path(after)) if before in SCHEMES else (DEFAULT, Path(asked))


def table_source(order: Order, asked: str) -> Source:
    """Return what will read a table, asked for as TABLE or MAP=TABLE; DatasetError when there is no such file."""
    scheme, path = scheme_and_table(asked)
    if not path.is_file():
        raise DatasetError(
            f"There is no table of predictions {encodable(str(path))}",
            hint=f"--predictions TABLE, or MAP=TABLE with one of {', '.join(SCHEMES)}.",
        )
    settings, column = order.config.dataset, order.config.classifiers.predicted_column
    fingerprint = stage_fingerprint(
        "predictions",
        {
            "dataset": order.dataset.fingerprint,
            "table": file_sha256(path),
            "scheme": scheme,
            "columns": [settings.path_column, column],
        },
    )

    def make(*_run: object) -> tuple[Said, ...]:
        said = read_predictions(
            path, order.dataset, SCHEMES[scheme], settings, label_column=column
        )
        return (replace(said, fingerprint=fingerprint),)

    head = Head(SCHEMES[scheme].attribute, SCHEMES[scheme].groups)
    return Source(path.name, fingerprint, (head,), make)


def read_predictions(
    path: Path,
    dataset: FaceDataset,
    scheme: GroupMap,
    settings: DatasetSettings,
    *,
    label_column: str | None = None,
) -> Predictions:
    """Return the predictions of a CSV, JSON-lines or parquet file, its classes mapped by `scheme`.

    Its paths find the set's images by the rules of every table; a path column that was named for the set's own table may
    be missing here. Raises ConfigError for columns that cannot be told apart, DatasetError for a file that is no table.
    """
    file = open_table(path)
    if settings.path_column not in file.columns:
        settings = replace(settings, path_column=None)
    named = path_column(file, settings, table=encodable(path.name))
    others = [column for column in file.columns if column != named]
    where = prediction_columns(others, scheme.attribute, scheme.target, asked=label_column)
    rows = file.read([named, *where.needed()])
    none = np.full(len(dataset), NO_FILE, np.int64)
    listing = Listing(dataset.root, dataset.ids, none, none, (), (), whole=True)
    images = find_images(rows, named, Locator(listing))
    row_of = listing.row_finder()
    said = table_predictions(
        {name: words.cells() for name, words in images.rows.columns.items()},
        where,
        np.fromiter(map(row_of, images.ids), np.intp, len(images.ids)),
        len(dataset),
        about=scheme.attribute,
        classes=scheme.groups,
        target=scheme.target,
        by=Predictor(path.name, "table", file_sha256(path)),
        fingerprint="",
    )
    lost = images.rows.rejects
    left_out = (
        f"{counted(len(lost), 'line')} left out: {lost[0].item}, {lost[0].reason}."
        for _ in lost[:1]
    )
    return replace(said, notes=(*file.notes, *images.notes, *left_out, *said.notes))
