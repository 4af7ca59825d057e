"""What an audit says: only str, int, float, bool, None and tuples of such records.

A number that cannot be computed is None, and its record's `not_computable` says why: ((field, reason), ...).
Every share has its count and its interval, every p the method that gave it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints, overload

from fer_audit.audit.types.claim import Claim
from fer_audit.audit.types.claims import Association, BatchPrediction, Ladder
from fer_audit.audit.types.composition import (
    AgeHeaping,
    DatasetFacts,
    Duplicates,
    Intersections,
    Representation,
    SubsetCheck,
    VoteAgreement,
)
from fer_audit.audit.types.copies import NearDuplicates, SplitLeak, SubjectFacts
from fer_audit.audit.types.models import ModelsAudit
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD, NotComputable, Unit
from fer_audit.audit.types.remedies import Erasure, LabelSuspects, Mitigation
from fer_audit.audit.types.space import (
    ClusterStyle,
    LatentOverlap,
    PrincipalAxes,
    StyleBaseline,
    StyleTest,
)
from fer_audit.audit.types.stability import (
    ClusterFacts,
    PublishedValue,
    Recluster,
    Replay,
    StabilityFacts,
)
from fer_audit.audit.types.weighted import Weighted
from fer_audit.config import AuditConfig
from fer_audit.embed.types import ModelFacts


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


AUDIT_SCHEMA = "fer-audit/result/3"
NO_CORRECTION = "none"
HOLM = "Holm"
BENJAMINI_HOCHBERG = "Benjamini-Hochberg"
Severity = Literal["fix", "know", "fine"]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A test that was run."""

    family: str
    """Tests that are corrected together."""
    subject: str
    """What was tested."""
    method: str
    """How."""
    p: Unit
    """The p before correction."""
    p_corrected: Unit | None = None
    """The p after it; None when there is none."""
    correction: str = NO_CORRECTION
    """Holm, Benjamini-Hochberg, Westfall-Young or none."""
    tests: int = 1
    """How many p values this entry stands for: `p` is that of the test itself, or the smallest of a table's."""
    at_most: bool = False
    """Whether no shuffle reached what was seen: `p` is the least that so many can give."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reader should know or do, in one sentence that needs no statistics, and the figures behind it."""

    code: str
    """Stable name of this kind of finding, for programs that look for one."""
    severity: Severity
    """What it asks of the reader: fix (data are wrong or missing), know (it limits what can be claimed), fine."""
    text: str
    """The finding in one sentence with one number."""
    attribute: str | None = None
    """The attribute it is about; None when it is about the whole set."""
    effect: Unit = 0.0
    """What findings of one severity are ranked by, 0 to 1: larger matters more."""
    figures: str = ""
    """The numbers behind it: effect, interval, count, p, what it is compared with."""
    do: str = ""
    """What to do about it; says so when there is nothing to do."""
    files: str = ""
    """Path in the run directory of the list that names the images; empty = there is none."""
    values: tuple[tuple[str, float], ...] = ()
    """The numbers of `text` and `figures` by name, so that nothing has to be read out of a sentence."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """One --fail-on rule and what it found."""

    rule: str
    """The rule as given to --fail-on: it says what is not acceptable."""
    value: float | None
    """What it looked at; None when that has no value in this run, or is withheld."""
    crossed: bool
    """Whether the rule fires; one without a value never does, and `reason` says so."""
    reason: str
    """One line."""

    @property
    def withheld(self) -> bool:
        """Whether the rule was judged by a value that a shared result does not tell."""
        return self.value is None and self.reason.startswith(BECAUSE_WITHHELD)


class _Part(Generic[_T]):
    """Typed read access to a part of a result, under the name of its analysis."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, result: None, owner: type) -> _Part[_T]: ...

    @overload
    def __get__(self, result: AuditResult, owner: type) -> _T: ...

    def __get__(self, result: AuditResult | None, owner: type) -> _Part[_T] | _T:
        if result is None:
            return self
        part: _T = result.part(self.name)
        return part


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Everything an audit says: a fixed head, and one part for each analysis.

    `AuditResult.of` makes one, `having` changes one, by names of fields and parts; report.files.document writes it.
    """

    schema: str
    """Name and version of this format; it changes when a key changes its meaning or goes, not when one is added."""
    complete: bool
    """False when a part of the work is missing; quote no number of such a result. Every report then says so."""
    dataset: DatasetFacts
    """What was audited."""
    model: ModelFacts | None
    """The model that made the vectors; None when nothing was embedded."""
    config: AuditConfig
    """Every setting that can change a number; of a model's file only the name, its sha256 is in `model`."""
    versions: tuple[tuple[str, str], ...]
    """The version of everything that computed a number, by package."""
    ledger: tuple[LedgerEntry, ...] = ()
    """Every test that was run, with its corrected p."""
    findings: tuple[Finding, ...] = ()
    """The result in plain sentences, the largest effect first."""
    planted: tuple[PlantedCheck, ...] = ()
    """On the drawn demo set only: what was planted, and whether the audit found it."""
    gate: tuple[GateRule, ...] = ()
    """The --fail-on rules and what they found."""
    not_computable: NotComputable = ()
    """Why there are no clusters, when the images cannot make any."""
    not_asked: str = ""
    """Which labels no claim is made of with the attributes of people, and why; empty = none was left out."""
    min_cell: int = 0
    """Counts below it are withheld in this result; 0 = nothing is withheld, as in every run directory."""
    parts: tuple[tuple[str, Any], ...] = ()
    """(name of the analysis, its record or tuple of records), in the order of result.json; empty ones are left out."""

    representation = _Part[tuple[Representation, ...]]()
    """Who is in the set, one entry for each attribute."""
    age_heaping = _Part[AgeHeaping | None]()
    """Whether ages were rounded; None when the set has no ages."""
    intersections = _Part[Intersections | None]()
    """The cross table of all demographic attributes; None when there are fewer than two."""
    duplicates = _Part[Duplicates]()
    """Groups of byte-identical files."""
    near_duplicates = _Part[NearDuplicates | None]()
    """Groups of images that are one photo in other bytes; None when nothing was embedded."""
    subset_checks = _Part[tuple[SubsetCheck, ...]]()
    """Whether this sample is a fair draw of a larger set, one entry for each attribute that has a reference."""
    clustering = _Part[ClusterFacts | None]()
    """The partition that all tables of clusters refer to."""
    associations = _Part[tuple[Association, ...]]()
    """Whether clusters and an attribute are associated, one entry for each attribute."""
    label_associations = _Part[tuple[Association, ...]]()
    """Whether a label such as the expression and a demographic attribute are associated, one entry for each pair."""
    prediction_associations = _Part[tuple[Association, ...]]()
    """Whether what a FER model predicts and a demographic attribute are associated, one entry for each pair."""
    models = _Part[ModelsAudit | None]()
    """What FER models predict, by group; None without predictions."""
    claims = _Part[tuple[Claim, ...]]()
    """Every claim summed up: how strong, how much is left among images alike, and whether it would come back."""
    ladders = _Part[tuple[Ladder, ...]]()
    """How far each claim climbs: clusters x demographic, clusters x label, label x demographic."""
    batch_predictions = _Part[tuple[BatchPrediction, ...]]()
    """How well each batch attribute, and the image size, alone predicts each demographic attribute."""
    stability = _Part[StabilityFacts | None]()
    """How much of the partition is the data's, and how much the seed's or k's; None without other partitions."""
    style_tests = _Part[tuple[StyleTest, ...]]()
    """Whether groups are photographed differently, one entry for each measure of style and attribute."""
    style_baselines = _Part[tuple[StyleBaseline, ...]]()
    """How strongly clusters made from style alone are associated with each demographic attribute."""
    latent = _Part[tuple[LatentOverlap, ...]]()
    """How the groups of each demographic attribute overlap in the latent space, before any clustering."""
    replay = _Part[Replay | None]()
    """What many small random samples would have said; None when none were asked for or possible."""
    recluster = _Part[tuple[Recluster, ...]]()
    """Intervals of V with the clustering repeated in every resample; empty unless asked for."""
    cluster_styles = _Part[tuple[ClusterStyle, ...]]()
    """How the images of each cluster were taken, compared with the whole set, one entry for each measure of style."""
    principal_axes = _Part[PrincipalAxes | None]()
    """How much of the vectors' variance lies on their first principal axes; None without clusters or coordinates."""
    weighted = _Part[tuple[Weighted, ...]]()
    """What --weights does, attribute by attribute; empty without weights."""
    label_suspects = _Part[tuple[LabelSuspects, ...]]()
    """Labels that held-out probes contradict, the attribute that they see best first; listed in lists/label_suspects.csv."""
    erasures = _Part[tuple[Erasure, ...]]()
    """What clusters and probes would find if an attribute were erased; empty unless asked for (--what-if)."""
    mitigations = _Part[tuple[Mitigation, ...]]()
    """Whether heads that treat groups alike do so on held-out units; empty unless asked for (--mitigate)."""
    published = _Part[tuple[PublishedValue, ...]]()
    """What the origin study says of this set; empty unless the set is UTKFace."""
    subjects = _Part[tuple[SubjectFacts, ...]]()
    """How many people the set names, one entry for each subject attribute."""
    split_leaks = _Part[tuple[SplitLeak, ...]]()
    """What the parts of the set share: for each split attribute byte-identical files, then each subject attribute."""
    votes = _Part[tuple[VoteAgreement, ...]]()
    """How strongly annotators agree, one entry for each attribute whose votes the set keeps."""

    @classmethod
    def of(cls, **values: Any) -> AuditResult:  # noqa: ANN401 - fields and parts by name
        """Return a result from the fields of its head and its parts by name; a part that is not given is empty."""
        head = {name: values.pop(name) for name in head_types() if name in values}
        kinds = part_types()
        if unknown := values.keys() - kinds.keys():
            raise TypeError(f"A result has no {', '.join(sorted(unknown))}")
        parts = tuple((name, values[name]) for name in kinds if name in values)
        return cls(**head, parts=tuple(part for part in parts if part[1] not in (None, ())))

    def having(self, **values: Any) -> AuditResult:  # noqa: ANN401 - fields and parts by name
        """Return a copy with other values of some fields and parts."""
        head = {name: getattr(self, name) for name in head_types()}
        return self.of(**(head | dict(self.parts) | values))

    def part(self, name: str) -> Any:  # noqa: ANN401 - the record of any analysis
        """Return what an analysis found: its record or tuple of records; None or () when it found nothing."""
        for key, value in self.parts:
            if key == name:
                return value
        return () if get_origin(part_types()[name]) is tuple else None

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield each field and part by name, in the order of result.json."""
        head = head_types()
        for name in value_types():
            yield name, getattr(self, name) if name in head else self.part(name)


_ORDER = (
    *("schema", "complete", "dataset", "model", "representation", "age_heaping", "intersections"),
    *("duplicates", "subset_checks", "clustering", "associations", "ladders", "ledger"),
    *("findings", "planted", "config", "versions", "batch_predictions", "stability"),
    *("style_tests", "style_baselines", "latent", "replay", "recluster", "gate", "not_computable"),
    *("cluster_styles", "principal_axes", "min_cell", "published"),
    *("subjects", "split_leaks", "votes", "label_associations", "claims", "near_duplicates"),
    "not_asked",
)
"""Keys of result.json; parts that are not named here come last."""


@cache
def head_types() -> Mapping[str, Any]:
    """Return the type of each field of a result but its parts, by name."""
    hints = get_type_hints(AuditResult)
    return {each.name: hints[each.name] for each in fields(AuditResult) if each.name != "parts"}


@cache
def part_types() -> Mapping[str, Any]:
    """Return the type of each part, by the name of its analysis: X, X | None or tuple[X, ...]."""
    from fer_audit.audit.analyses import ANALYSES  # which need what is declared here

    typed = {
        name: get_args(part.__orig_class__)[0]  # type: ignore[attr-defined]  # what Generic sets
        for name, part in vars(AuditResult).items()
        if isinstance(part, _Part)
    }
    return {**{each.name: each.part for each in ANALYSES}, **typed}


@cache
def value_types() -> Mapping[str, Any]:
    """Return the type of each field and part by name, in the order of result.json."""
    kinds = {**head_types(), **part_types()}
    return {name: kinds[name] for name in dict.fromkeys((*_ORDER, *kinds))}
