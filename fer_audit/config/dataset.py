"""How a dataset is read."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.config.checks import at_least
from fer_audit.errors import ConfigError

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
