"""What the comparison of two runs says, and the rows it reads. first and second are the runs as they were given.

As in `AuditResult`, a number that cannot be computed is None, and `not_computable` of its record says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.not_computable import NotComputable, Signed, Unit
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
    """Images that were embedded."""
    dim: int
    """Length of a vector."""
    zero_share: Unit | None
    """Share of all numbers that are exactly 0; a badly fed encoder shows here."""
    norm_mean: float | None
    """Mean Euclidean length of a vector."""
    norm_sd: float | None
    """Standard deviation of the lengths."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What was run. Inertias compare only between runs on the same vectors."""

    name: str
    """The last folders of the run directory's path: as many as distinguish the two runs."""
    dataset: str
    """Name of the set."""
    fingerprint: str
    """sha256 over ids, sizes, times and labels of the set."""
    listed: int
    """Images the set lists."""
    ok: int
    """Images that were decoded and embedded."""
    failed: int
    """Images that were not."""
    model: ModelFacts | None
    """The model that made the vectors; None when nothing was embedded."""
    k: int | None
    """Number of clusters; None when there are none."""
    inertia: float | None
    """Sum of squared distances to the own centre; it compares only between runs on the same vectors."""
    seed: str | None
    """The seed, as the settings have it."""
    vectors: VectorFacts | None
    """What the vectors look like; None when the run directory has no embeddings.npy."""


@dataclass(frozen=True, slots=True)
class CommonImages:
    """Which images are in both runs. common = same + renamed + changed."""

    first: int
    """Images listed by the first run."""
    second: int
    """Images listed by the second run."""
    common: int
    """Images in both."""
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
    """Counts: one row for each cluster of the first run, one column for each of the second."""
    ari: float | None
    """Adjusted Rand index (Hubert & Arabie 1985): 1 = the same partition, 0 = as alike as shuffled labels."""
    low: float | None
    """Lower end of its bootstrap interval over images, both partitions fixed."""
    high: float | None
    """Upper end of it."""
    bootstraps: int
    """Tables drawn for the interval."""
    null_95: float | None
    """95 % quantile of the ARI over tables with these margins and no association."""
    p: Unit | None
    """Share of such tables that agree as well, (1 + #{ARI* >= ARI}) / (permutations + 1) (Phipson & Smyth 2010)."""
    permutations: int
    """Tables drawn for it."""
    ami: float | None
    """Adjusted mutual information (Vinh et al. 2010, arithmetic mean)."""
    matches: tuple[tuple[int, int], ...]
    """Pairs [cluster of the first, cluster of the second] that hold most images when each has one partner at most."""
    matched: int
    """Images in such a pair."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One group's share in both runs. Counts, shares and intervals are those of the two results: the whole listing."""

    name: str
    """Name of the group."""
    first_count: int | None
    """Images of it in the first run; None when that run knows no such group."""
    first_share: Unit | None
    """Share of the annotated images, 0 to 1."""
    first_low: Unit | None
    """Lower end of its Wilson interval."""
    first_high: Unit | None
    """Upper end of it."""
    second_count: int | None
    """Images of it in the second run; None when that run knows no such group."""
    second_share: Unit | None
    """Share of the annotated images, 0 to 1."""
    second_low: Unit | None
    """Lower end of its Wilson interval."""
    second_high: Unit | None
    """Upper end of it."""
    difference: Signed | None
    """Second share minus first share."""
    low: float | None
    """Lower end of its interval: Wilson intervals joined by MOVER (Zou & Donner 2008), common images counted as
    shared."""
    high: float | None
    """Upper end of it."""
    p: Unit | None
    """Two-sided Monte-Carlo p of equal shares: the images that only one run has are dealt again."""
    p_adjusted: Unit | None
    """`p` after Benjamini-Hochberg over the groups of this attribute."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class RunAssociation:
    """How strongly one run's clusters and an attribute are associated."""

    n: int
    """Images in the table of clusters and groups."""
    v: Unit | None
    """Cramér's V."""
    null_95: float | None
    """95 % quantile of V without association: V compares across k or n only with it."""
    v_corrected: Unit | None
    """Bias-corrected V (Bergsma 2013)."""
    low: float | None
    """Lower end of its bootstrap interval."""
    high: float | None
    """Upper end of it."""
    p_holm: Unit | None
    """Permutation p after Holm over the run's demographic attributes."""
    u_group_from_cluster: Unit | None
    """Theil's U, as counted: share of the attribute's entropy that is gone once the cluster is known."""
    u_cluster_from_group: Unit | None
    """Theil's U the other way round."""
    highest: int | None
    """Highest rung of the claim ladder; None when the claim was not asked."""
    rungs: int
    """Rungs that were asked."""
    not_computable: NotComputable = ()
    p_permutation: Unit | None = None
    """The p before Holm."""
    permutations: int = 0
    """Shuffles drawn."""


