"""Records of who is in a set: shares, intersections, copies, and whether a sample is a fair draw."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable, NotNegative, Unit

FOUR_FIFTHS = 0.8
"""A group below 4/5 of its target share is under-represented, one above 5/4 over-represented."""


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was seen."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class VoteAgreement:
    """How strongly the annotators of a label attribute agree."""

    attribute: str
    """Name of the label attribute that was made from their votes."""
    answers: tuple[str, ...]
    """What could be voted for, in the order of the numbers in the column `..._votes` of rows.parquet."""
    n: int
    """Images with votes."""
    winning_share: Unit | None = None
    """Share of the votes that the winning answer has, in the median image."""
    without_majority: int = 0
    """Images in which no answer has more than half of the votes."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class RejectCount:
    """How many labels or lines could not be used, by reason."""

    reason: str
    """One snake_case word, the same for everything of its kind."""
    count: int
    """How often."""
    examples: tuple[str, ...]
    """At most three of them, printable."""


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What was audited. Counts add up: listed = ok + failed."""

    name: str
    """Name of the set."""
    listed: int
    """Images the set lists."""
    ok: int
    """Images that were decoded and embedded."""
    failed: int
    """Images that were not, each with a reason."""
    fully_labelled: int
    """Images in which every demographic attribute of the set, and the age if it has ages, is annotated."""
    failures: tuple[RejectCount, ...]
    """Images that could not be embedded, by reason."""
    flags: tuple[RejectCount, ...]
    """Images that are ok but odd, such as a PNG named .jpg, by reason."""
    rejects: tuple[RejectCount, ...]
    """Labels that could not be read, by reason."""
    notes: tuple[str, ...]
    """Known defects of this set, and what the reader repaired."""
    label_source: str
    """Who made the labels: they are perceived or estimated, not reported by the people shown."""
    fingerprint: str
    """sha256 over ids, sizes, times and labels."""
    terms: str = ""
    """Where a set of this layout is had, and under which licence or terms; "" for layouts that any set may have."""
    facts: tuple[tuple[str, str], ...] = ()
    """What is true of every image by the set's own description, such as the gender of everyone in it, by its name."""
    skipped: tuple[tuple[str, int], ...] = ()
    """Files of the set that are no item of it and not among `listed`, counted by why they are none."""


@dataclass(frozen=True, slots=True)
class GroupShare:
    """One group of an attribute, in the whole listing."""

    name: str
    """Name of the group."""
    count: int | None = None
    """Images in it; None when withheld (--min-cell)."""
    share: Unit | None = None
    """Count over annotated images, 0 to 1; None when nothing is annotated."""
    low: Unit | None = None
    """Lower end of the Wilson score interval of the share."""
    high: Unit | None = None
    """Upper end of it."""
    ratio: NotNegative | None = None
    """Representation ratio: share over the target's (uniform without a reference); under-represented below 0.8 (four-fifths rule)."""
    ratio_low: NotNegative | None = None
    """Lower end of the interval of the ratio."""
    ratio_high: NotNegative | None = None
    """Upper end of it."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class Indices:
    """Diversity indices over the groups that occur (Hill 1973; Dominguez-Catena et al. 2024).

    p is the share of a group that occurs, k the number of such groups, logarithms are natural.
    """

    R: int
    """Richness: number of groups that occur."""
    ENS: NotNegative | None = None
    """Effective number of species, exp(H): as diverse as that many equally large groups."""
    D: Unit | None = None
    """Simpson's concentration, the sum of p squared."""
    inverse_D: NotNegative | None = None
    """Inverse Simpson, 1/D."""
    H: NotNegative | None = None
    """Shannon entropy, minus the sum of p ln p."""
    SEI: Unit | None = None
    """Shannon evenness, H / ln k: 1 is even."""
    NSD: NotNegative | None = None
    """Normalised standard deviation of the shares: 0 is even, 1 is one group only."""
    IR: NotNegative | None = None
    """Imbalance ratio: largest over smallest group that occurs."""
    BP: Unit | None = None
    """Berger-Parker: the largest share."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class TargetDistance:
    """How far the shares are from a target distribution."""

    target: str
    """The word uniform, or the name of the reference counts."""
    tv: Unit | None = None
    """Total variation distance, 0 to 1: the share of images that would have to change group."""
    ds_r: Unit | None = None
    """Demographic similarity over all groups of the target, 1 - TV (DSAP)."""
    ds_e: Unit | None = None
    """Demographic similarity against a uniform over the groups that occur, 1 - TV (DSAP)."""
    jsd: Unit | None = None
    """Jensen-Shannon divergence, base 2, 0 to 1."""
    chi2: NotNegative | None = None
    """Pearson chi-squared of the goodness of fit."""
    p: Unit | None = None
    """Monte-Carlo p of the goodness of fit."""
    not_computable: NotComputable = ()
    n: int = 0
    """Annotated images that chi2 and p are about: one copy of each duplicate group unless all are kept."""


@dataclass(frozen=True, slots=True)
class Representation:
    """Who is in the set, for one attribute."""

    attribute: str
    """Name of the attribute."""
    kind: str
    """demographic (about people), label (a class to learn), batch (where images came from), split (such as train and test) or style (how they look)."""
    source: str
    """annotated (labels came with the set) or predicted (a model made them)."""
    annotated: int
    """Images with a label."""
    not_annotated: int
    """Images without one; never part of a share."""
    groups: tuple[GroupShare, ...]
    """Every group that could occur, also those without an image."""
    indices: Indices
    """Diversity indices over the groups that occur."""
    target: TargetDistance
    """Distance of the shares from the target distribution."""


@dataclass(frozen=True, slots=True)
class AgeHeaping:
    """Whipple's index: 100 = no preference for ages ending in 0 or 5, 500 = only such ages."""

    whipple: NotNegative | None
    """Whipple's index: 100 = no preference for ages ending in 0 or 5, 500 = only such ages."""
    n: int
    """Images with an age of 23 to 62."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One intersection of groups, e.g. (Black, female, 70+)."""

    groups: tuple[str, ...]
    """One group of each attribute, in the order of `intersections.attributes`."""
    count: int
    """Images."""
    expected: NotNegative
    """Images if the attributes were independent."""
    residual: float | None
    """Adjusted (Haberman) residual against independence of all attributes."""
    expected_pairs: NotNegative | None = None
    """Images if the attributes were associated in pairs only: every two-way table as it is, nothing beyond."""
    residual_pairs: float | None = None
    """Adjusted residual against that; None for fewer than three attributes."""
    p_adjusted: Unit | None = None
    """Its normal p after Benjamini-Hochberg over all cells."""
    more_images: int | None = None
    """Images to collect, if drawn like the set, until this combination can be expected to hold 30."""
    more_low: int | None = None
    """Lower end of its 95 % interval; None for an empty combination, whose share is not known."""
    more_high: int | None = None
    """Upper end of it."""


