"""What an audit says: only str, int, float, bool, None and tuples of such records.

A number that cannot be computed is None, and its record's `not_computable` says why: ((field, reason), ...).
Every share stands beside its count and its interval, every p beside the method that gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_audit.audit.types.claims import (
    Association,
    BatchPrediction,
    ClusterFacts,
    Ladder,
    PublishedValue,
    Recluster,
    Replay,
    StabilityFacts,
)
from fer_audit.audit.types.composition import (
    AgeHeaping,
    DatasetFacts,
    Duplicates,
    Intersections,
    Representation,
    SubsetCheck,
)
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD, NotComputable
from fer_audit.audit.types.space import (
    ClusterStyle,
    LatentOverlap,
    PrincipalAxes,
    StyleBaseline,
    StyleTest,
)
from fer_audit.config import AuditConfig
from fer_audit.embed.types import ModelFacts

AUDIT_SCHEMA = "fer-audit/result/1"
Severity = Literal["info", "notice", "warning"]


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
class GateRule:
    """One --fail-on rule and what it found."""

    rule: str
    value: float | None
    """None when the field has no value in this run, or when it is withheld."""
    crossed: bool
    """Whether the rule fires; a field without a value never does, and `reason` says so."""
    reason: str
    """One line."""

    @property
    def withheld(self) -> bool:
        """Whether the rule was judged by a value that a shared result does not tell."""
        return self.value is None and self.reason.startswith(BECAUSE_WITHHELD)


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Everything an audit says. `fer_audit.report.files.document` writes it as result.json."""

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
    config: AuditConfig
    """Everything that can change a number. Of a model's file only the name: where it lies is the user's own business,
    and its sha256 stands beside it."""
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
    min_cell: int = 0
    """Counts below it are withheld in this result; 0 = nothing is withheld."""
    published: tuple[PublishedValue, ...] = ()
    """What the origin study says of this set; only on UTKFace."""
