"""Sets of which one list says it all: CelebA, RAF-DB (basic) and ExpW.

CelebA: forty attributes of -1 and 1 in `list_attr_celeba`, parts in `list_eval_partition`, people in `identity_CelebA`.
RAF-DB: `list_patition_label.txt` (so spelt), and a small file of attributes for each image.
ExpW: `label.lst`, whose rows are faces: an image, a box in it, and an expression.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match, Reader, holds
from fer_audit.dataset.given import DatasetPath, refuse_columns
from fer_audit.dataset.listing import base_name, bytewise_order, suffix_of
from fer_audit.dataset.maps import CODES
from fer_audit.dataset.sources.files import Cropped
from fer_audit.dataset.sources.source import read_small_file
from fer_audit.dataset.table.columns import Role, Roles
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.labels import encode_labels
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.table.reading import dataset_of_rows
from fer_audit.dataset.table.text import SPACES, first_line
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import FaceDataset, Kind, Reject
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import encodable, whole

_CELEBA: Mapping[str, tuple[str, Mapping[str, str], Kind]] = {
    "gender": ("Male", {"1": "male", "-1": "female"}, "demographic"),
    "age": ("Young", {"1": "young", "-1": "not young"}, "demographic"),
    "smiling": ("Smiling", {"1": "smiling", "-1": "not smiling"}, "label"),
}
"""Attribute -> the column it comes from, what its values mean, its kind. CelebA knows no race."""
_CELEBA_TABLE = r"list_attr_celeba\.(txt|csv)"
_CELEBA_LISTS: tuple[tuple[Kind, str, Mapping[str, str]], ...] = (
    ("split", r"list_eval_partition\.(txt|csv)", {"0": "train", "1": "val", "2": "test"}),
    ("subject", r"identity_celeba\.txt", {}),
)
"""(attribute, lists of two columns, what their values mean)"""


def _sniff_celeba(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with the list of attributes, REQUIRED when --label alone names columns."""
    if not (given.is_folder and given.listing.named(_CELEBA_TABLE)):
        return Match.NO
    labels_only = settings.label and not replace(settings, label=()).names_columns
    return Match.REQUIRED if labels_only else Match.CERTAIN


