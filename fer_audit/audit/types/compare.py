"""What the comparison of two runs says, and the rows it reads. first and second are the runs as they were given.

As in `AuditResult`, a number that cannot be computed is None, and `not_computable` of its record says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.embed.types import ModelFacts

RungState = Literal["holds", "does not hold", "not computable", "skipped", "not asked"]


@dataclass(frozen=True, slots=True, eq=False)
class LabelColumn:
    """One attribute of every row of a run."""

    name: str
    groups: tuple[str, ...]
    codes: NDArray[np.int32]
    """(n,) index into groups; -1 = not annotated."""


@dataclass(frozen=True, slots=True, eq=False)
class RunRows:
    """What a run wrote of each image. Row i is image i in every array."""

    ids: tuple[str, ...]
    sha256: NDArray[np.bytes_]
    """(n,) hex digests of the files; b"" where the file could not be read."""
    ok: NDArray[np.bool_]
    clusters: NDArray[np.int32]
    """(n,) number of the cluster; -1 = in none."""
    labels: tuple[LabelColumn, ...]


@dataclass(frozen=True, slots=True)
class VectorFacts:
    """What the vectors of a run look like, over the images that were embedded."""

    n: int
    """Images."""
    dim: int
    zero_share: float | None
    """Share of all numbers that are exactly 0."""
    norm_mean: float | None
    """Mean Euclidean length of a vector."""
    norm_sd: float | None
    """Standard deviation of the lengths."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What was run. Inertias compare only between runs on the same vectors."""

    name: str
    """The last folders of the run directory's path: as many as tell the two runs apart."""
    dataset: str
    fingerprint: str
    listed: int
    ok: int
    failed: int
    model: ModelFacts | None
    k: int | None
    """None when there are no clusters."""
    inertia: float | None
    seed: str | None
    """As the settings have it."""
    vectors: VectorFacts | None
    """None when the run directory has no embeddings.npy."""


@dataclass(frozen=True, slots=True)
class CommonImages:
    """Which images are in both runs. common = same + renamed + changed."""

    first: int
    """Images listed by the first run."""
    second: int
    common: int
    same: int
    """Same name and same bytes, or the same name where the bytes of one are unknown."""
    renamed: int
    """Same bytes under another name."""
    changed: int
    """Same name, other bytes: another version of the picture, or another picture."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Do the two runs sort the common images alike? The numbers of the clusters do not matter."""

    n: int
    """Common images with a cluster in both runs."""
    table: tuple[tuple[int, ...], ...]
    """(clusters of the first, clusters of the second) counts."""
    ari: float | None
    """Adjusted Rand index, 1 = the same partition, 0 = as alike as shuffled labels; Hubert & Arabie 1985."""
    low: float | None
    """Bootstrap interval of the ARI over images, both partitions fixed."""
    high: float | None
    bootstraps: int
    null_95: float | None
    """95 % quantile of the ARI over tables with these margins and no association."""
    p: float | None
    """(1 + #{ARI* >= ARI}) / (permutations + 1), fixed margins."""
    permutations: int
    ami: float | None
    """Adjusted mutual information (Vinh et al. 2010, arithmetic mean)."""
    matches: tuple[tuple[int, int], ...]
    """The pairs of clusters (first, second) that hold most images when each cluster has one partner at most."""
    matched: int
    """Images in such a pair."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One group's share in both runs."""

    name: str
    first_count: int | None
    """Of the whole listing; None when the first run knows no such group."""
    first_share: float | None
    """Of the annotated images."""
    first_low: float | None
    first_high: float | None
    second_count: int | None
    second_share: float | None
    second_low: float | None
    second_high: float | None
    difference: float | None
    """second_share - first_share."""
    low: float | None
    """Interval of the difference; Wilson intervals joined by MOVER, the images of both runs counted as shared."""
    high: float | None
    p: float | None
    """Two-sided Monte-Carlo p: the images that only one run has are drawn again."""
    p_adjusted: float | None
    """p after Benjamini-Hochberg over the groups of this attribute."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class RunAssociation:
    """How one run's clusters and an attribute go together."""

    n: int
    v: float | None
    null_95: float | None
    """95 % quantile of V without association: V compares across k or n only together with it."""
    v_corrected: float | None
    low: float | None
    high: float | None
    p_holm: float | None
    u_group_from_cluster: float | None
    u_cluster_from_group: float | None
    highest: int | None
    """Highest rung of the claim ladder; None when the claim was not tested on it."""
    rungs: int
    """Rungs that were asked."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class RungChange:
    """A rung of the claim ladder, and what each run answers to it."""

    number: int
    name: str
    first: RungState
    second: RungState


@dataclass(frozen=True, slots=True)
class AttributeComparison:
    """One attribute that both runs have."""

    attribute: str
    kind: str
    first_annotated: int
    second_annotated: int
    common: int | None
    """Common images annotated in both; None when rows.parquet lacks the labels."""
    relabelled: int | None
    """Those of them whose group is another one."""
    tested: bool
    reading: str
    """One line: how the shares were tested, or why they were not."""
    draws: int
    groups: tuple[GroupChange, ...]
    first: RunAssociation | None
    second: RunAssociation | None
    intervals_overlap: bool | None
    """Whether the intervals of V~ overlap; None when one of them has none. No test: read it together with null_95."""
    rungs: tuple[RungChange, ...]
    """Those that the two runs answer differently."""
    ladder: tuple[RungChange, ...] = ()
    """Every rung that either run asked, in order; rungs are some of these."""


@dataclass(frozen=True, slots=True)
class TextDifference:
    """A setting, version or model fact that is not the same in both runs."""

    name: str
    first: str | None
    """None when the first run has no such entry."""
    second: str | None


@dataclass(frozen=True, slots=True)
class ComparisonFinding:
    """One sentence with its number in it; a comparison's findings keep the order of its sections."""

    code: str
    severity: Literal["info", "notice", "warning"]
    text: str
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that two runs say about each other."""

    schema: str
    first: RunFacts
    second: RunFacts
    images: CommonImages
    agreement: Agreement
    attributes: tuple[AttributeComparison, ...]
    only_first: tuple[str, ...]
    """Attributes that only the first run has."""
    only_second: tuple[str, ...]
    model: tuple[TextDifference, ...]
    settings: tuple[TextDifference, ...]
    versions: tuple[TextDifference, ...]
    findings: tuple[ComparisonFinding, ...]
    confidence: float
    """Level of the intervals of differences and of the ARI: the first run's."""
    alpha: float
    """Level of the tests: the first run's."""


COMPARISON_SCHEMA = "fer-audit/comparison/1"
