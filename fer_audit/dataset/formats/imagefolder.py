"""Hugging Face's ImageFolder: `metadata.csv`, `.jsonl` or `.parquet` in the folder of the images, one a split."""

from __future__ import annotations

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.names import is_split
from fer_audit.dataset.table.reading import Part, read_together
from fer_audit.dataset.types import FaceDataset

_TABLES = r"metadata\.(csv|jsonl|parquet)"


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with such a table."""
    return Match.CERTAIN if given.is_folder and given.listing.named(_TABLES) else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that the tables describe: the paths are relative to each of them, its folder is the split."""
    tables = given.label_files(_TABLES, settings)
    folders = [table.rpartition("/")[0] for table in tables]
    names = [folder.rpartition("/")[2] for folder in folders]
    by_split = all(map(is_split, names))
    parts = [
        Part(table, name if by_split else None, f"{folder}/" if folder else "")
        for table, folder, name in zip(tables, folders, names, strict=True)
    ]
    return read_together(
        given,
        settings,
        parts,
        label_source="Columns of metadata files; who made them is not stated.",
        path=["file_name"],
    )
