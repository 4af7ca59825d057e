"""The lists that a run directory holds."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TypedDict

from fer_audit.audit.remedies.lists import LISTS
from fer_audit.errors import StoreError


class ListFacts(TypedDict):
    """One list of a run."""

    path: str
    rows: int
    about: str


def lists_of(run: Path) -> list[ListFacts]:
    """Return the lists of a run directory in their order; StoreError for one that cannot be read."""
    found: list[ListFacts] = []
    for each in LISTS:
        path = run / each.path
        if path.is_file():
            try:
                with path.open(encoding="utf-8", newline="") as file:
                    plain = path.suffix == ".txt"
                    rows = sum(1 for _ in (file if plain else csv.DictReader(file)))
            except (OSError, ValueError, csv.Error) as exc:
                raise StoreError(f"{path} cannot be read: {exc}") from exc
            found.append({"path": str(path), "rows": rows, "about": each.about})
    return found
