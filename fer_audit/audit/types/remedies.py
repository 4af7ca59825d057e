"""Records about what is to be mended: labels that look wrong, an attribute erased, heads that treat groups alike."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable, Ordinal, Unit


@dataclass(frozen=True, slots=True)
class LabelSuspects:
    """How many labels of an attribute a held-out probe of the vectors contradicts (Northcutt et al. 2021, confident learning)."""

    attribute: str
    """Name of the attribute."""
    n: int
    """Images of groups with at least 30 images."""
    flagged: int
    """Images of which the probe is confident that the label is another one."""
    listed: int
    """Those between groups that the probe finds at least halfway from chance to certainty; others say more of the probe than of
    the labels."""
    recall: Unit
    """Mean over the groups of the share that the probe finds: what it misses, it may flag."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its interval."""

    value: float
    """The number."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end of it."""


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """What is found of one attribute before and after an erasure.

    Clusters are made again from the same images and coordinates each time. Probes are fitted and asked on units that the
    eraser did not see; balanced accuracy is the mean over groups of the share that is recognised.
    """

    attribute: str
    """Name of the attribute."""
    by: str
    """clusters (corrected V), or a probe (balanced accuracy): linear (balanced logistic regression) or neighbours (votes of the
    15 nearest images, by frequency of their group)."""
    method: str
    """How the attribute, or another one, was erased: LEACE or SPLINCE."""
    n: int
    """Images."""
    before: Estimate
    """On the vectors as they are."""
    after: Estimate
    """On erased vectors."""
    chance: Unit | None
    """Of clusters the 95 % quantile for shuffled labels, of a probe one over the number of groups."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What if an attribute were erased from the vectors? Each half of the units is erased as the other half says."""

    attribute: str
    """Name of the attribute that is erased."""
    method: str
    """LEACE, or SPLINCE where a label is to be kept."""
    keeps: str
    """Label whose covariance with the vectors is kept; empty = none."""
    n: int
    """Images."""
    unit: str
    """What halves and folds are made of: "image", or a subject attribute."""
    units: int
    """How many of them."""
    dimensions: int
    """Principal coordinates that are erased from; their axes were found without labels, from all images."""
    removed: Ordinal | None = None
    """Dimensions that are removed."""
    variance_removed: Unit | None = None
    """Share of the coordinates' variance that is removed."""
    shrunk: bool = False
    """Whether the covariance was shrunk, because there are fewer than 10 images a dimension."""
    found: tuple[BeforeAfter, ...] = ()
    """The erased attribute first, then what the erasure costs the others."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class MitigationArm:
    """One way to treat groups alike with a linear head on the vectors: a probe-level analogue.

    Gains are over the baseline and paired: the same units are drawn for both. Their intervals hold for all arms together
    (Bonferroni).
    """

    arm: str
    """baseline, attribute-aware, domain-independent, disentangled (LEACE or SPLINCE), reweighed or group-balanced."""
    fairness: Unit
    """F of Xu et al. 2020: the least sum of recalls of a group over the largest, over classes that all groups have."""
    worst: Unit
    """Mean recall, over the same classes, of the group that has the least."""
    worst_group: str
    """That group."""
    best: Unit
    """Mean recall of the group that has the most."""
    accuracy: Unit
    """Share of all images answered right."""
    fairness_gain: Estimate
    """Of `fairness`."""
    worst_gain: Estimate
    """Of `worst`."""
    accuracy_gain: Estimate
    """Of `accuracy`."""
    levelling_down: bool
    """Whether F rose, its interval above 0, more because the best group fell than because the worst rose."""


@dataclass(frozen=True, slots=True)
class Mitigation:
    """Do heads that are meant to treat the groups of an attribute alike do so, on units they have not seen?"""

    label: str
    """What the heads answer."""
    attribute: str
    """Whose groups are compared."""
    n: int
    """Images."""
    unit: str
    """What folds are made of and what is drawn: "image", or a subject attribute."""
    units: int
    """How many of them."""
    dimensions: int
    """Principal coordinates the heads see."""
    shrunk: bool = False
    """Whether the covariance was shrunk before erasing."""
    classes: tuple[str, ...] = ()
    """Classes that every compared group has."""
    groups: tuple[str, ...] = ()
    """Groups with 30 units or more, which are compared."""
    least_cell: int | None = None
    """Images of the rarest group and class among them."""
    arms: tuple[MitigationArm, ...] = ()
    """The baseline first; an arm that cannot be had is in `not_computable`."""
    probes: tuple[BeforeAfter, ...] = ()
    """How well probes read the attribute from the vectors that the disentangled heads see."""
    not_computable: NotComputable = ()
