"""All that is said of the images of a run, by whomever: planned, made, and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from fer_audit.audit.types.copies import NearPairs
from fer_audit.classify.types import Predictions, Said
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.errors import ConfigError
from fer_audit.pack.types import PackRows
from fer_audit.pipeline.fingerprints import RunFingerprints
from fer_audit.pipeline.held_out import held_out_source, units_together
from fer_audit.pipeline.predict import network_source
from fer_audit.pipeline.predicted_people import with_predicted
from fer_audit.pipeline.predicted_table import scheme_and_table, table_source
from fer_audit.pipeline.run_folder import PREDICTIONS
from fer_audit.pipeline.types import Order, Source
from fer_audit.store.stage import write_atomically
from fer_audit.text import counted, encodable


def prediction_sources(
    order: Order, facts: ModelFacts, prints: RunFingerprints
) -> tuple[Source, ...]:
    """Return who will say something of the images; each is looked at now, before any work.

    `facts`, `prints`: of the run's encoder. Raises the errors of each source, and ConfigError for two of one name.
    """
    asked = order.config.classifiers
    sources = (
        *(network_source(order, each) for each in asked.predict),
        *(table_source(order, each) for each in asked.predictions),
        *(held_out_source(order, each, facts, prints) for each in asked.classify),
    )
    names = [each.name for each in sources]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"Two of the predictions are called {encodable(twice[0])}")
    return sources


def without_places(config: AuditConfig) -> AuditConfig:
    """Return the configuration that a result shows: where models and tables lie is the user's own business."""
    asked = config.classifiers
    tables = map(scheme_and_table, asked.predictions)
    return config.having(
        predict=tuple(Path(each).name for each in asked.predict),
        predictions=tuple(f"{scheme}={path.name}" for scheme, path in tables),
    )


def predict_all(
    order: Order,
    sources: Sequence[Source],
    rows: PackRows,
    found: Embeddings,
    near: Callable[[], NearPairs | None],
) -> tuple[FaceDataset, tuple[Predictions, ...]]:
    """Return the set with what the sources say of people, and what else they say; all of it is in predictions.parquet.

    Nothing is written where there is no source.
    """
    if not sources:
        return order.dataset, ()
    with order.watch.stage("predict", len(order.dataset)):
        said = tuple(
            each
            for source in sources
            for each in source.make(found, lambda: units_together(order.dataset, rows, near()))
        )
        for each in said:
            notes = list(each.notes) if isinstance(each, Predictions) else []
            if silent := int((~each.ok).sum()):
                notes.append(f"nothing is said of {counted(silent, 'image')}")
            for note in notes:
                order.progress.say(f"{encodable(each.by.name)}: {note}")
        write_predictions(order.out, order.dataset, said)
    return with_predicted(order.dataset, said, order.config.dataset.age_bins)


def write_predictions(out: Path, dataset: FaceDataset, said: Sequence[Said]) -> Path:
    """Write predictions.parquet into the run directory: ids, then of each thing predicted its columns, null where nothing is said.

    <model>_<about> is a class or a number; <model>_<about>_p_<class> are probabilities; <model>_<about>_fold is the fold in
    which the image was held out. The file's metadata says under "fer-audit" who said it.
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, pa.Array] = {"id": pa.array([encodable(each) for each in dataset.ids])}
    facts = []
    for each in said:
        name = encodable(f"{each.by.name}_{each.about}")
        facts.append({"column": name, **asdict(each.by), "fingerprint": each.fingerprint})
        if not isinstance(each, Predictions):
            columns[name] = pa.array(each.values, mask=~each.ok)
            continue
        facts[-1] |= {"held_out_by": each.unit, "notes": each.notes}
        names = pa.array([encodable(word) for word in each.classes], pa.string())
        columns[name] = names.take(pa.array(each.codes, mask=~each.ok))
        if each.folds is not None:
            columns[f"{name}_fold"] = pa.array(each.folds, mask=each.folds < 0)
        if each.probabilities is not None:
            for index, word in enumerate(each.classes):
                share = pa.array(each.probabilities[:, index], mask=~each.ok)
                columns[encodable(f"{name}_p_{word}")] = share
    table = pa.table(columns).replace_schema_metadata({"fer-audit": json.dumps(facts)})
    path = out / PREDICTIONS
    write_atomically(path, lambda file: parquet.write_table(table, file, compression="zstd"))
    return path
