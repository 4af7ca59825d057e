"""Sets of which tables with known names say it all: Adience, AffectNet's lists of 2017, FairFace, Hugging Face's ImageFolder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match, holds
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import base_name
from fer_audit.dataset.names import is_split
from fer_audit.dataset.table.columns import Role, assign_roles
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.reading import dataset_of_rows
from fer_audit.dataset.table.text import first_line
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import DatasetError

_AFFECTNET = (
    *("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height"),
    *("facial_landmarks", "expression", "valence", "arousal"),
)


IMAGE, SPLIT = "image of the row", "split of the table"
"""Columns that are made here; no set has such names."""


class Part(NamedTuple):
    """One of the tables."""

    table: str
    """POSIX path below the root."""
    split: str | None = None
    """The part of the benchmark that all of its rows belong to."""
    folder: str = ""
    """The folder that its paths are relative to, with a slash at its end; "" = the table says it all."""


def _by_name(tables: tuple[str, ...]) -> list[Part]:
    """Return tables of which each one's name, without its suffix, is the split of its rows."""
    return [Part(each, base_name(each).rpartition(".")[0]) for each in tables]


def _fairface(tables: tuple[str, ...]) -> list[Part]:
    return [Part(x, "train" if "train" in base_name(x).lower() else "val") for x in tables]


def _imagefolder(tables: tuple[str, ...]) -> list[Part]:
    """Return tables to whose folders the paths are relative; the folder's name is the split where all are one."""
    folders = [table.rpartition("/")[0] for table in tables]
    names = [folder.rpartition("/")[2] for folder in folders]
    splits = names if all(map(is_split, names)) else [None] * len(names)
    prefixes = [f"{folder}/" if folder else "" for folder in folders]
    return [Part(*each) for each in zip(tables, splits, prefixes, strict=True)]


def _adience_image(given: DatasetPath) -> Callable[..., str]:
    """Return what puts the name of an image together from three columns."""
    aligned = any("landmark_aligned_face" in each for each in given.pictures.ids[:1000])
    how = "landmark_aligned_face" if aligned else "coarse_tilt_aligned_face"
    return lambda user, face, original: f"{user}/{how}.{face}.{original}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSet:
    """A format, by its tables."""

    tables: str
    """Regular expression of their names."""
    label_source: str
    path: tuple[str, ...]
    """The columns from which `image` makes the path of an image, or the one that is it."""
    parts: Callable[[tuple[str, ...]], list[Part]] = _by_name
    image: Callable[[DatasetPath], Callable[..., str]] = lambda _: str
    columns: tuple[str, ...] = ()
    """The names of a table's columns where it may lack a header; so many it must have."""
    subject: str | None = None
    """The column that says who is on an image."""
    codes: tuple[tuple[str, str], ...] = ()
    """(attribute, list of `maps.CODES` that names its codes), where --names says nothing else."""

    @property
    def sniff(self) -> Callable[[DatasetPath, DatasetSettings], Match]:
        """What is certain of a folder with one of the tables."""
        commas = len(self.columns) - 1
        return holds(self.tables, lambda x: commas < 0 or first_line(x).count(b",") == commas)

    def read(self, given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
        """Return the dataset that all the tables describe.

        Raises ConfigError when the tables' columns cannot be used, DatasetError when a table is none or lacks one.
        """
        parts = self.parts(given.label_files(self.tables, settings))
        title = parts[0].table if len(parts) == 1 else f"{len(parts)} tables"
        tables = [open_table(given.root / part.table) for part in parts]
        headers = []
        for table in tables:
            named = table.columns if table.has_header else self.columns[: len(table.columns)]
            needed = self.path if table.has_header else (*self.path, *self.columns)
            if missing := [name for name in needed if name not in named]:
                raise DatasetError(
                    f'A table of {given.root} has no column "{missing[0]}", which {settings.layout} has',
                    hint="Read it as any other table: --layout table.",
                )
            headers.append(named)
        known = [
            name
            for name in headers[0]
            if all(name in names for names in headers)
            and (name not in self.path or name == self.subject)
        ]
        known += [SPLIT] if parts[0].split else []
        subject = settings.subject or self.subject
        asked = replace(settings, names=(*settings.names, *self.codes), subject=subject)
        roles = assign_roles(known, asked, table=title, path=IMAGE)
        if parts[0].split and settings.split is None:
            others = tuple(each for each in roles.attributes if each.kind != "split")
            split = Role("split", SPLIT, "split", asked=False)
            roles = replace(roles, attributes=(*others, split))
        make, rows = self.image(given), []
        for part, table, names in zip(parts, tables, headers, strict=True):
            wanted = [name for name in (*self.path, *roles.label_columns()) if name in names]
            position = {name: table.columns[names.index(name)] for name in wanted}
            read = table.read(list(dict.fromkeys(position.values())))
            found = {name: read.columns[column] for name, column in position.items()}
            cells = zip(*(found[name].cells() for name in self.path), strict=True)
            found[IMAGE] = Words.of(part.folder + make(*x) if all(x) else None for x in cells)
            if part.split:
                found[SPLIT] = Words.of([part.split] * len(read))
            items = tuple(f"{part.table} {read.line(row)}" for row in range(len(read)))
            rows.append(replace(read, columns=found, items=items if len(parts) > 1 else ()))
        together = TableRows(
            {
                name: Words.of(chain.from_iterable(each.columns[name].cells() for each in rows))
                for name in roles.columns()
            },
            np.concatenate([each.numbers for each in rows]),
            rows[0].unit,
            tuple(reject for each in rows for reject in each.rejects),
            tuple(chain.from_iterable(each.items for each in rows)),
        )
        return dataset_of_rows(
            given,
            asked,
            together,
            roles,
            table=title,
            label_source=self.label_source,
            notes=[note for table in tables for note in table.notes],
            read=[part.table for part in parts],
        )


adience = TableSet(
    tables=r"fold_[0-9]+_data\.txt",
    label_source="Age group and gender were labelled by people, who also used what was around a photograph "
    "(Eidinger, Enbar and Hassner 2014).",
    path=("user_id", "face_id", "original_image"),
    image=_adience_image,
    subject="user_id",
)
"""Five tables, each row a face: the fold is the split, the user is the subject."""
affectnet = TableSet(
    tables=r"(training|validation)\.csv",
    label_source="Expressions were labelled by one of twelve annotators (Mollahosseini et al. 2017).",
    path=_AFFECTNET[:1],
    columns=_AFFECTNET,
    codes=(("expression", "affectnet"),),
)
"""None, Uncertain and No-Face are no expressions; a list may have no header."""
fairface = TableSet(
    tables=r"fairface_label_(train|val)\.csv",
    label_source="Race, gender and age group were labelled by three annotators each and kept where two agreed "
    "(Karkkainen and Joo 2021).",
    path=("file",),
    parts=_fairface,
)
"""Which of the two tables a row is in is its split; the images often lie one folder deeper."""
imagefolder = TableSet(
    tables=r"metadata\.(csv|jsonl|parquet)",
    label_source="Columns of metadata files; who made them is not stated.",
    path=("file_name",),
    parts=_imagefolder,
)
