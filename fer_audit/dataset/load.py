"""A path in, a dataset out, whichever format it has."""

from __future__ import annotations

from pathlib import Path

from fer_audit.config import AuditConfig, DatasetSettings
from fer_audit.dataset.build import take_subset
from fer_audit.dataset.formats.registry import FORMATS, Format, Match, format_names
from fer_audit.dataset.listing import TABLE_SUFFIXES, DatasetPath
from fer_audit.dataset.owner_card import with_owner_card
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError


def load_dataset(path: Path | str, config: AuditConfig | None = None) -> FaceDataset:
    """Return the dataset in a folder or a table. No image is opened, only listed.

    `config.dataset.format` "auto" reads a table file as a table; a folder as UTKFace when at least one image name in
    ten is one of UTKFace's, else its table if it has one on its top level, else class folders.
    Columns asked for by name mean the table.
    Raises DatasetError when there is nothing to audit, ConfigError when the settings do not fit the data.
    """
    config = config or AuditConfig()
    if config.dataset.format not in format_names():
        raise ConfigError(
            f'There is no dataset format "{config.dataset.format}"',
            hint=f"Formats are {', '.join(format_names())}.",
        )
    given = _existing_path(Path(path))
    dataset = _choose_format(given, config.dataset).read(given, config.dataset)
    return take_subset(with_owner_card(dataset), config.dataset, seed=config.seed)


def _existing_path(path: Path) -> DatasetPath:
    try:
        exists = path.exists()
    except OSError as exc:
        raise DatasetError(f"{path} cannot be looked at: {exc.strerror}") from exc
    if not exists:
        raise DatasetError(
            f"There is no folder or table at {path}",
            hint="Check the path; it is relative to here.",
        )
    return DatasetPath(path, is_folder=path.is_dir())


def _choose_format(given: DatasetPath, settings: DatasetSettings) -> Format:
    """Return the format asked for, else the best match; a file is read only as a format that it matches."""
    named = next((form for form in FORMATS if form.name == settings.format), None)
    if given.is_folder and named is not None:
        return named
    matches = {form: form.sniff(given, settings) for form in FORMATS}
    best = max(FORMATS, key=matches.__getitem__)
    if matches[best] == Match.NO:
        raise DatasetError(
            f"{given.path} is neither a folder nor a table",
            hint=f"Tables are files named {', '.join(sorted(TABLE_SUFFIXES))}.",
        )
    if named is not None and matches[named] == Match.NO:
        raise ConfigError(
            f"{given.path} is a {best.name}, the format asked for is {named.name}",
            hint=f"Give the folder, or --format {best.name}.",
        )
    return named or best
