"""What a user gave: a folder, a table, some archives; and what is said of the files there that are not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fer_audit.config import DatasetSettings
from fer_audit.dataset.listing import (
    Listing,
    is_label_file,
    list_images,
    require_images,
    suffix_of,
)
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some, whole


@dataclass(frozen=True)  # no slots: cached_property needs a dictionary
class DatasetPath:
    """The path a user gave, and the files there, listed once when a format asks for them."""

    path: Path
    """As it was given."""
    is_folder: bool
    """False = a file: a table, say, or a pattern that means several archives."""
    files: tuple[Path, ...] = ()
    """The files that were given; () for a folder."""
    images: Path | None = None
    """--images: the folder to look for the images in; None = `root`."""

    @property
    def root(self) -> Path:
        """Return the absolute path of the folder, or of the one that the file is in."""
        return (self.path if self.is_folder else self.path.parent).resolve()

    @property
    def name(self) -> str:
        """Return the name of the dataset."""
        return encodable(self.root.name if self.is_folder else self.path.stem)

    @cached_property
    def listing(self) -> Listing:
        """Every file under `root`."""
        return list_images(self.root)

    @cached_property
    def pictures(self) -> Listing:
        """Every file under the folder of the images."""
        return self.listing if self.images is None else list_images(self.images.resolve())

    @property
    def is_whole(self) -> bool:
        """Whether every folder that was listed could be read; True when none was."""
        return all(listing.whole for listing in self._listings())

    def notes(self, read: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the notes about label files that were not read, and those about everything else that was listed."""
        read = frozenset(read)
        others = self.listing.others if "listing" in self.__dict__ else ()
        if not self.is_folder:  # around a file that was given, only the label files next to it
            given = {file.name for file in self.files}
            tables = self.listing.tables if others else ()
            others = tuple(each for each in tables if "/" not in each and each not in given)
        left = [each for each in others if each not in read]
        labels = [each for each in left if is_label_file(each)]
        ignored = Counter(suffix_of(each) for each in left if not is_label_file(each))
        kinds = ", ".join(
            f"{whole(n)} {encodable(suffix) or 'without a suffix'}"
            for suffix, n in sorted(ignored.items(), key=lambda item: (-item[1], item[0]))
        )
        count = counted(
            ignored.total(), "file that is no image was", "files that are no images were"
        )
        unused = (f"{count} ignored: {kinds}.",) if ignored else ()
        unread = (
            f"Label files that were not read: {name_some(labels, limit=10)}; "
            "give the path of one to read it, or --layout."
        )
        notes = tuple(note for listing in self._listings() for note in listing.notes)
        return (unread,) if labels else (), (*unused, *notes)

    def _listings(self) -> list[Listing]:
        """Return the listings that were made."""
        made = [self.__dict__[name] for name in ("listing", "pictures") if name in self.__dict__]
        return made[:1] if self.images is None else made

    def label_files(self, pattern: str, settings: DatasetSettings) -> tuple[str, ...]:
        """Return the label files of a name, as `Listing.named` does. Raises DatasetError when there is none."""
        found = self.listing.named(pattern)
        if not found:
            raise DatasetError(
                f"{self.root} holds no label file that {settings.layout} has",
                hint="`fer-audit datasets` lists the files of each format; leave out --layout to have it found.",
            )
        return found

    def images_without_columns(self, settings: DatasetSettings) -> Listing:
        """Return the images for a format that has no columns and reads no table.

        Raises DatasetError when there is no image, ConfigError when the settings name columns.
        """
        require_images(self.pictures)
        refuse_columns(settings, self.root)
        return self.pictures


def refuse_columns(settings: DatasetSettings, root: Path) -> None:
    """Raise ConfigError when the settings name columns of a table."""
    if settings.names_columns:
        raise ConfigError(
            f"Columns are asked for, but {root} is read as {settings.layout} and has no columns",
            hint="Give the path of a table, or leave out --group, --label, --batch, --split, --subject, "
            "--age-column and --path-column.",
        )
