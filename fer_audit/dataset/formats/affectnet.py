"""AffectNet of 2017: `training.csv` and `validation.csv`, with or without a header, next to the images' folder."""

from __future__ import annotations

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.table.reading import Part, read_together
from fer_audit.dataset.table.text import first_line
from fer_audit.dataset.types import FaceDataset

COLUMNS = (
    *("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height"),
    *("facial_landmarks", "expression", "valence", "arousal"),
)
LABEL_SOURCE = "Expressions were labelled by one of twelve annotators (Mollahosseini et al. 2017)."
_TABLES = r"(training|validation)\.csv"


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with one of the lists, of nine columns."""
    fits = given.is_folder and any(
        first_line(given.root / table).count(b",") == len(COLUMNS) - 1
        for table in given.listing.named(_TABLES)
    )
    return Match.CERTAIN if fits else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of both lists; None, Uncertain and No-Face are no expressions."""
    return read_together(
        given,
        settings,
        [Part.named_by_split(table) for table in given.label_files(_TABLES, settings)],
        label_source=LABEL_SOURCE,
        path=COLUMNS[:1],
        columns=COLUMNS,
        codes={"expression": "affectnet"},
    )
