"""FairFace: `fairface_label_train.csv` and `fairface_label_val.csv`; the images often lie one folder deeper."""

from __future__ import annotations

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import base_name
from fer_audit.dataset.table.reading import Part, read_together
from fer_audit.dataset.types import FaceDataset

LABEL_SOURCE = (
    "Race, gender and age group were labelled by three annotators each and kept where two agreed "
    "(Karkkainen and Joo 2021)."
)
_TABLES = r"fairface_label_(train|val)\.csv"


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with one of the set's two tables."""
    return Match.CERTAIN if given.is_folder and given.listing.named(_TABLES) else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that both tables describe; which of them a row is in is its split."""
    parts = [
        Part(table, "train" if "train" in base_name(table).lower() else "val")
        for table in given.label_files(_TABLES, settings)
    ]
    return read_together(given, settings, parts, label_source=LABEL_SOURCE, path=["file"])
