"""What a run is asked to do: `AuditConfig` changes numbers, `Resources` changes speed only, `ReportSettings` what is shown.

One small record a room; a room is given its own and reads nothing else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fer_audit.errors import ConfigError


def at_least(settings: object, least: int, *names: str) -> None:
    """Raise ConfigError for the first of these fields that is below `least`; None passes."""
    for name in names:
        value = getattr(settings, name)
        if value is not None and value < least:
            raise ConfigError(f"{name} is {value}; it must be at least {least}")


def between_0_and_1(settings: object, *names: str) -> None:
    """Raise ConfigError for the first of these fields that is not strictly between 0 and 1."""
    for name in names:
        value = getattr(settings, name)
        if not 0 < value < 1:
            raise ConfigError(f"{name} is {value}; it must be between 0 and 1")


AGE_BINS = (0, 3, 10, 20, 30, 40, 50, 60, 70)
"""Lower ends of the age bins: 0-2, 3-9, 10-19, ..., 60-69, 70+ (FairFace's bins)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSettings:
    """How a dataset is read, and how much of it."""

    layout: str = "auto"
    """auto, or a format's name as `fer-audit datasets` lists them."""
    images_dir: str | None = None
    """The folder to look for a table's images in; None = the dataset's own."""
    path_column: str | None = None
    """Table column that holds the image path; None = found by its usual names."""
    group: tuple[tuple[str, str], ...] = ()
    """Columns of a table that are demographic attributes, by the attribute's name."""
    label: tuple[tuple[str, str], ...] = ()
    """Columns that are label attributes, e.g. an expression, by the attribute's name."""
    batch: tuple[tuple[str, str], ...] = ()
    """Columns that are batch attributes, e.g. a session, by the attribute's name."""
    split: str | None = None
    """Column that says to which part of a benchmark an image belongs; None = found by its usual names."""
    subject: str | None = None
    """Column that says who is on an image; None = found by its usual names."""
    age_column: str | None = None
    """Table column with ages, "years=COLUMN" to insist that small numbers are years; None = the column named "age"."""
    age_codes: str | None = None
    """What ages of 0 to 8 mean: fairface."""
    names: tuple[tuple[str, str], ...] = ()
    """Names of the codes of a column: ("race", "0:White,1:Black"), or ("race", "fairface") for a known list."""
    map: tuple[tuple[str, ...], ...] = ()
    """Attributes that are also shown in the groups of another scheme, as an attribute of its name: ("race", "race4")."""
    age_bins: tuple[int, ...] = AGE_BINS
    """Lower ends of the age bins, in years, ascending."""
    only: str | None = None
    """File with one id a line: the images to audit, such as a run's keep.txt; None = all."""
    weights: str | None = None
    """Table with a weight for each image, "FILE" or "COLUMN=FILE", such as a balance's weights.parquet; None = all weigh the same."""
    sample: int | None = None
    """Audit a seeded uniform sample of so many images."""
    first: int | None = None
    """Audit the first so many images in file order."""

    def __post_init__(self) -> None:
        """Refuse what no reader could make sense of."""
        at_least(self, 1, "sample", "first")
        if self.sample is not None and self.first is not None:
            raise ConfigError("sample and first exclude each other", hint="Give one of the two.")
        if any(len(pair) != 2 for pair in self.map):
            raise ConfigError(
                "map holds something else than pairs", hint="For example: --map race=race4"
            )
        if not self.age_bins or list(self.age_bins) != sorted(set(self.age_bins)):
            raise ConfigError(
                f"age_bins are {self.age_bins}; they must be ascending lower ends",
                hint="For example: --age-bins 0,3,10,20,30,40,50,60,70",
            )

    @property
    def names_columns(self) -> bool:
        """Whether any setting names a column, which only a table has."""
        return any(
            (
                *(self.path_column, self.age_column, self.split, self.subject),
                *(self.group, self.label, self.batch),
            )
        )


Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Which network embeds the images, and how."""

    model: str = "resnet50-keras"
    """Catalog name, or the path of an .onnx file with its sidecar."""
    precision: Precision = "fp32"
    """Numeric precision of the weights."""
    batch_size: int = 16
    """Images a model call; fixed and padded, because another batch can change the last bits."""

    def __post_init__(self) -> None:
        """Refuse an empty batch."""
        at_least(self, 1, "batch_size")


METHODS = ("svm", "linear")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierSettings:
    """Whose predictions are audited."""

    predict: tuple[str, ...] = ()
    """Classifiers to run on every image: names of the catalog, or .onnx files with their sidecars."""
    predictions: tuple[str, ...] = ()
    """Tables of predictions that somebody made, each TABLE, or MAP=TABLE where they are of another scheme than expression8."""
    predicted_column: str | None = None
    """Their column of predicted classes; None = found by its usual names."""
    classify: tuple[str, ...] = ()
    """Classifiers to fit on the run's own vectors and expression labels, each image predicted by one that has not seen it: svm,
    linear."""

    def __post_init__(self) -> None:
        """Refuse a method that does not exist, and what is given twice."""
        for name in ("predict", "predictions", "classify"):
            given = getattr(self, name)
            if not all(given) or len(set(given)) != len(given):
                raise ConfigError(f"{name} has an empty name or one twice: {', '.join(given)}")
        for method in self.classify:
            if method not in METHODS:
                raise ConfigError(
                    f"classify is {method!r}; it must be {' or '.join(METHODS)}",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """How the vectors are clustered."""

    k: int = 4
    """Number of clusters; 4 is the origin paper's."""
    k_auto: bool = False
    """Choose k among 2..sweep_max by elbow, silhouette and stability; `k` is not read then."""
    starts: int = 10
    """K-Means starts, of which the best is kept."""
    sweep_max: int = 10
    """The elbow looks at k = 1..sweep_max."""

    def __post_init__(self) -> None:
        """Refuse what K-Means cannot do."""
        at_least(self, 1, "k", "starts", "sweep_max")
        if self.k_auto and self.sweep_max < 2:
            raise ConfigError("k_auto has nothing to choose from: sweep_max is 1")


ANY_LABEL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsSettings:
    """How the audit tests, and what it tests."""

    confidence: float = 0.95
    """Level of the intervals."""
    alpha: float = 0.05
    """Level of the tests."""
    permutations: int = 10_000
    """Shuffles of each permutation test."""
    bootstraps: int = 2_000
    """Resamples of each bootstrap interval."""
    keep_duplicates: bool = False
    """Test on every file, not on one copy of each group of byte-identical files."""
    reference: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """Counts of a larger set to compare with: the count of each group, by attribute."""
    given: tuple[tuple[str, ...], ...] = ()
    """Columns to hold fixed, each tuple together; the audit says what is left of every association then."""
    what_if: tuple[str, ...] = ()
    """Attributes to erase from the vectors, to see what clusters and probes still find then."""
    mitigate: str = ""
    """Label for which heads that treat groups alike are compared; "*" = every label column, "" = none."""
    replay: int = 200
    """Random samples of `replay_size` images to cluster and audit; 200 take 3 to 5 seconds on two cores."""
    replay_size: int = 500
    """500 is the origin paper's."""
    recluster: int = 0
    """Bootstrap resamples of the whole set to cluster again."""

    def __post_init__(self) -> None:
        """Refuse what no test could make sense of."""
        at_least(self, 1, "permutations", "bootstraps")
        for name in ("replay", "recluster"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must not be negative")
        at_least(self, 2, "replay_size")
        if any(not names or not all(names) for names in self.given):
            raise ConfigError(
                "given has an empty name", hint="For example: --given gender,age_bin"
            )
        between_0_and_1(self, "confidence", "alpha")


MapMethod = Literal["pca", "umap"]

MAX_THUMBNAILS = 50
"""Faces in one row of a contact sheet; more is a gallery of the set, not a look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSettings:
    """What a report shows in addition to the numbers; it changes none of them."""

    projection: MapMethod = "pca"
    """The map of the latent space: its first two principal components, or UMAP."""
    thumbnails: int = 0
    """Faces a row of the contact sheets: so many nearest, median and farthest of each cluster; 0 = no sheets."""
    blur_faces: bool = False
    """Make the faces of the contact sheets unrecognisable to a viewer."""
    min_cell: int = 0
    """Hide every count of people from 1 to this less 1, and what would reveal it; 0 = none."""

    def __post_init__(self) -> None:
        """Refuse what no report can show."""
        if self.projection not in ("pca", "umap"):
            raise ConfigError(f"projection is {self.projection!r}; it must be pca or umap")
        if not 0 <= self.thumbnails <= MAX_THUMBNAILS:
            raise ConfigError(
                f"thumbnails is {self.thumbnails}; it must be between 0 and {MAX_THUMBNAILS}"
            )
        refuse_min_cell(self.min_cell)


def refuse_min_cell(min_cell: int) -> None:
    """Raise ConfigError for a --min-cell that withholds nothing: 1 or less, but for 0, which is off."""
    if min_cell < 0 or min_cell == 1:
        raise ConfigError(
            f"min_cell is {min_cell}; it must be 2 or more, or 0 to withhold nothing",
            hint="For example: --min-cell 5",
        )


_NUMBER = r"(0|[1-9][0-9]{0,3})"
DEVICE = rf"auto|cpu|cuda(:(all|{_NUMBER}(,{_NUMBER})*))?"
"""How a device is written: `cuda` is the first CUDA device, `cuda:0,1` are two, `cuda:all` is every one."""

PackMode = Literal["auto", "on", "off"]

MAX_FILE_SECONDS = 86_400.0
FILE_SECONDS = 30.0
"""Any photograph is decoded in a second or two, even the largest allowed one on a slow machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What changes the speed of a run and where it keeps things, never its numbers.

    The device can change the last bits of an embedding; the provider actually used is therefore part of
    the fingerprint of the vectors, not this setting.
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
        at_least(self, 1, "threads", "workers")
        if not 0 <= self.max_errors <= 1:
            raise ConfigError(f"max_errors is {self.max_errors}; it must be between 0 and 1")
        if not 0 < self.file_seconds <= MAX_FILE_SECONDS:
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
class AuditConfig:
    """Everything that changes a number in the result. Built once, then only read."""

    seed: int = 0
    """Where every random draw starts."""
    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    """How the dataset is read, and how much of it."""
    model: ModelSettings = field(default_factory=ModelSettings)
    """Which network embeds the images, and how."""
    classifiers: ClassifierSettings = field(default_factory=ClassifierSettings)
    """Whose predictions are audited."""
    clusters: ClusterSettings = field(default_factory=ClusterSettings)
    """How the vectors are clustered."""
    statistics: StatisticsSettings = field(default_factory=StatisticsSettings)
    """How the audit tests, and what it tests."""
    fail_on: tuple[str, ...] = ()
    """Rules that end the run with exit code 1, e.g. "race.v_corrected>0.2". They change no number of the audit."""

    def __post_init__(self) -> None:
        """Refuse a negative seed."""
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; it must not be negative")

    @classmethod
    def of(cls, **values: Any) -> AuditConfig:  # noqa: ANN401 - each setting has its own type
        """Build the configuration from flat names, as the command line has them: AuditConfig.of(k=4, seed=42).

        What is not named keeps its default. Raises ConfigError for a name that no room has, and for a value that
        its room refuses.
        """
        return cls().having(**values)

    def having(self, **values: Any) -> AuditConfig:  # noqa: ANN401 - each setting has its own type
        """Return a copy with these settings, by flat names. Raises ConfigError as `of` does."""
        known = self.flat()
        if unknown := sorted(set(values) - set(known)):
            raise ConfigError(
                f"there is no setting {unknown[0]!r}", hint=f"Known: {', '.join(known)}"
            )
        changed: dict[str, Any] = {}
        for each in fields(self):
            room: Any = getattr(self, each.name)
            if is_dataclass(room) and not isinstance(room, type):
                own = {setting.name for setting in fields(room)} & set(values)
                changed[each.name] = replace(room, **{name: values[name] for name in own})
            elif each.name in values:
                changed[each.name] = values[each.name]
        return replace(self, **changed)

    def flat(self) -> dict[str, Any]:
        """Return every setting by its flat name, in the order of the records."""
        settings: dict[str, Any] = {}
        for each in fields(self):
            room: Any = getattr(self, each.name)
            if is_dataclass(room):
                settings |= {own.name: getattr(room, own.name) for own in fields(room)}
            else:
                settings[each.name] = room
        return settings


def setting_texts(config: AuditConfig) -> tuple[tuple[str, str], ...]:
    """Return (name, value) of every setting to be shown: words as they are, everything else as JSON."""
    return tuple(
        (name, value if isinstance(value, str) else json.dumps(value, separators=(",", ":")))
        for name, value in config.flat().items()
    )
