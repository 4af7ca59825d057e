"""What the comparison of runs says, and the rows it reads. first and second are the runs as they were given.

As in `AuditResult`, a number that cannot be computed is None, and `not_computable` of its record says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.claim import LeftAt
from fer_audit.audit.types.composition import GroupShare
from fer_audit.audit.types.not_computable import NotComputable, Signed, Unit
from fer_audit.audit.types.result import Finding
from fer_audit.embed.types import ModelFacts

COMPARISON_SCHEMA = "fer-audit/comparison/2"
ENCODERS_SCHEMA = "fer-audit/encoders/2"
DifferenceKind = Literal["model", "setting", "version", "rule", "attribute"]
FLOOR = "-random"
"""End of the name of a network with random weights: what it finds needs no training."""


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
    model: ModelFacts | None
    """The model that made the vectors; None when nothing was embedded."""
    k: int | None
    """Number of clusters; None when there are none."""
    inertia: float | None
    """Sum of squared distances to the own centre; it compares only between runs on the same vectors."""
    zero_share: Unit | None
    """Share of the vectors' numbers that are exactly 0; a badly fed encoder shows here. None without embeddings.npy."""
    norm_mean: float | None
    """Mean Euclidean length of a vector."""
    norm_sd: float | None
    """Standard deviation of the lengths."""


@dataclass(frozen=True, slots=True)
class CommonImages:
    """Which images are in both runs. common = same + renamed + changed."""

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
    matches: tuple[tuple[int, int], ...]
    """Pairs [cluster of the first, cluster of the second] that hold most images when each has one partner at most."""
    matched: int
    """Images in such a pair."""
    ari: float | None = None
    """Adjusted Rand index (Hubert & Arabie 1985): 1 = the same partition, 0 = as alike as shuffled labels."""
    low: float | None = None
    """Lower end of its bootstrap interval over images, both partitions fixed."""
    high: float | None = None
    """Upper end of it."""
    null_95: float | None = None
    """95 % quantile of the ARI over tables with these margins and no association."""
    p: Unit | None = None
    """Share of such tables that agree as well, (1 + #{ARI* >= ARI}) / (permutations + 1) (Phipson & Smyth 2010)."""
    permutations: int = 0
    """Tables drawn for it, and for the interval."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class GroupChange:
    """One group's share in both runs. Counts, shares and intervals are those of the two results: the whole listing.

    What follows the difference is None where shares were not tested: see `attributes[].reading`.
    """

    name: str
    """Name of the group."""
    first: GroupShare | None
    """The group in the first run; None when that run knows no such group."""
    second: GroupShare | None
    """The group in the second run; None when that run knows no such group."""
    difference: Signed | None = None
    """Second share minus first share; None where a run has none."""
    low: float | None = None
    """Lower end of its interval: Wilson intervals joined by MOVER (Zou & Donner 2008), common images counted as
    shared."""
    high: float | None = None
    """Upper end of it."""
    p: Unit | None = None
    """Two-sided Monte-Carlo p of equal shares: the images that only one run has are dealt again."""
    p_adjusted: Unit | None = None
    """`p` after Benjamini-Hochberg over the groups of this attribute."""


@dataclass(frozen=True, slots=True)
class AttributeComparison:
    """The groups of one attribute that both runs have."""

    attribute: str
    """Name of the attribute."""
    kind: str
    """demographic, label, batch or style."""
    common: int | None
    """Common images annotated in both; None when a rows.parquet lacks the labels."""
    relabelled: int | None
    """Those of them whose group is another one in the second run."""
    reading: str
    """One line: how the shares were tested, or why they were not."""
    draws: int
    """Draws of each test; 0 = the shares were not tested."""
    groups: tuple[GroupChange, ...]
    """Every group of either run."""


@dataclass(frozen=True, slots=True)
class ClaimInRun:
    """One claim as one run makes it: how strong, how much is left among images alike, and whether it comes back."""

    n: int
    """Images."""
    strength: str
    """faint, weak, clear, strong, at chance or not computable."""
    v_corrected: Unit | None
    """Bias-corrected V (Bergsma 2013); None = not computable."""
    low: Unit | None
    """Lower end of its interval for these images."""
    high: Unit | None
    """Upper end of it."""
    chance: Unit | None
    """95 % quantile of the same for shuffled labels: with another k or n, compare V with its own."""
    left: LeftAt | None
    """What is left at the headline level that leaves least; None where nothing was asked, as of batches."""
    comes_back: str
    """yes, no or unknown; "not asked" of labels and batches."""
    holds: bool
    """Above chance, more than a trace left at every headline level, and not known to go with another seed or another half."""


@dataclass(frozen=True, slots=True)
class ClaimComparison:
    """One claim that both runs could make."""

    of: str
    """What with: "cluster", or the name of a label or model."""
    attribute: str
    """Name of the attribute."""
    kind: str
    """Its kind: demographic, label, batch or style."""
    first: ClaimInRun | None
    """What the first run says; None when it does not make the claim, as without clusters."""
    second: ClaimInRun | None
    """The same for the second run."""
    intervals_overlap: bool | None
    """Whether the intervals of the corrected V overlap; None when one run has none. No test: both runs may hold the same
    images."""


@dataclass(frozen=True, slots=True)
class MeasureChange:
    """One measure of how well a model does, in both runs: its value, and the ends of its interval where it has one."""

    attribute: str
    """By whose groups; empty = over the classes of all images."""
    measure: Literal["accuracy", "worst recall", "recall gap", "Xu's F"]
    """As in `models[].by` of result.json: accuracy, worst recall, recall gap, or Xu's F (Xu et al. 2020, 1 = fair)."""
    first: tuple[float, ...]
    """In the first run."""
    second: tuple[float, ...]
    """In the second run."""


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """What an FER model predicts in both runs: the same model, or the only one of each where names differ."""

    first: str | None
    """Name of the model in the first run; None when it has no such predictions."""
    second: str | None
    """Its name in the second run."""
    first_labelled: int
    """Images of the first run with a prediction and a true label."""
    second_labelled: int
    """The same for the second run."""
    measures: tuple[MeasureChange, ...]
    """Over all images, then by each demographic attribute of both runs; empty without true labels in both."""


