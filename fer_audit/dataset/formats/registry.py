"""The dataset formats: the one list that loading, `--layout`, `fer-audit datasets` and the README read.

To add a format, write `fer_audit/dataset/formats/<name>.py` with `sniff` and `read`, or a `Reader` in one of the modules there, and a row here.
Nothing heavy loads before one of the two is called: `--help` lists the formats, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fer_audit.config import DatasetSettings
    from fer_audit.dataset.given import DatasetPath
    from fer_audit.dataset.types import FaceDataset

AUTO = "auto"
"""The value of --layout that means the best match."""
YOURS = "yours"
"""The terms of a layout that is no one set's."""


class Match(IntEnum):
    """How well a path fits a format; the best match is read."""

    NO = 0
    FALLBACK = 1
    """It is a folder, and so would any other be."""
    POSSIBLE = 2
    """What the format needs is there; the earlier row among equals is read."""
    CERTAIN = 3
    """Only this format has such names; two that are certain are an error that names both."""
    REQUIRED = 4
    """The settings ask for something that only this format has."""


class Reader(NamedTuple):
    """How a format is recognised and read; a module with these two functions is one, too."""

    sniff: Callable[[DatasetPath, DatasetSettings], Match]
    read: Callable[[DatasetPath, DatasetSettings], FaceDataset]


def holds(
    pattern: str, fits: Callable[[Path], bool] = lambda _: True
) -> Callable[[DatasetPath, DatasetSettings], Match]:
    """Return what is certain of a folder with a label file of that name that fits."""

    def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
        names = given.listing.named(pattern) if given.is_folder else ()
        return Match.CERTAIN if any(fits(given.root / name) for name in names) else Match.NO

    return sniff


@dataclass(frozen=True, slots=True)
class Format:
    """One way to store face images and their labels on a disk."""

    name: str
    """The word of --layout, and the name of the module, or of a `Reader` in one."""
    title: str
    """What people call the set, or the kind of set."""
    about: str
    """What is recognised: which files, and where the labels are."""
    gives: str
    """The attributes that are read."""
    terms: str = YOURS
    """Where a set of this format is had, and under which licence or terms."""

    def sniff(self, given: DatasetPath, settings: DatasetSettings) -> Match:
        """Return how well a path fits, by the names of its files and the first lines of its label files; no image is opened."""
        return self._reader().sniff(given, settings)

    def read(self, given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
        """Return the dataset at a path. Raises DatasetError, or ConfigError when the settings do not fit."""
        return self._reader().read(given, settings)

    def _reader(self) -> Reader:
        module = import_module(f"fer_audit.dataset.formats.{HOMES.get(self.name, self.name)}")
        return cast("Reader", getattr(module, self.name, module))


HOMES = {
    **dict.fromkeys(("jaffe", "ckplus", "affectnet8"), "by_name"),
    **dict.fromkeys(("fer2013", "ferplus"), "fer"),
    **dict.fromkeys(("table", "folder"), "plain"),
    **dict.fromkeys(("celeba", "rafdb", "expw"), "by_list"),
    **dict.fromkeys(("adience", "affectnet", "fairface", "imagefolder"), "by_tables"),
}
"""Format -> the module that it shares with others."""

_ABOUT = """
utkface | UTKFace | `[age]_[gender]_[race]_[time].jpg`, also as `.chip.jpg`, in any folders | race, gender, age, day
    and hour of collection | github.com/aicip/UTKFace; research only
jaffe | JAFFE | `KA.AN1.39.tiff` (subject, expression and take, index), also converted, in any folders | expression,
    subject | kasrl.org, on request; non-commercial research only
ckplus | CK+ and CK+48 | frames `S005_001_00000011.png`, in class folders or with
    `Emotion/.../S005_001_00000011_emotion.txt` | expression, subject | on request from its authors (Lucey et al. 2010);
    research only
affectnet8 | AffectNet, eight classes | `train_set/` and `val_set/` with `images/N.jpg` and `annotations/N_exp.npy` |
    expression, split | mohammadmahoor.com, on request; research only
affectnet | AffectNet, lists of 2017 | `training.csv` and `validation.csv` next to `Manually_Annotated_Images/` |
    expression, split | mohammadmahoor.com, on request; research only
fairface | FairFace | `fairface_label_train.csv`, `fairface_label_val.csv`; images in `train/` and `val/`, also a
    folder deeper | race, gender, age group, split | github.com/joojs/fairface; CC BY 4.0
celeba | CelebA | `list_attr_celeba.txt` or `.csv`, with `list_eval_partition` and `identity_CelebA.txt` where they
    are there | gender, age (young or not), smiling, split, subject; --label for the other 37 |
    mmlab.ie.cuhk.edu.hk/projects/CelebA.html; non-commercial research only
rafdb | RAF-DB, basic | `list_patition_label.txt` with `Image/aligned/` or `original/`, and `Annotation/manual/` |
    expression, gender, race, age group, split | whdeng.cn, on request; non-commercial research only
expw | ExpW | `label.lst`: each row a face with its box, cropped when it is read | expression | on request from its
    authors (Zhang et al. 2018); non-commercial research only
adience | Adience | `fold_0_data.txt` to `fold_4_data.txt` with `aligned/` or `faces/` | gender, age group, split
    (fold), subject | on request from its authors (Eidinger et al. 2014); research only
imagefolder | Hugging Face ImageFolder | `metadata.csv`, `.jsonl` or `.parquet` with `file_name`, in the folder of the
    images | its columns, split from the folder
fer2013 | FER2013 | a CSV of any name with the columns `emotion,pixels,Usage`; the images are numbers in its cells |
    expression, split | kaggle.com, Challenges in Representation Learning; terms of the challenge
ferplus | FER+ | `fer2013new.csv` with `FER2013Train/`, `FER2013Valid/` and `FER2013Test/`, or with `fer2013.csv` |
    expression by majority, the votes, split | github.com/microsoft/FERPlus (labels); the images are FER2013's
webdataset | WebDataset | `.tar` archives, one or several (`faces-{000000..000012}.tar`): `key.jpg` with `key.json`,
    `key.cls` or `key.txt` | the fields of the JSON members, or class
hf_parquet | Hugging Face parquet | `.parquet` files with the images in them, all shards together | its columns, split
    from the files' names
table | any table | one row an image in a CSV, TSV, TXT, LST, parquet or Excel file | its columns
folder | class folders | one folder a class, optionally below train, val and test | class, split
"""
"""Of each format: name | title | about | gives | terms, where they are a set's own; a line that is indented continues one."""

FORMATS = tuple(
    Format(*" ".join(row.split()).split(" | ")) for row in re.split(r"\n(?=\S)", _ABOUT.strip())
)


def format_names() -> tuple[str, ...]:
    """Return the values of --layout."""
    return (AUTO, *(form.name for form in FORMATS))