@dataclass(frozen=True, slots=True)
class Intersections:
    """The cross table of all demographic attributes of the set; none that --map made."""

    attributes: tuple[str, ...]
    """The attributes that are crossed."""
    n: int
    """Images annotated in all of them."""
    cells: int
    """Number of combinations."""
    empty: int | None = None
    """Combinations without an image; None when withheld: with the totals it would reveal cells."""
    under_30: int | None = None
    """Combinations with 1 to 29 images; None when withheld, for the same reason."""
    smallest: tuple[Cell, ...] = ()
    """The smallest combinations."""
    largest_gaps: tuple[Cell, ...] = ()
    """Combinations furthest below what independence expects."""
    not_computable: NotComputable = ()
    beyond_pairs: tuple[Cell, ...] = ()
    """Combinations furthest from what the two-way tables expect, either way."""
    groups: tuple[tuple[str, ...], ...] = ()
    """The groups of each attribute, in the order of `attributes`."""
    counts: tuple[int | None, ...] = ()
    """Images in every combination of `groups`, the last attribute running fastest; empty beyond 20,000 combinations;
    None where withheld."""
    tested: int = 0
    """Combinations whose distance from the two-way tables was tested."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Groups of byte-identical files."""

    groups: int
    """Groups of byte-identical files."""
    files: int
    """Files in those groups, the first copies included."""
    left_out: int
    """Copies beyond the first that the tests do not count; 0 when all are kept."""
    conflicts: tuple[Count, ...]
    """Groups whose copies carry different labels, by attribute ("age" is the age in years)."""
    examples: tuple[tuple[str, ...], ...]
    """At most five groups, those that disagree most first, as lists of printable ids."""
    contradicting: int | None = 0
    """Groups whose copies carry different labels in at least one attribute; None = withheld."""
    worst: str = ""
    """What the copies of the first of them are labelled; empty where none disagree."""
    across_age_groups: int | None = None
    """Those of `conflicts` in age whose copies lie in different age groups; None = the set has no ages in groups, or withheld."""


@dataclass(frozen=True, slots=True)
class SubsetGroup:
    """One group of a sample, compared with the set it was drawn from."""

    name: str
    """Name of the group."""
    count: int
    """Images of the sample in it."""
    share: Unit
    """Its share of the sample."""
    reference_share: Unit
    """Its share of the larger set."""
    p: Unit
    """Exact two-sided binomial p."""


@dataclass(frozen=True, slots=True)
class SubsetCheck:
    """Is this sample a fair draw of that set?"""

    attribute: str
    """Name of the attribute."""
    reference: str
    """Name of the larger set."""
    n: int
    """Annotated images of the sample."""
    tv: Unit | None = None
    """Total variation distance between sample and set."""
    chi2: NotNegative | None = None
    """Pearson chi-squared of the sample against the set."""
    p: Unit | None = None
    """Its Monte-Carlo p."""
    p_asymptotic: Unit | None = None
    """Its p from the chi-squared distribution, for comparison."""
    worst: SubsetGroup | None = None
    """The group with the smallest p; None when nothing was tested."""
    groups: tuple[SubsetGroup, ...] = ()
    """Every group."""
    not_computable: NotComputable = ()
    method: str = ""
    """How `p` was drawn: without replacement from a set that holds the sample, else with it."""
