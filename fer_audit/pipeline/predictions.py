"""All that is said of the images of a run, by networks and tables: planned, made, and written; and what it makes of the set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.copies import NearPairs
from fer_audit.classify.table import prediction_columns, table_predictions
from fer_audit.classify.types import Predictions, Predictor, Said, predictions_of
from fer_audit.config import AuditConfig, DatasetSettings
from fer_audit.dataset.ages import bin_ages
from fer_audit.dataset.formats.registry import FORMATS
from fer_audit.dataset.listing import Listing
from fer_audit.dataset.maps import GENDER, MAPS, GroupMap, fold
from fer_audit.dataset.sources.source import NO_FILE
from fer_audit.dataset.table.columns import path_column
from fer_audit.dataset.table.file import open_table
from fer_audit.dataset.table.paths import Locator, find_images
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.dataset.weights import column_and_file
from fer_audit.encoders.types import Head, ModelSpec
from fer_audit.errors import ConfigError, DatasetError, ModelError
from fer_audit.pipeline.held_out import held_out_source, units_together
from fer_audit.pipeline.model import job_of
from fer_audit.pipeline.run_folder import PREDICTIONS
from fer_audit.pipeline.types import Job, Order, Source, Work
from fer_audit.pipeline.vectors import make_vectors
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import file_sha256, write_atomically
from fer_audit.text import counted, encodable, name_some

ABOUT_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "gender": ("gender", "sex"),
    "race": ("race", "race4", "race7", "ethnicity", "ethnic_group"),
    "age": ("age", "age_bin", "age_group"),
}
"""What is predicted of people -> what sets call it."""
SCHEMES = {each.name: each for each in (*MAPS, GENDER) if isinstance(each, GroupMap)}
DEFAULT = "expression8"


def prediction_sources(job: Job) -> tuple[Source, ...]:
    """Return who will say something of the images; each is looked at now, before any work.

    Raises the errors of each source, and ConfigError for two of one name.
    """
    asked = job.config.classifiers
    sources = (
        *(network_source(job, each) for each in asked.predict),
        *(table_source(job, each) for each in asked.predictions),
        *(held_out_source(job, each) for each in asked.classify),
    )
    names = [each.name for each in sources]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"Two of the predictions are called {encodable(twice[0])}")
    return sources


def without_places(config: AuditConfig) -> AuditConfig:
    """Return the configuration that a result shows: where models and tables lie is the user's own business."""
    asked = config.classifiers
    tables = map(scheme_and_table, asked.predictions)
    if (weights := config.dataset.weights) is not None:
        column, file = column_and_file(weights)
        weights = f"{column}={file.name}" if column else file.name
    return config.having(
        weights=weights,
        predict=tuple(Path(each).name for each in asked.predict),
        predictions=tuple(f"{scheme}={path.name}" for scheme, path in tables),
    )


def predict_all(
    job: Job, sources: Sequence[Source], work: Work, near: Callable[[], NearPairs | None]
) -> tuple[FaceDataset, tuple[Predictions, ...]]:
    """Return the set with what the sources say of people, and what else they say; all of it is in predictions.parquet.

    Nothing is written where there is no source.
    """
    dataset = job.dataset
    if not sources:
        return dataset, ()

    def together() -> NDArray[np.int64]:
        return units_together(dataset, work.rows, near())

    with job.watch.stage("predict", len(dataset)):
        said = tuple(each for source in sources for each in source.make(work.embeddings, together))
        for each in said:
            notes = list(each.notes) if isinstance(each, Predictions) else []
            if silent := int((~each.ok).sum()):
                notes.append(f"nothing is said of {counted(silent, 'image')}")
            for note in notes:
                job.progress.say(f"{encodable(each.by.name)}: {note}")
        write_predictions(job.out, dataset, said)
    return with_predicted(dataset, said, job.config.dataset.age_bins)


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


def network_source(order: Order, model: str) -> Source:
    """Return what will run a classifier, by its catalog name or file, on every image of the order's set.

    Cached under a fingerprint of the set, the size and padding of the images, the model and the provider: images are decoded at the model's own size,
    a broken run goes on where it stopped, a device or precision that was asked for is had or is an error. Raises what
    `job_of` does, and ModelError for a model that would label people of the set that it was trained on.
    """
    asked = {each.name: getattr(order, each.name) for each in fields(Order)}
    job = job_of(Order(**{**asked, "config": order.config.having(model=model)}), "classify")
    spec = job.model.spec
    seen = trained_on(spec, job.dataset)
    people = [head.name for head in spec.heads if head.name in ABOUT_PEOPLE]
    if seen and people:
        raise ModelError(
            f"{spec.name} was trained on {seen}: it would give that set's {' and '.join(people)} back to it",
            hint="Use a model that has not seen the set.",
        )

    def make(*_run: object) -> tuple[Said, ...]:
        job.progress.say(f"predicting with {spec.name}")
        _, vectors = make_vectors(job)
        said = predictions_of(vectors, spec, seen)
        if not seen:
            return said
        note = f"It was trained on {seen}: its accuracy here is in-sample, and says nothing of other images."
        return tuple(
            replace(each, notes=(note,)) if isinstance(each, Predictions) else each
            for each in said
        )

    return Source(spec.name, job.prints.embed, spec.heads, make)


def trained_on(spec: ModelSpec, dataset: FaceDataset) -> str:
    """Return the known set that this one is, by its format or its name, where the model says it was trained on it; else ""."""
    name, training = (
        text.replace("-", "").replace("_", " ") for text in (dataset.name, spec.trained_on)
    )
    for form in FORMATS:
        title = form.title.partition(",")[0]
        plain = re.escape(title.replace("-", ""))
        known = re.compile(rf"(?<!\w){plain}(?![\w+])", re.IGNORECASE)
        is_it = form.name == dataset.format or known.search(name)
        if form.terms and is_it and known.search(training):
            return title
    named, seen = (fold(text).replace("+", "plus") for text in (dataset.name, spec.trained_on))
    return dataset.name if re.search(r"[0-9+]", dataset.name) and named in seen else ""


