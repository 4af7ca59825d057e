"""Run a classifier over a set, and join a table of predictions with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_audit.classify.onnx import predictions_of
from fer_audit.classify.table import prediction_columns, table_predictions
from fer_audit.classify.types import Predictions, Predictor, Said
from fer_audit.config import DatasetSettings
from fer_audit.dataset.listing import Listing
from fer_audit.dataset.maps import GroupMap
from fer_audit.dataset.sources.source import NO_FILE
from fer_audit.dataset.table.columns import path_column
from fer_audit.dataset.table.file import open_table
from fer_audit.dataset.table.paths import Locator, find_images
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ModelError
from fer_audit.pipeline.fingerprints import run_fingerprints
from fer_audit.pipeline.model import facts_of, find_model
from fer_audit.pipeline.types import Order
from fer_audit.pipeline.vectors import make_vectors
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import file_sha256, write_atomically
from fer_audit.text import counted, encodable

PREDICTIONS = "predictions.parquet"
"""In the run directory: one row an image, and for each thing predicted its class or number and its probabilities."""


def predict(order: Order, model: str) -> tuple[Said, ...]:
    """Return what a classifier, by its catalog name or file, says of every image of the order's set.

    Made like vectors, and cached like them under a fingerprint of the set, the size, the model and the provider: images
    are decoded at the model's own size, a broken run goes on where it stopped, a device that was asked for is had or is an
    error. Raises what `make_vectors` and `find_or_export` do, and ModelError for an encoder.
    """
    config = order.config.having(model=model, precision="fp32")
    order = replace(order, config=config)
    found = find_model(order.dataset, config, order.resources, order.progress)
    spec = found.spec
    if spec.task != "classify":
        raise ModelError(
            f"{spec.name} gives an embedding and no classes",
            hint="Give a classifier; fer-audit models lists both kinds.",
        )
    facts = facts_of(found, order.resources)
    prints = run_fingerprints(order.dataset, facts, spec.size, config)
    _, vectors = make_vectors(order, found, facts, prints)
    return predictions_of(vectors, spec)


def read_predictions(
    path: Path,
    dataset: FaceDataset,
    scheme: GroupMap,
    settings: DatasetSettings,
    *,
    label_column: str | None = None,
) -> Predictions:
    """Return the predictions of a CSV, JSON-lines or parquet file, its classes mapped by `scheme`.

    Its paths find the set's images by the rules of every table. Raises ConfigError for columns that cannot be told apart,
    DatasetError for a file that is no table.
    """
    file = open_table(path)
    named = path_column(file, settings, table=encodable(path.name))
    others = [column for column in file.columns if column != named]
    where = prediction_columns(others, scheme.attribute, scheme.target, asked=label_column)
    rows = file.read([named, *where.needed()])
    none = np.full(len(dataset), NO_FILE, np.int64)
    listing = Listing(dataset.root, dataset.ids, none, none, (), (), whole=True)
    images = find_images(rows, named, Locator(listing))
    row_of = listing.row_finder()
    sha256 = file_sha256(path)
    said = table_predictions(
        {name: words.cells() for name, words in images.rows.columns.items()},
        where,
        np.fromiter(map(row_of, images.ids), np.intp, len(images.ids)),
        len(dataset),
        about=scheme.attribute,
        classes=scheme.groups,
        target=scheme.target,
        by=Predictor(path.name, "table", sha256),
        fingerprint=stage_fingerprint(
            "predictions",
            {
                "dataset": dataset.fingerprint,
                "table": sha256,
                "scheme": scheme.name,
                "columns": [named, *where.needed()],
            },
        ),
    )
    lost = images.rows.rejects
    left_out = (
        f"{counted(len(lost), 'line')} left out: {lost[0].item}, {lost[0].reason}."
        for _ in lost[:1]
    )
    return replace(said, notes=(*file.notes, *images.notes, *left_out, *said.notes))


def write_predictions(out: Path, dataset: FaceDataset, said: tuple[Said, ...]) -> Path:
    """Write predictions.parquet into the run directory: ids, then of each thing predicted its columns.

    predicted_ABOUT is a class or a number, null where there is none; p_ABOUT_CLASS are probabilities.
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, pa.Array] = {"id": pa.array([encodable(each) for each in dataset.ids])}
    for each in said:
        if not isinstance(each, Predictions):
            columns[f"predicted_{each.about}"] = pa.array(each.values, mask=~each.ok)
            continue
        names = pa.array([*each.classes], pa.string())
        codes = pa.array(each.codes, mask=~each.ok)
        columns[f"predicted_{each.about}"] = names.take(codes)
        if each.probabilities is not None:
            for index, name in enumerate(each.classes):
                columns[f"p_{each.about}_{name}"] = pa.array(
                    each.probabilities[:, index], mask=~each.ok
                )
    table = pa.table(columns)
    path = out / PREDICTIONS
    write_atomically(path, lambda file: parquet.write_table(table, file, compression="zstd"))
    return path
