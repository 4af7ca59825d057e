"""What stands in for a number that is not there: too few images, not computable, or withheld."""

from __future__ import annotations

TOO_FEW = 30
"""Cells and clusters with fewer images are shown, never ranked."""
MIN_CELL = "min_cell"
"""The setting that a result which was made to be shared has and no other, and the code of the finding that says so."""
BECAUSE_WITHHELD = "withheld: "
"""How the reason of a number that --min-cell withholds begins."""

NotComputable = tuple[tuple[str, str], ...]
"""((field, reason), ...) of the fields of this record that are None because they have no value."""
