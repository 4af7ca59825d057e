"""The words in which claims are spoken of, by the audit and by its reports."""

from __future__ import annotations

from typing import Literal

from fer_audit.text import display

CLUSTER = "cluster"
"""`of` of a claim about the clusters; of others it is the name of a label."""
Grade = Literal["cannot tell", "trace", "little", "part", "most"]
GRADES: tuple[Grade, ...] = ("trace", "little", "cannot tell", "part", "most")
"""From what limits a claim most to what does not."""
SAYS = {"faint": "faintly", "weak": "weakly", "clear": "clearly", "strong": "strongly"}
"""The word for a strength -> how the clusters separate."""


def within(level: str) -> str:
    """Return what images of one stratum of a level share: "the same collection hour"."""
    known = {"others": "the same other attributes", "style": "the same style"}
    return known.get(level) or f"the same {display(level)}"
