"""The dataset formats: the one list that loading and `--format` read.

To add a format, write `fer_audit/dataset/formats/<name>.py` with `sniff` and `read`, and a row here.
Nothing heavy loads before one of the two is called: `--help` lists the formats, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from fer_audit.config import DatasetSettings
    from fer_audit.dataset.listing import DatasetPath
    from fer_audit.dataset.types import FaceDataset

AUTO = "auto"
"""The value of --format that means the best match."""


class Match(IntEnum):
    """How well a path fits a format; the best match is read, the earlier row among equals."""

    NO = 0
    FALLBACK = 1
    """It is a folder, and so would any other be."""
    POSSIBLE = 2
    """What the format needs is there."""
    CERTAIN = 3
    """Only this format has such names."""
    REQUIRED = 4
    """The settings ask for something that only this format has."""


class _Module(Protocol):
    """What a format's module holds."""

    def sniff(self, given: DatasetPath, settings: DatasetSettings) -> Match: ...

    def read(self, given: DatasetPath, settings: DatasetSettings) -> FaceDataset: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One way to store face images and their labels on a disk."""

    name: str
    """The word of --format, and the name of the module."""
    about: str
    """Where the labels are, in a few words."""

    def sniff(self, given: DatasetPath, settings: DatasetSettings) -> Match:
        """Return how well a path fits, by the names of its files; no image is opened."""
        return self._module().sniff(given, settings)

    def read(self, given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
        """Return the dataset at a path. Raises DatasetError, or ConfigError when the settings do not fit."""
        return self._module().read(given, settings)

    def _module(self) -> _Module:
        return cast("_Module", import_module(f"fer_audit.dataset.formats.{self.name}"))


FORMATS = (
    Format("utkface", "labels in the file names, as UTKFace writes them"),
    Format("table", "one row an image in a CSV, TSV or parquet file"),
    Format("folder", "one folder a class, optionally below train, val and test"),
)


def format_names() -> tuple[str, ...]:
    """Return the values of --format."""
    return (AUTO, *(form.name for form in FORMATS))