def scheme_and_table(asked: str) -> tuple[str, Path]:
    """Return the scheme and the file of TABLE or MAP=TABLE."""
    before, _, after = asked.partition("=")
    return (before, Path(after)) if before in SCHEMES else (DEFAULT, Path(asked))


def table_source(order: Order, asked: str) -> Source:
    """Return what a table says, asked for as TABLE or MAP=TABLE, read at once; DatasetError when there is no such file, and what `read_predictions` raises."""
    scheme, path = scheme_and_table(asked)
    if not path.is_file():
        raise DatasetError(
            f"There is no table of predictions {encodable(str(path))}",
            hint=f"--predictions TABLE, or MAP=TABLE with one of {', '.join(SCHEMES)}.",
        )
    settings, column = order.config.dataset, order.config.classifiers.predicted_column
    depends = {
        "dataset": order.dataset.fingerprint,
        "table": file_sha256(path),
        "scheme": scheme,
        "columns": [settings.path_column, column],
    }
    fingerprint = stage_fingerprint("predictions", depends)
    found = read_predictions(path, order.dataset, SCHEMES[scheme], settings, label_column=column)
    said = replace(found, fingerprint=fingerprint)
    head = Head(SCHEMES[scheme].attribute, SCHEMES[scheme].groups)
    return Source(path.name, fingerprint, (head,), lambda *_run: (said,))


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
    be missing here. Raises ConfigError for columns that cannot be told apart, DatasetError for a file that is no table or
    says nothing of any image.
    """
    file = open_table(path)
    if settings.path_column not in file.columns:
        settings = replace(settings, path_column=None)
    name, shown = encodable(path.name), encodable(str(path))
    named = path_column(file, settings, table=name)
    others = [column for column in file.columns if column != named]
    where = prediction_columns(
        others, scheme.attribute, scheme.target, table=name, asked=label_column
    )
    rows = file.read([named, *where.needed()])
    n_lines, paths = len(rows) + len(rows.rejects), rows.columns[named].words
    none = np.full(len(dataset), NO_FILE, np.int64)
    listing = Listing(dataset.root, dataset.ids, none, none, (), (), whole=True)
    images = find_images(rows, named, Locator(listing))
    at = np.fromiter(map(listing.row_finder(), images.ids), np.intp, len(images.ids))
    said = table_predictions(
        {name: words.cells() for name, words in images.rows.columns.items()},
        where,
        at,
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
    notes = (*file.notes, *images.notes, *left_out, *said.notes)
    if not said.ok.any():
        first = next(filter(None, map(str.strip, paths)), "")
        example = f"its first path is {name_some([first])}, the set's {name_some(dataset.ids[:1])}"
        lines = counted(n_lines, "line")
        why = f"None of the {lines} of {shown} names an image of the set; {example}"
        hint = "Paths are joined by their end, the file's name first. Is it another column? --path-column NAME"
        if not n_lines:
            why, hint = f"{shown} has no lines", "It needs a line for each image that it predicts."
        elif (at >= 0).any():
            why = f"{shown} gives no image a predicted {scheme.attribute}: {' '.join(notes)}"
            hint = "Is it another column? --predicted-column NAME"
        raise DatasetError(why, hint=hint)
    return replace(said, notes=notes)


def attribute_name(dataset: FaceDataset, about: str, *, is_number: bool) -> str:
    """Return the attribute that predictions become, "" where the set says it itself or they are not about people."""
    has = {each.name for each in dataset.attributes} | {what for what, _ in dataset.facts}
    if dataset.ages is not None:
        has.add("age")
    if about not in ABOUT_PEOPLE or has.intersection(ABOUT_PEOPLE[about]):
        return ""
    name = f"predicted_{about}_bin" if is_number else f"predicted_{about}"
    return "" if name in has else name  # of several models the first


def to_come(dataset: FaceDataset, heads: Iterable[Head]) -> FaceDataset:
    """Return the set with an attribute, still without a label, for each that predictions will become."""
    none = np.full(len(dataset), -1, np.int16)
    for head in heads:
        if name := attribute_name(dataset, head.name, is_number=not head.classes):
            new = Attribute(name, head.classes, none, "demographic", "predicted")
            dataset = replace(dataset, attributes=(*dataset.attributes, new))
    return dataset


def with_predicted(
    dataset: FaceDataset, said: Sequence[Said], age_bins: Sequence[int]
) -> tuple[FaceDataset, tuple[Predictions, ...]]:
    """Return the set with the attributes that were predicted of people, and the predictions that did not become one.

    Its fingerprint stays: that of what the files say. Numbers are ages in years, binned.
    """
    others = []
    for each in said:
        is_number = not isinstance(each, Predictions)
        name = attribute_name(dataset, each.about, is_number=is_number)
        if not name:
            others += [each] if isinstance(each, Predictions) else []
            continue
        if isinstance(each, Predictions):
            new = Attribute(name, each.classes, each.codes, "demographic", "predicted")
        else:
            years = np.where(each.ok, each.values.clip(0, 120), -1).astype(np.int16)
            new = replace(bin_ages(years, age_bins, "predicted"), name=name)
        note = f"{name} is what {encodable(each.by.name)} says of each image; nobody annotated it."
        dataset = replace(
            dataset, attributes=(*dataset.attributes, new), notes=(*dataset.notes, note)
        )
    return dataset, tuple(others)
