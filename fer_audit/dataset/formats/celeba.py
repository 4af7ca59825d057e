"""CelebA: forty attributes of -1 and 1 in `list_attr_celeba`, parts in `list_eval_partition`, people in `identity_CelebA`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import suffix_of
from fer_audit.dataset.table.columns import Role, Roles
from fer_audit.dataset.table.file import TableFile, open_table
from fer_audit.dataset.table.reading import dataset_of_rows
from fer_audit.dataset.table.text import SPACES, first_line
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import FaceDataset, Kind
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import encodable, whole

LABEL_SOURCE = "Forty attributes were labelled by a professional company (Liu et al. 2015); whom it asked is not stated."
SPLITS = {"0": "train", "1": "val", "2": "test"}
_READ: Mapping[str, tuple[str, Mapping[str, str], Kind]] = {
    "gender": ("Male", {"1": "male", "-1": "female"}, "demographic"),
    "age": ("Young", {"1": "young", "-1": "not young"}, "demographic"),
    "smiling": ("Smiling", {"1": "smiling", "-1": "not smiling"}, "label"),
}
"""Attribute -> the column it comes from, what its values mean, its kind. CelebA knows no race."""
_Asked = Mapping[str, tuple[str, Mapping[str, str], Kind]]
_ATTRIBUTES = r"list_attr_celeba\.(txt|csv)"


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with the list of attributes, REQUIRED when --label alone names columns."""
    if not (given.is_folder and given.listing.named(_ATTRIBUTES)):
        return Match.NO
    labels_only = settings.label and not replace(settings, label=()).names_columns
    return Match.REQUIRED if labels_only else Match.CERTAIN


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the list of attributes, with its parts and people where those lists are there.

    `settings.label` names further attributes. Raises ConfigError for one that the list does not have.
    """
    table = given.label_files(_ATTRIBUTES, settings)[0]
    file, count = _open_counted(given.root / table)
    image = file.columns[0]
    if missing := [each for each, _, _ in _READ.values() if each not in file.columns]:
        raise DatasetError(
            f'{given.root / table} has no column "{missing[0]}", which CelebA has',
            hint="Read it as any other table: --layout table.",
        )
    asked = {**_READ, **_further(settings, file.columns[1:])}
    rows = file.read((image, *dict.fromkeys(column for column, _, _ in asked.values())))
    columns = {image: rows.columns[image]}
    for name, (column, meaning, _) in asked.items():
        columns[name] = _named(rows.columns[column], meaning)
    roles = [Role(name, name, kind, asked=False) for name, (_, _, kind) in asked.items()]
    used = [table]
    for name, pattern in (
        ("split", r"list_eval_partition\.(txt|csv)"),
        ("subject", r"identity_celeba\.txt"),
    ):
        if lists := given.listing.named(pattern):
            said = _second_column(given.root / lists[0])
            if name == "split":
                said = {key: SPLITS.get(value, value) for key, value in said.items()}
            columns[name] = _named(rows.columns[image], said)
            roles.append(Role(name, name, "split" if name == "split" else "subject", asked=False))
            used.append(lists[0])
    notes = []
    if count is not None and count != len(rows):
        notes.append(
            f"{encodable(table)} says that it has {whole(count)} images, and has {whole(len(rows))} lines."
        )
    left = len(file.columns) - 1 - len({column for column, _, _ in asked.values()})
    notes.append(
        f"{whole(left)} further attributes of {encodable(table)} are not used; --label NAME adds one."
    )
    return dataset_of_rows(
        given,
        settings,
        replace(rows, columns=columns),
        Roles(image, tuple(roles), None, ()),
        table=encodable(table),
        label_source=LABEL_SOURCE,
        notes=(*file.notes, *notes),
        read=used,
    )


def _further(settings: DatasetSettings, columns: Sequence[str]) -> _Asked:
    """Return the attributes that --label names; -1 is said as "not" of the column's name."""
    for _, column in settings.label:
        if column not in columns:
            raise ConfigError(
                f'CelebA has no attribute "{column}"', hint=f"It has {', '.join(columns)}."
            )
    words = {column: column.replace("_", " ").lower() for _, column in settings.label}
    return {
        name: (column, {"1": words[column], "-1": f"not {words[column]}"}, "label")
        for name, column in settings.label
    }


def _named(words: Words, names: Mapping[str, str]) -> Words:
    """Return a column with each word replaced by its name; a word without one counts as empty."""
    return words.mapped(lambda word: names.get(word.strip()))


def _open_counted(path: Path) -> tuple[TableFile, int | None]:
    """Return the table, and the number of images that its first line gives if it gives one."""
    first = first_line(path).strip()
    count = int(first) if first.isdigit() and len(first) < 10 else None
    delimiter = "," if suffix_of(path.name) == ".csv" else SPACES
    return open_table(path, skip=count is not None, delimiter=delimiter, header=True), count


def _second_column(path: Path) -> dict[str, str]:
    """Return {file name: what a list of two columns says of it}."""
    is_csv = suffix_of(path.name) == ".csv"
    file = open_table(path, delimiter="," if is_csv else SPACES, header=is_csv, at_least=2)
    rows = file.read(file.columns[:2])
    names, values = (rows.columns[column].cells() for column in file.columns[:2])
    return {
        name.strip(): value.strip()
        for name, value in zip(names, values, strict=True)
        if name and value
    }
