"""Record of what was planted in a drawn set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlantedCheck:
    """On the drawn demo set: what was planted, and whether the audit found it."""

    claim: str
    """What was planted."""
    expected: str
    """What an audit should find."""
    found: str
    """What this one found."""
    agrees: bool
    """Whether the two agree."""
