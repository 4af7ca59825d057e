"""What a claim says, in three steps: how strong, how much is left among images alike, and whether it would come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_audit.audit.types.not_computable import NotComputable, Unit
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


@dataclass(frozen=True, slots=True)
class LeftAt:
    """How much of a claim is left among images that are alike in one respect."""

    level: str
    """What is held fixed: "others" (the other demographic attributes), "style", or the name of a batch attribute."""
    headline: bool
    """Whether the claim is summed up by it; the other levels are a curve."""
    kept: float | None
    """Share of the association that is left; above 1 = stronger among alike images."""
    entropy_left: Unit | None
    """Share of the label's entropy that the level leaves."""
    per_entropy: float | None
    """`kept` over `entropy_left`: what is left of what can still vary; the grade is of this."""
    low: float | None
    """Lower end of the interval of `per_entropy`: for another collection where `claims[].drawn` is known, else for these
    images."""
    high: float | None
    """Upper end of it."""
    control: float | None
    """What labels of the next image collected with it keep, on the scale of `kept`; batch attributes only."""
    can_tell: Unit | None
    """Share of images in strata in which both labels vary."""
    grade: str
    """cannot tell, trace, little, part or most."""
    of_another: bool = False
    """Whether the interval is for another collection."""

    @property
    def inseparable(self) -> bool:
        """Whether less than a third is left only because the level leaves so little of the label free."""
        return self.kept is not None and self.kept < 1 / 3 and self.grade in ("part", "most")


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: that an attribute is associated with the clusters, or with a label."""

    of: str
    """What with: "cluster", or the name of a label attribute."""
    attribute: str
    """Name of the attribute."""
    kind: str
    """Its kind: demographic or label."""
    n: int
    """Images."""
    strength: str
    """faint (corrected V below .1), weak (.1-.3), clear (.3-.5) or strong; "at chance" where shuffled labels explain it;
    "not computable"."""
    v_corrected: Unit | None
    """Bias-corrected V."""
    chance: Unit | None
    """95 % quantile of the same for shuffled labels."""
    low: Unit | None
    """Lower end of the interval of `v_corrected` for these images."""
    high: Unit | None
    """Upper end of it."""
    unit: str
    """What was drawn for it: "image", or a subject attribute."""
    other_low: Unit | None
    """Lower end of the interval for another collection; None = not known."""
    other_high: Unit | None
    """Upper end of it."""
    drawn: str
    """What another collection would draw: a batch or subject attribute; empty = not known."""
    units: int
    """How many of them the set has."""
    left: tuple[LeftAt, ...]
    """What is left at each level that was asked about."""
    limited_by: str
    """The headline level with the lowest grade below "most"; "chance" for a claim at chance; empty = none."""
    comes_back: str
    """yes, no, or unknown: with other seeds and k, and in a half that was not clustered; "not asked" of labels."""
    sentence: str
    """The claim in words, with its numbers."""
    not_computable: NotComputable = ()
