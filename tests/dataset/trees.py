"""Folders full of tiny files to read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset


def plant(root: Path, *names: str, content: bytes = b"x") -> Path:
    """Write a small file for each relative path and return the root."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def plant_table(root: Path, name: str, lines: Iterable[str]) -> Path:
    """Write a text table and return its path."""
    path = root / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return path


def read_beside_faces(root: Path, *lines: str, config: AuditConfig | None = None) -> FaceDataset:
    """Write labels.csv beside a.jpg, b.jpg and c.jpg and read it."""
    plant(root, "a.jpg", "b.jpg", "c.jpg")
    return load_dataset(plant_table(root, "labels.csv", lines), config)


def words(dataset: FaceDataset, attribute: str) -> dict[str, str | None]:
    """Return {file id: category} of an attribute, None where it is not annotated."""
    found = dataset.attribute(attribute)
    return {
        file_id: found.categories[code] if code >= 0 else None
        for file_id, code in zip(dataset.ids, found.codes.tolist(), strict=True)
    }


def reasons(dataset: FaceDataset) -> list[tuple[str, str]]:
    """Return every reject as (item, reason)."""
    return [(reject.item, reject.reason) for reject in dataset.rejects]


def is_root() -> bool:
    """Whether file permissions do not bind this process."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
