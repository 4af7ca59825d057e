"""What an audit says: only str, int, float, bool, None and tuples of such records.

A number that cannot be computed is None, and its record's `not_computable` says why: ((field, reason), ...).
Every share stands beside its count and its interval, every p beside the method that gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_audit.audit.compare_types import COMPARISON_SCHEMA as COMPARISON_SCHEMA
from fer_audit.audit.compare_types import Agreement as Agreement
from fer_audit.audit.compare_types import AttributeComparison as AttributeComparison
from fer_audit.audit.compare_types import CommonImages as CommonImages
from fer_audit.audit.compare_types import Comparison as Comparison
from fer_audit.audit.compare_types import ComparisonFinding as ComparisonFinding
from fer_audit.audit.compare_types import GroupChange as GroupChange
from fer_audit.audit.compare_types import LabelColumn as LabelColumn
from fer_audit.audit.compare_types import RunAssociation as RunAssociation
from fer_audit.audit.compare_types import RunFacts as RunFacts
from fer_audit.audit.compare_types import RungChange as RungChange
from fer_audit.audit.compare_types import RunRows as RunRows
from fer_audit.audit.compare_types import TextDifference as TextDifference
from fer_audit.audit.compare_types import VectorFacts as VectorFacts
from fer_audit.audit.types_claims import BECAUSE_WITHHELD as BECAUSE_WITHHELD
from fer_audit.audit.types_claims import MIN_CELL as MIN_CELL
from fer_audit.audit.types_claims import TOO_FEW as TOO_FEW
from fer_audit.audit.types_claims import UNSTABLE as UNSTABLE
from fer_audit.audit.types_claims import WITHHELD as WITHHELD
from fer_audit.audit.types_claims import AttributeStability as AttributeStability
from fer_audit.audit.types_claims import ClusterStability as ClusterStability
from fer_audit.audit.types_claims import Conditional as Conditional
from fer_audit.audit.types_claims import GateRule as GateRule
from fer_audit.audit.types_claims import GroupSpread as GroupSpread
from fer_audit.audit.types_claims import NotComputable as NotComputable
from fer_audit.audit.types_claims import PublishedValue as PublishedValue
from fer_audit.audit.types_claims import Recluster as Recluster
from fer_audit.audit.types_claims import Replay as Replay
from fer_audit.audit.types_claims import ReplayAttribute as ReplayAttribute
from fer_audit.audit.types_claims import StabilityFacts as StabilityFacts
from fer_audit.audit.types_claims import VariantV as VariantV
from fer_audit.audit.types_latent import ClusterStyle as ClusterStyle
from fer_audit.audit.types_latent import GroupOverlap as GroupOverlap
from fer_audit.audit.types_latent import LatentOverlap as LatentOverlap
from fer_audit.audit.types_latent import PairOverlap as PairOverlap
from fer_audit.audit.types_latent import PrincipalAxes as PrincipalAxes
from fer_audit.audit.types_latent import StyleBaseline as StyleBaseline
from fer_audit.audit.types_latent import StyleTest as StyleTest
from fer_audit.embed.types import ModelFacts

Severity = Literal["info", "notice", "warning"]


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
    """Cells without an image; None = withheld: beside the totals it would tell cells."""
    under_30: int | None
    """Cells with 1 to 29 images; None likewise."""
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
    """One group of a sample beside the set it was drawn from."""

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


@dataclass(frozen=True, slots=True)
class SweepEntry:
    """Best inertia found for one k."""

    k: int
    inertia: float


@dataclass(frozen=True, slots=True)
class Starts:
    """Spread over the K-Means starts, in the reduced space where they are run."""

    n: int
    inertia_min: float
    inertia_max: float
    near_best: int = 0
    """Starts within 0.1 % of the best inertia, the best one included."""


@dataclass(frozen=True, slots=True)
class KVote:
    """What one criterion of `--k auto` voted for."""

    criterion: str
    k: int | None
    """None = it abstained."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """The partition the tables refer to."""

    k: int
    inertia: float
    sizes: tuple[int | None, ...]
    """Images of each cluster; None = withheld."""
    sweep: tuple[SweepEntry, ...]
    starts: Starts
    votes: tuple[KVote, ...] = ()
    """How `--k auto` chose k: the lower median of these; empty when k was given."""


@dataclass(frozen=True, slots=True)
class AssociationCell:
    """One cluster x group cell."""

    cluster: int
    group: str
    count: int
    share: float | None
    """Share of the group within the cluster."""
    lift: float | None
    """p_ij / (p_i p_j): 1 = as often as chance."""
    lift_low: float | None
    lift_high: float | None
    residual: float | None
    """Adjusted (Haberman) residual."""
    p_adjusted: float | None
    """Benjamini-Hochberg over all cells of the table."""
    npmi: float | None
    ducher_z: float | None
    too_few: bool
    """Fewer than 30 images: shown, never ranked."""


@dataclass(frozen=True, slots=True)
class Association:
    """Do clusters and one attribute go together?"""

    attribute: str
    kind: str
    n: int
    """Images in the table: ok, annotated, one copy of each duplicate group unless all are kept."""
    groups: tuple[str, ...]
    table: tuple[tuple[int | None, ...], ...]
    """(k, groups) counts; None = withheld."""
    chi2: float | None
    df: int | None
    p_asymptotic: float | None
    expected_min: float | None
    """Smallest expected count; below 5 the asymptotic p is not to be trusted."""
    v: float | None
    """Cramér's V."""
    null_mean: float | None
    """Mean of V over tables with these margins and no association."""
    null_95: float | None
    """95 % quantile of the same."""
    v_corrected: float | None
    """Bias-corrected V (Bergsma 2013)."""
    low: float | None
    """Bootstrap interval of v_corrected, cluster assignments fixed."""
    high: float | None
    p_permutation: float | None
    p_holm: float | None
    """p_permutation after Holm over the demographic attributes of this run; None for other kinds."""
    permutations: int
    u_group_from_cluster: float | None
    """Theil's U, as counted: share of the attribute's entropy that is gone once the cluster is known."""
    u_cluster_from_group: float | None
    ami: float | None
    """Adjusted mutual information (Vinh et al. 2010, arithmetic mean)."""
    balance: float | None
    """min over clusters and groups of min(r_g / r_g(C), r_g(C) / r_g); 1 = every cluster mirrors the set."""
    cells: tuple[AssociationCell, ...]
    not_computable: NotComputable = ()
    u_corrected: float | None = None
    """u_group_from_cluster less its mean under chance: (I - E[I]) / H(group), at least 0."""
    v_corrected_null_95: float | None = None
    """95 % quantile of v_corrected over the tables of null_95."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One question a claim has to answer."""

    number: int
    name: str
    holds: bool | None
    """None = not computable."""
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    n_effective: int
    reading: str
    """One line: what this rung says, or why it cannot be computed."""
    skipped: bool = False
    """True when the set has nothing to ask about; the claim climbs on."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """How far the claim "clusters and this attribute go together" climbs."""

    attribute: str
    rungs: tuple[Rung, ...]
    highest: int
    """Number of the last rung that held before one did not; 0 = none."""
    conditionals: tuple[Conditional, ...] = ()
    """Every question of rungs 4 to 6, and those of --given."""
    lost: tuple[tuple[str, float], ...] = ()
    """(columns held fixed, 1 - kept) for each of them with a value: what was lost where."""
    stopped: str = ""
    """Reading of the first rung that did not hold; "" when all did."""


@dataclass(frozen=True, slots=True)
class BatchPrediction:
    """How well a batch attribute alone, e.g. the hour of the crawl, guesses another attribute.

    The guess is the most frequent group of each batch, counted on the same images.
    """

    batch: str
    attribute: str
    n: int
    right: int
    """Images guessed right."""
    accuracy: float | None
    majority_group: str | None
    majority: float | None
    """Share guessed right by always naming the largest group."""
    chance: float | None
    """Mean accuracy when the attribute is shuffled: small batches guess their own chance right."""
    p: float | None
    """(1 + #{accuracy* >= accuracy}) / (permutations + 1), fixed margins."""
    permutations: int
    not_computable: NotComputable = ()
    left_out_accuracy: float | None = None
    """The same guess for each image from the others alone: a tie is wrong, and an image that is alone in its
    batch is guessed from the whole set. Many small batches make `accuracy` too good, never this."""
    v_corrected: float | None = None
    """Bias-corrected V of batch and attribute."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A test that was run."""

    family: str
    """Tests corrected together, e.g. "association"."""
    subject: str
    method: str
    p: float
    p_corrected: float | None
    correction: str
    """Holm, Benjamini-Hochberg or none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence a reader who is no statistician understands, with its number in it."""

    code: str
    severity: Severity
    text: str
    attribute: str | None = None
    effect: float = 0.0
    """What findings are ranked by, 0..1, larger = matters more."""


@dataclass(frozen=True, slots=True)
class PlantedCheck:
    """On the drawn demo set: what was planted, and whether the audit found it."""

    claim: str
    expected: str
    found: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Everything an audit says. `fer_audit.report.document` writes it as result.json."""

    schema: str
    complete: bool
    """False when a part of the work is missing; every report then says so."""
    dataset: DatasetFacts
    model: ModelFacts | None
    """None when nothing was embedded."""
    representation: tuple[Representation, ...]
    age_heaping: AgeHeaping | None
    intersections: Intersections | None
    duplicates: Duplicates
    subset_checks: tuple[SubsetCheck, ...]
    clustering: ClusterFacts | None
    associations: tuple[Association, ...]
    ladders: tuple[Ladder, ...]
    ledger: tuple[LedgerEntry, ...]
    findings: tuple[Finding, ...]
    planted: tuple[PlantedCheck, ...]
    """Only on the built-in demo set."""
    config: tuple[tuple[str, str], ...]
    """(setting, value as text) of everything that can change a number."""
    versions: tuple[tuple[str, str], ...]
    """(package, version) of everything that computed one."""
    batch_predictions: tuple[BatchPrediction, ...] = ()
    """What each batch attribute, and the image size, knows of each demographic one."""
    stability: StabilityFacts | None = None
    """None when no other partition was made."""
    style_tests: tuple[StyleTest, ...] = ()
    style_baselines: tuple[StyleBaseline, ...] = ()
    latent: tuple[LatentOverlap, ...] = ()
    replay: Replay | None = None
    recluster: tuple[Recluster, ...] = ()
    gate: tuple[GateRule, ...] = ()
    """The --fail-on rules and what they found."""
    not_computable: NotComputable = ()
    """The whole clustering, when the images cannot make clusters."""
    cluster_styles: tuple[ClusterStyle, ...] = ()
    """How the images of each cluster were taken, beside the whole set."""
    principal_axes: PrincipalAxes | None = None
    """None without clusters or without coordinates."""
    published: tuple[PublishedValue, ...] = ()
    """What the origin study says of this set; only on UTKFace."""


AUDIT_SCHEMA = "fer-audit/result/1"
