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


def alike(level: str) -> str:
    """Return among which images a level compares: "within the same collection hour", "among images of the same style"."""
    known = {
        "others": "among people alike in the other attributes",
        "style": "among images of the same style",
    }
    return known.get(level) or f"within the same {display(level)}"