def _read_celeba(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the list of attributes, with its parts and people where those lists are there.

    `settings.label` names further attributes, of which -1 is said as "not". Raises ConfigError for one that the list does not have.
    """
    table = given.label_files(_CELEBA_TABLE, settings)[0]
    first = first_line(given.root / table).strip()
    count = int(first) if first.isdigit() and len(first) < 10 else None
    delimiter = "," if suffix_of(table) == ".csv" else SPACES
    file = open_table(given.root / table, skip=count is not None, delimiter=delimiter, header=True)
    image, *others = file.columns
    asked = dict(_CELEBA)
    if missing := [each for each, _, _ in asked.values() if each not in file.columns]:
        raise DatasetError(
            f'{given.root / table} has no column "{missing[0]}", which CelebA has',
            hint="Read it as any other table: --layout table.",
        )
    for name, column in settings.label:
        if column not in others:
            raise ConfigError(
                f'CelebA has no attribute "{column}"', hint=f"It has {', '.join(others)}."
            )
        word = column.replace("_", " ").lower()
        asked[name] = (column, {"1": word, "-1": f"not {word}"}, "label")
    rows = file.read((image, *dict.fromkeys(column for column, _, _ in asked.values())))
    columns = {image: rows.columns[image]}
    for name, (column, meaning, _) in asked.items():
        columns[name] = _named(rows.columns[column], meaning)
    kinds = {name: kind for name, (_, _, kind) in asked.items()}
    used = [table]
    for kind, pattern, meaning in _CELEBA_LISTS:
        if lists := given.listing.named(pattern):
            said = _second_column(given.root / lists[0])
            said = {key: meaning.get(value, value) for key, value in said.items()}
            columns[kind] = _named(rows.columns[image], said)
            kinds[kind] = kind
            used.append(lists[0])
    notes = []
    if count is not None and count != len(rows):
        notes.append(
            f"{encodable(table)} says that it has {whole(count)} images, and has {whole(len(rows))} lines."
        )
    left = len(others) - len({column for column, _, _ in asked.values()})
    notes.append(
        f"{whole(left)} further attributes of {encodable(table)} are not used; --label NAME adds one."
    )
    return dataset_of_rows(
        given,
        settings,
        replace(rows, columns=columns),
        Roles.known(image, kinds),
        table=encodable(table),
        label_source="Forty attributes were labelled by a professional company (Liu et al. 2015); whom it asked is not stated.",
        notes=(*file.notes, *notes),
        read=used,
    )


def _named(words: Words, names: Mapping[str, str]) -> Words:
    """Return a column with each word replaced by its name; a word without one counts as empty."""
    return words.mapped(lambda word: names.get(word.strip()))


def _second_column(path: Path) -> dict[str, str]:
    """Return {file name: what a list of two columns says of it}."""
    is_csv = suffix_of(path.name) == ".csv"
    file = open_table(path, delimiter="," if is_csv else SPACES, header=is_csv, at_least=2)
    rows = file.read(file.columns[:2])
    cells = zip(*(rows.columns[column].cells() for column in file.columns[:2]), strict=True)
    return {name.strip(): value.strip() for name, value in cells if name and value}


celeba = Reader(_sniff_celeba, _read_celeba)

AGE_GROUPS = {"0": "0-3", "1": "4-19", "2": "20-39", "3": "40-69", "4": "70+"}
"""RAF-DB's, by their codes."""
_RAFDB_LIST = r"list_pa(r)?tition_label\.txt"
_RAFDB_CODES = (("expression", "raf-db"), ("gender", "raf-db"), ("race", "raf-db"))
MAX_ATTRIBUTE_BYTES = 1_000
"""Of a file of attributes: five points and three digits."""


def _read_rafdb(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the list; the first label of a line counts, and the name says which part it is in."""
    table = given.label_files(_RAFDB_LIST, settings)[0]
    file = open_table(given.root / table, delimiter=SPACES, header=False, at_least=2)
    rows = file.read(file.columns[:2])
    names = rows.columns["1"]
    attributes = {
        base_name(each).lower().removesuffix("_manu_attri.txt"): each
        for each in given.listing.named(r".*_manu_attri\.txt")
    }
    said: list[tuple[str | None, ...]] = []
    for word in names.words:  # the last three of 13 words, behind five points, are codes
        path = attributes.get(word.rpartition(".")[0].lower())
        data = path and read_small_file(f"{given.root}/{path}", limit=MAX_ATTRIBUTE_BYTES)
        words = data.decode("utf-8", "replace").split() if data else []
        said.append(tuple(words[-3:]) if len(words) == 13 else (None, None, None))
    gender, race, age = (Words.of(each[i] for each in said).take(names.codes) for i in range(3))
    columns = {
        "image": names,
        "expression": rows.columns["2"],
        "split": names.mapped(lambda word: word.partition("_")[0] if "_" in word else None),
        "gender": gender,
        "race": race,
        "age": age.mapped(lambda code: AGE_GROUPS.get(code, code)),
    }
    kinds: dict[str, Kind] = {
        "gender": "demographic",
        "race": "demographic",
        "expression": "label",
        "split": "split",
    }
    roles = Roles.known("image", kinds)
    return dataset_of_rows(
        given,
        replace(settings, names=(*settings.names, *_RAFDB_CODES)),
        replace(rows, columns=columns),
        replace(roles, age=Role("age_bin", "age", "demographic", asked=False)),
        table=encodable(table),
        label_source="Expressions are what most of about forty annotators said; gender, race and age group were labelled by hand "
        "(Li and Deng 2019).",
        endings=("_aligned",),
        read=(table, *attributes.values()),
    )


rafdb = Reader(holds(_RAFDB_LIST), _read_rafdb)

_EXPW_COLUMNS = ("name", "face", "top", "left", "right", "bottom", "confidence", "label")
_EXPW_LIST = r"label\.lst"
MAX_PLACE = 10_000_000
"""Pixels; no image that is read is as wide."""


def _read_expw(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of all faces; a row without a box that could be one, or about a face that had one, is a reject."""
    refuse_columns(settings, given.root)
    table = given.label_files(_EXPW_LIST, settings)[0]
    file = open_table(given.root / table, delimiter=SPACES, header=False)
    if len(file.columns) != len(_EXPW_COLUMNS):
        raise DatasetError(
            f"{given.root / table} has {len(file.columns)} columns, ExpW's list has {len(_EXPW_COLUMNS)}",
            hint="Read it as any other table: --layout table.",
        )
    numbered = file.read(file.columns)
    columns = dict(zip(_EXPW_COLUMNS, numbered.columns.values(), strict=True))
    found = find_images(replace(numbered, columns=columns), "name", Locator(given.pictures))
    boxes, good = _boxes(found.rows)
    faces = found.rows.columns["face"].cells()
    ids = [f"{file_id}#{face}" for file_id, face in zip(found.ids, faces, strict=True)]
    order = bytewise_order(ids)
    kept = order[good[order]]
    again = np.array([i > 0 and ids[kept[i]] == ids[kept[i - 1]] for i in range(len(kept))], bool)
    bad = [(row, "box_unreadable") for row in np.flatnonzero(~good).tolist()]
    bad += [(row, "duplicate_row") for row in kept[again].tolist()]
    kept = kept[~again]
    if not len(kept):
        raise DatasetError(f"No line of {given.root / table} names a face")
    images = [found.ids[row] for row in kept.tolist()]
    files = listing_of(given.pictures, images)
    cells, names = found.rows.columns["label"].take(kept), CODES["expression", "expw"]
    labels = encode_labels("expression", "label", cells, "label", names=names)
    missing = missing_notes(given.pictures, images, files, encodable(table))
    return make_dataset(
        given,
        Cropped(files.source(), boxes[kept]),
        [ids[row] for row in kept.tolist()],
        (labels.attribute,),
        label_source="Expressions were labelled by annotators on faces that a detector had found (Zhang et al. 2018).",
        rejects=(
            *found.rows.rejects,
            *(Reject(found.rows.line(row), reason) for row, reason in bad),
        ),
        notes=(*found.notes, *labels.notes, *missing),
        read=(table,),
    )


def _boxes(rows: TableRows) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the (n, 4) boxes left, top, right, bottom, and the (n,) mask of those that have an area."""

    def places(name: str) -> NDArray[np.int32]:
        words = rows.columns[name]
        is_place = re.compile(r"-?[0-9]{1,9}").fullmatch
        values = [int(word) if is_place(word) else MAX_PLACE for word in words.words]
        return np.clip([*values, MAX_PLACE], -MAX_PLACE, MAX_PLACE).astype(np.int32)[words.codes]

    left, top, right, bottom = (places(side) for side in ("left", "top", "right", "bottom"))
    boxes = np.stack([left, top, right, bottom], axis=1)
    return boxes, (boxes < MAX_PLACE).all(axis=1) & (left < right) & (top < bottom)


expw = Reader(
    holds(_EXPW_LIST, lambda path: len(first_line(path).split()) == len(_EXPW_COLUMNS)), _read_expw
)