@dataclass(frozen=True, slots=True)
class RungChange:
    """A rung of the claim ladder, and what each run answers to it."""

    number: int
    """Number of the rung, from 1."""
    name: str
    """Its name."""
    first: RungState
    """What the first run answers: holds, does not hold, not computable, skipped or not asked."""
    second: RungState
    """What the second run answers."""


@dataclass(frozen=True, slots=True)
class AttributeComparison:
    """One attribute that both runs have."""

    attribute: str
    """Name of the attribute."""
    kind: str
    """demographic, label, batch or style."""
    first_annotated: int
    """Images of the first run with a label."""
    second_annotated: int
    """Images of the second run with a label."""
    common: int | None
    """Common images annotated in both; None when a rows.parquet lacks the labels."""
    relabelled: int | None
    """Those of them whose group is another one in the second run."""
    tested: bool
    """Whether the shares were tested."""
    reading: str
    """One line: how the shares were tested, or why they were not."""
    draws: int
    """Draws of each test."""
    groups: tuple[GroupChange, ...]
    """Every group of either run."""
    first: RunAssociation | None
    """How the first run's clusters and the attribute are associated; None when it has no clusters."""
    second: RunAssociation | None
    """The same for the second run."""
    intervals_overlap: bool | None
    """Whether the intervals of V~ overlap; None when one run has none. No test: read it with `null_95`."""
    rungs: tuple[RungChange, ...]
    """Rungs of the claim ladder that the runs answer differently."""
    ladder: tuple[RungChange, ...] = ()
    """Every rung that either run asked, those that both answer alike included."""


@dataclass(frozen=True, slots=True)
class TextDifference:
    """A setting, version or model fact that is not the same in both runs."""

    name: str
    """Name of the setting, package or fact."""
    first: str | None
    """Its value in the first run, as text; None when that run has no such entry."""
    second: str | None
    """Its value in the second run."""


@dataclass(frozen=True, slots=True)
class ComparisonFinding:
    """One sentence with its number in it; a comparison's findings keep the order of its sections."""

    code: str
    """Stable name of this kind of finding."""
    severity: Literal["fix", "know", "fine"]
    """fix, know or fine, as of a finding."""
    text: str
    """The sentence, with its number in it."""
    attribute: str | None = None
    """The attribute it is about; None when it is about the runs."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that two runs say about each other."""

    schema: str
    """Name and version of this format; it changes when a key changes its meaning or goes, not when one is added."""
    first: RunFacts
    """The first run."""
    second: RunFacts
    """The second run."""
    images: CommonImages
    """Which images are in both."""
    agreement: Agreement
    """Whether the clusters of the two runs sort the common images alike."""
    attributes: tuple[AttributeComparison, ...]
    """Every attribute that both runs have."""
    only_first: tuple[str, ...]
    """Names of the attributes that only the first run has."""
    only_second: tuple[str, ...]
    """Names of the attributes that only the second run has."""
    model: tuple[TextDifference, ...]
    """What is not the same in the two models."""
    settings: tuple[TextDifference, ...]
    """Settings that are not the same; not `fail_on`, `given`, `replay`, `replay_size` and `recluster`, on which no
    compared number depends."""
    versions: tuple[TextDifference, ...]
    """Versions of packages that are not the same."""
    findings: tuple[ComparisonFinding, ...]
    """The comparison in plain sentences, in the order of its sections."""
    confidence: Unit
    """Level of the intervals of differences and of the ARI: the first run's."""
    alpha: Unit
    """Level of the tests: the first run's."""


COMPARISON_SCHEMA = "fer-audit/comparison/1"