@dataclass(frozen=True, slots=True)
class TextDifference:
    """Something that was set, used or decided otherwise in the two runs."""

    kind: DifferenceKind
    """Of the model, a setting, the version of a package, the answer to a --fail-on rule, or an attribute that only
    one run has."""
    name: str
    """Name of the fact, setting, package, rule or attribute."""
    first: str | None
    """Its value in the first run, as text; None when that run has no such entry."""
    second: str | None
    """Its value in the second run."""


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
    cosines: tuple[float, ...]
    """Mean, 1 % quantile and least cosine of a common image's two vectors, of one network in two precisions or with two inputs;
    of two networks they say nothing. Empty where a run has no vectors, or theirs differ in length."""
    claims: tuple[ClaimComparison, ...]
    """Every claim about attributes of both runs."""
    models: tuple[ModelComparison, ...]
    """Every FER model whose predictions a run holds."""
    attributes: tuple[AttributeComparison, ...]
    """Every attribute that both runs have."""
    differences: tuple[TextDifference, ...]
    """What was set or used otherwise; not the settings `fail_on`, `given`, `what_if`, `mitigate`, `replay`, `replay_size` and
    `recluster`, on which no compared number depends."""
    findings: tuple[Finding, ...]
    """The comparison in plain sentences, in the order of its sections."""
    confidence: Unit
    """Level of the intervals of differences and of the ARI: the first run's."""
    alpha: Unit
    """Level of the tests: the first run's."""


@dataclass(frozen=True, slots=True)
class ClaimUnderEncoders:
    """One claim about clusters, encoder by encoder."""

    attribute: str
    """Name of the attribute."""
    under: tuple[ClaimInRun | None, ...]
    """In the order of the encoders; None where one does not make the claim."""
    holds_under: int
    """How many of `encoders` it holds under."""
    encoders: int
    """Encoders that were run but for those with random weights."""
    floor: Unit | None
    """Largest corrected V under random weights; None = no such network was run."""
    above_floor: bool | None
    """Whether every one of them separates it more strongly than random weights do, intervals apart."""


@dataclass(frozen=True, slots=True)
class EncoderComparison:
    """One set under several encoders: which claims hold under every one."""

    schema: str
    """Name and version of this format."""
    dataset: str
    """Name of the set."""
    models: tuple[str, ...]
    """The encoders, in the order they were asked for."""
    runs: tuple[str, ...]
    """The folder of each run, within the one of all."""
    claims: tuple[ClaimUnderEncoders, ...]
    """One for each attribute."""
    complete: bool
    """Whether every run is complete."""
