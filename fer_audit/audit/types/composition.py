"""Records of who is in a set: shares, intersections, copies, and whether a sample is a fair draw."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was seen."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class RejectCount:
    """How many labels or lines could not be used, by reason."""

    reason: str
    count: int
    examples: tuple[str, ...]
    """At most three, printable."""


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What was audited. listed = ok + failed."""

    name: str
    listed: int
    ok: int
    failed: int
    fully_labelled: int
    """Rows in which every demographic attribute (and the age, if the set has ages) is annotated."""
    failures: tuple[RejectCount, ...]
    """Images that could not be embedded, by reason."""
    flags: tuple[RejectCount, ...]
    """Images that are ok but odd, e.g. a PNG named .jpg, by reason."""
    rejects: tuple[RejectCount, ...]
    """Labels that could not be read, by reason."""
    notes: tuple[str, ...]
    label_source: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class GroupShare:
    """One group of an attribute, in the whole listing."""

    name: str
    count: int | None
    """None = withheld, in a report made with --min-cell."""
    share: float | None
    """Of the annotated rows; None when nothing is annotated."""
    low: float | None
    high: float | None
    ratio: float | None
    """Share over the target's share (uniform unless a reference is given)."""
    ratio_low: float | None
    ratio_high: float | None
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class Indices:
    """Diversity indices over the observed groups; STATISTICS of Dominguez-Catena et al. 2024, natural log."""

    R: int
    """Richness: number of observed groups."""
    ENS: float | None
    """Effective number of species, exp(H)."""
    D: float | None
    """Simpson's concentration, sum of squared shares."""
    inverse_D: float | None
    H: float | None
    """Shannon entropy."""
    SEI: float | None
    """Shannon evenness, H / ln k."""
    NSD: float | None
    """Normalised standard deviation."""
    IR: float | None
    """Imbalance ratio, largest over smallest observed group."""
    BP: float | None
    """Berger-Parker: the largest share."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class TargetDistance:
    """How far the shares are from a target distribution."""

    target: str
    """The word uniform, or the reference's name."""
    tv: float | None
    """Total variation distance, 0..1."""
    ds_r: float | None
    """1 - TV over all groups of the target (DSAP)."""
    ds_e: float | None
    """1 - TV against a uniform over the groups present (DSAP)."""
    jsd: float | None
    """Jensen-Shannon divergence, base 2, 0..1."""
    chi2: float | None
    p: float | None
    """Monte-Carlo p of the goodness of fit."""
    not_computable: NotComputable = ()
    n: int = 0
    """Annotated images that chi2 and p are about: one copy of each duplicate group unless all are kept."""


@dataclass(frozen=True, slots=True)
class Representation:
    """Who is in the set, for one attribute."""

    attribute: str
    kind: str
    source: str
    annotated: int
    not_annotated: int
    groups: tuple[GroupShare, ...]
    indices: Indices
    target: TargetDistance


@dataclass(frozen=True, slots=True)
class AgeHeaping:
    """Whipple's index: 100 = no preference for ages ending in 0 or 5, 500 = only such ages."""

    whipple: float | None
    n: int
    """Images with an age of 23 to 62."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One intersection of groups, e.g. (Black, female, 70+)."""

    groups: tuple[str, ...]
    count: int
    expected: float
    """Count if the attributes were independent."""
    residual: float | None
    """Adjusted (Haberman) residual against independence of all attributes."""
    expected_pairs: float | None = None
    """Count if the attributes went together in pairs only: every two-way table as it is, nothing beyond."""
    residual_pairs: float | None = None
    """Adjusted residual against that; None for fewer than three attributes."""
    p_adjusted: float | None = None
    """Its normal p after Benjamini-Hochberg over all cells."""
    more_images: int | None = None
    """Images to collect, if drawn like the set, until this cell can be expected to hold 30."""


@dataclass(frozen=True, slots=True)
class Intersections:
    """The cross table of all demographic attributes."""

    attributes: tuple[str, ...]
    n: int
    cells: int
    empty: int | None
    """Cells without an image; None = withheld: with the totals it would reveal cells."""
    under_30: int | None
    """Cells with 1 to 29 images; None as in `empty`."""
    smallest: tuple[Cell, ...]
    largest_gaps: tuple[Cell, ...]
    """Cells furthest below what independence expects."""
    not_computable: NotComputable = ()
    beyond_pairs: tuple[Cell, ...] = ()
    """Cells furthest from what the two-way tables expect, either way."""
    groups: tuple[tuple[str, ...], ...] = ()
    """The categories of each attribute, in the attribute's own order."""
    counts: tuple[int | None, ...] = ()
    """The whole cross table, the last attribute running fastest; empty beyond 20,000 cells; None = withheld."""
    tested: int = 0
    """Cells whose distance from the two-way tables was tested."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of byte-identical files."""

    groups: int
    files: int
    """Files in those groups, the first copy included."""
    left_out: int
    """Copies beyond the first, not counted in the tests (0 when all are kept)."""
    conflicts: tuple[Count, ...]
    """Groups whose files disagree, by attribute ("age" = the age in years)."""
    examples: tuple[tuple[str, ...], ...]
    """At most five groups, printable ids."""


@dataclass(frozen=True, slots=True)
class SubsetGroup:
    """One group of a sample and of the set it was drawn from."""

    name: str
    count: int
    share: float
    reference_share: float
    p: float
    """Exact two-sided binomial p."""


@dataclass(frozen=True, slots=True)
class SubsetCheck:
    """Is this sample a fair draw of that set?"""

    attribute: str
    reference: str
    n: int
    tv: float | None
    chi2: float | None
    p: float | None
    """Monte-Carlo p."""
    p_asymptotic: float | None
    worst: SubsetGroup | None
    groups: tuple[SubsetGroup, ...]
    not_computable: NotComputable = ()
    method: str = ""
    """How p was drawn: without replacement from a set that holds the sample, else with it."""
