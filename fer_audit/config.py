"""What a run is asked to do: `AuditConfig` changes numbers, `Resources` changes speed only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fer_audit.errors import ConfigError

AGE_BINS = (0, 3, 10, 20, 30, 40, 50, 60, 70)
"""Lower ends of the age bins: 0-2, 3-9, 10-19, ..., 60-69, 70+ (FairFace's bins)."""

_NUMBER = r"(0|[1-9][0-9]{0,3})"
DEVICE = rf"auto|cpu|cuda(:(all|{_NUMBER}(,{_NUMBER})*))?"
"""How a device is written: `cuda` is the first CUDA device, `cuda:0,1` are two, `cuda:all` is every one."""

PackMode = Literal["auto", "on", "off"]
Precision = Literal["fp32", "fp16", "int8"]
MapMethod = Literal["pca", "umap"]

MOST_THUMBNAILS = 50
"""Faces in one row of a contact sheet; more is a gallery of the set, not a look at it."""


MOST_FILE_SECONDS = 86_400.0

FILE_SECONDS = 30.0
"""Any photograph is decoded in a second or two, even the largest allowed one on a slow machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig:
    """Everything that changes a number in the result. Built once, then only read."""

    format: str = "auto"
    """Dataset format: auto, utkface, table or folder."""
    path_column: str | None = None
    """Table column that holds the image path; None = found by its usual names."""
    group: tuple[tuple[str, str], ...] = ()
    """Demographic attributes of a table as (name, column)."""
    label: tuple[tuple[str, str], ...] = ()
    """Label attributes of a table, e.g. an expression, as (name, column)."""
    batch: tuple[tuple[str, str], ...] = ()
    """Batch attributes of a table, e.g. a session, as (name, column)."""
    age_column: str | None = None
    """Table column with ages in years; None = the column named "age" if it holds numbers."""
    age_bins: tuple[int, ...] = AGE_BINS
    """Lower ends of the age bins, in years, ascending."""
    sample: int | None = None
    """Audit a seeded uniform sample of so many images."""
    first: int | None = None
    """Audit the first so many images in file order."""
    model: str = "resnet50-keras"
    """Catalog name, or the path of an .onnx file with its sidecar."""
    precision: Precision = "fp32"
    batch_size: int = 16
    """Images a model call; fixed and padded, because another batch can change the last bits."""
    k: int = 4
    """Number of clusters; 4 is the origin paper's."""
    k_auto: bool = False
    """Choose k among 2..sweep_max by elbow, silhouette and stability; `k` is not read then."""
    starts: int = 10
    """K-Means starts, of which the best is kept."""
    sweep_max: int = 10
    """The elbow looks at k = 1..sweep_max."""
    seed: int = 0
    confidence: float = 0.95
    alpha: float = 0.05
    permutations: int = 10_000
    bootstraps: int = 2_000
    keep_duplicates: bool = False
    """Test on every file, not on one copy of each group of byte-identical files."""
    reference: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """Counts of a larger set to compare with: (attribute, ((group, count), ...))."""
    given: tuple[tuple[str, ...], ...] = ()
    """Columns to hold fixed, each tuple together: what is left of every association then?"""
    fail_on: tuple[str, ...] = ()
    """Rules that end the run with exit code 1, e.g. "race.v_corrected>0.2"."""
    replay: int = 200
    """Random samples of `replay_size` images to cluster and audit anew; 200 take 3 to 5 seconds on two cores."""
    replay_size: int = 500
    """500 is the origin paper's."""
    recluster: int = 0
    """Bootstrap resamples of the whole set to cluster anew."""

    def __post_init__(self) -> None:
        """Refuse what no stage could make sense of."""
        positive = ("batch_size", "k", "starts", "sweep_max", "permutations", "bootstraps")
        for name in positive:
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must not be negative")
        for name in ("replay", "recluster"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must not be negative")
        if self.replay_size < 2:
            raise ConfigError(f"replay_size is {self.replay_size}; it must be at least 2")
        if any(not names or not all(names) for names in self.given):
            raise ConfigError(
                "given has an empty name", hint="For example: --given gender,age_bin"
            )
        for name in ("sample", "first"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}; it must be at least 1")
        if self.sample is not None and self.first is not None:
            raise ConfigError("sample and first exclude each other", hint="Give one of the two.")
        if self.k_auto and self.sweep_max < 2:
            raise ConfigError("k_auto has nothing to choose from: sweep_max is 1")
        for name in ("confidence", "alpha"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1")
        if not self.age_bins or list(self.age_bins) != sorted(set(self.age_bins)):
            raise ConfigError(
                f"age_bins are {self.age_bins}; they must be ascending lower ends",
                hint="For example: --age-bins 0,3,10,20,30,40,50,60,70",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What changes how fast a run is and where it keeps things, never its numbers.

    The device can change the last bits of an embedding; the provider actually used is therefore part of
    the fingerprint of the vectors, not this wish.
    """

    device: str = "auto"
    """auto, cpu, cuda, cuda:0,1 or cuda:all; see DEVICE. Several devices share the shards of one run."""
    threads: int | None = None
    """Threads of the model; None = the cores this process may use."""
    workers: int | None = None
    """Processes that decode images; None = the cores this process may use, at most eight."""
    file_seconds: float = FILE_SECONDS
    """Seconds one file may take to decode; over them it fails as `timeout`."""
    pack: PackMode = "auto"
    """Keep the decoded pixels: on, off, or auto = when the disk has room."""
    cache_dir: Path | None = None
    """None = the user's cache folder."""
    models_dir: Path | None = None
    """None = models/ of a source checkout, else a folder in the user's cache."""
    verify: bool = False
    """Read every file again to see whether its bytes are those that were embedded."""
    max_errors: float = 0.01
    """Share of failed images above which the exit code is 4."""

    def __post_init__(self) -> None:
        """Refuse what no machine has."""
        for name in ("threads", "workers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} is {value}; it must be at least 1")
        if not 0 <= self.max_errors <= 1:
            raise ConfigError(f"max_errors is {self.max_errors}; it must lie between 0 and 1")
        if not 0 < self.file_seconds <= MOST_FILE_SECONDS:
            raise ConfigError(
                f"file_seconds is {self.file_seconds}; it must be more than 0, and a day at most"
            )
        numbers = self.device.partition(":")[2].split(",")
        if not re.fullmatch(DEVICE, self.device) or len(set(numbers)) < len(numbers):
            raise ConfigError(
                f"device is {self.device!r}; it must be auto, cpu or cuda",
                hint="cuda is the first device; name others once each: cuda:1, cuda:0,1 or cuda:all",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """What a report shows beside the numbers. Nothing in it changes one."""

    map: MapMethod = "pca"
    """How the latent space is laid flat: its two widest directions, or UMAP."""
    thumbnails: int = 0
    """Faces a row of the contact sheets: so many nearest, median and farthest of each cluster; 0 = no sheets."""
    blur_faces: bool = False
    """Make the faces of the contact sheets unrecognisable to a viewer."""
    min_cell: int = 0
    """Withhold every count of people from 1 to this less 1, and what tells it; 0 = none."""

    def __post_init__(self) -> None:
        """Refuse what no report can show."""
        if self.map not in ("pca", "umap"):
            raise ConfigError(f"map is {self.map!r}; it must be pca or umap")
        if not 0 <= self.thumbnails <= MOST_THUMBNAILS:
            raise ConfigError(
                f"thumbnails is {self.thumbnails}; it must be between 0 and {MOST_THUMBNAILS}"
            )
        refuse_min_cell(self.min_cell)


def refuse_min_cell(min_cell: int) -> None:
    """Raise ConfigError for a --min-cell that withholds nothing: 1 or less, but for 0, which is off."""
    if min_cell < 0 or min_cell == 1:
        raise ConfigError(
            f"min_cell is {min_cell}; it must be 2 or more, or 0 to withhold nothing",
            hint="For example: --min-cell 5",
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one stage took. Kept beside a result, never inside it."""

    stage: str
    items: int
    seconds: float
    reused: bool = field(default=False)
    """Whether the stage found its work already done."""
