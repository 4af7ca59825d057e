"""Adience: five `fold_N_data.txt`, each row a face; the name of its image is put together from three columns."""

from __future__ import annotations

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.table.reading import Part, read_together
from fer_audit.dataset.types import FaceDataset

LABEL_SOURCE = (
    "Age group and gender were labelled by people, who also used what was around a photograph "
    "(Eidinger, Enbar and Hassner 2014)."
)
_TABLES = r"fold_[0-9]+_data\.txt"
_IMAGE = {True: "landmark_aligned_face", False: "coarse_tilt_aligned_face"}


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with a fold's table."""
    return Match.CERTAIN if given.is_folder and given.listing.named(_TABLES) else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of all folds: the fold is the split, the user is the subject."""
    aligned = any(_IMAGE[True] in each for each in given.pictures.ids[:1000])

    def image(user: str, face: str, original: str) -> str:
        return f"{user}/{_IMAGE[aligned]}.{face}.{original}"

    return read_together(
        given,
        settings,
        [Part.named_by_split(table) for table in given.label_files(_TABLES, settings)],
        label_source=LABEL_SOURCE,
        path=["user_id", "face_id", "original_image"],
        path_of=image,
        subject="user_id",
    )
