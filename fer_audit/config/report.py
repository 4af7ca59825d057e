"""What a report shows in addition to the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_audit.errors import ConfigError

MapMethod = Literal["pca", "umap"]

MAX_THUMBNAILS = 50
"""Faces in one row of a contact sheet; more is a gallery of the set, not a look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """What a report shows in addition to the numbers; it changes none of them."""

    projection: MapMethod = "pca"
    """The map of the latent space: its first two principal components, or UMAP."""
    thumbnails: int = 0
    """Faces a row of the contact sheets: so many nearest, median and farthest of each cluster; 0 = no sheets."""
    blur_faces: bool = False
    """Make the faces of the contact sheets unrecognisable to a viewer."""
    min_cell: int = 0
    """Hide every count of people from 1 to this less 1, and what would reveal it; 0 = none."""

    def __post_init__(self) -> None:
        """Refuse what no report can show."""
        if self.projection not in ("pca", "umap"):
            raise ConfigError(f"projection is {self.projection!r}; it must be pca or umap")
        if not 0 <= self.thumbnails <= MAX_THUMBNAILS:
            raise ConfigError(
                f"thumbnails is {self.thumbnails}; it must be between 0 and {MAX_THUMBNAILS}"
            )
        refuse_min_cell(self.min_cell)


def refuse_min_cell(min_cell: int) -> None:
    """Raise ConfigError for a --min-cell that withholds nothing: 1 or less, but for 0, which is off."""
    if min_cell < 0 or min_cell == 1:
        raise ConfigError(
            f"min_cell is {min_cell}; it must be 2 or more, or 0 to withhold nothing",
            hint="For example: --min-cell 5",
        )
