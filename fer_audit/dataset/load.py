"""The door of the room: a path in, a dataset out, whichever format it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fer_audit.config import AuditConfig
from fer_audit.dataset.build import take_subset
from fer_audit.dataset.card import with_card
from fer_audit.dataset.formats.folder import read_folder
from fer_audit.dataset.formats.utkface import has_utkface_names, read_utkface
from fer_audit.dataset.listing import (
    TABLE_SUFFIXES,
    Listing,
    list_images,
    require_images,
    suffix_of,
)
from fer_audit.dataset.table.columns import asks_for_columns
from fer_audit.dataset.table.read import read_table
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import encodable, name_some

FORMATS = ("auto", "utkface", "table", "folder")
UTKFACE_SHARE = 0.1
"""Share of image names from which on a folder is taken for UTKFace."""


def load_dataset(path: Path | str, config: AuditConfig | None = None) -> FaceDataset:
    """Return the dataset in a folder or a table. No image is opened, only listed.

    `config.dataset.format` "auto" takes a table file for a table; a folder for UTKFace when at least one image name in ten
    is one of UTKFace's, else for its table if it has one on its top level, else for class folders.
    Columns asked for by name mean the table.
    Raises DatasetError when there is nothing to audit, ConfigError when the settings do not fit the data.
    """
    config = config or AuditConfig()
    if config.dataset.format not in FORMATS:
        raise ConfigError(
            f'There is no dataset format "{config.dataset.format}"',
            hint=f"Formats are {', '.join(FORMATS)}.",
        )
    path = Path(path)
    _require_path(path)
    if path.is_dir():
        dataset = _load_folder(path.resolve(), config)
    else:
        dataset = _load_table_file(path, config)
    return take_subset(with_card(dataset), config)


def _require_path(path: Path) -> None:
    try:
        there = path.exists()
    except OSError as exc:
        raise DatasetError(f"{path} cannot be looked at: {exc.strerror}") from exc
    if not there:
        raise DatasetError(
            f"There is no folder or table at {path}",
            hint="Check the path; it is relative to here.",
        )


def _load_table_file(path: Path, config: AuditConfig) -> FaceDataset:
    if not path.is_file() or suffix_of(path.name) not in TABLE_SUFFIXES:
        raise DatasetError(
            f"{path} is neither a folder nor a table",
            hint=f"Tables are files named {', '.join(sorted(TABLE_SUFFIXES))}.",
        )
    if config.dataset.format not in ("auto", "table"):
        raise ConfigError(
            f"{path} is a table, the format asked for is {config.dataset.format}",
            hint="Give the folder, or --format table.",
        )
    listing = _without_unread_tables(list_images(path.parent.resolve()), read=path.name)
    return read_table(path, listing, config, name=encodable(path.stem))


def _load_folder(root: Path, config: AuditConfig) -> FaceDataset:
    listing = list_images(root)
    form = _sniff(listing, config) if config.dataset.format == "auto" else config.dataset.format
    if form == "table":
        table = _only_table(listing)
        listing = _without_unread_tables(listing, read=table)
        return read_table(root / table, listing, config, name=encodable(root.name))
    require_images(listing)
    if asks_for_columns(config):
        raise ConfigError(
            f"Columns are asked for, but {root} is read as {form} and has no columns",
            hint="Give the path of a table, or leave out --group, --label, --batch, --age-column and --path-column.",
        )
    listing = _without_unread_tables(listing, read="")
    if form == "utkface":
        return read_utkface(listing, config, name=encodable(root.name))
    return read_folder(listing, name=encodable(root.name))


def _sniff(listing: Listing, config: AuditConfig) -> str:
    """Return the format of a folder."""
    if listing.tables and asks_for_columns(config):
        return "table"
    if has_utkface_names(listing.ids, share=UTKFACE_SHARE):
        return "utkface"
    return "table" if listing.tables else "folder"


def _only_table(listing: Listing) -> str:
    if len(listing.tables) == 1:
        return listing.tables[0]
    if not listing.tables:
        raise DatasetError(
            f"There is no table on the top level of {listing.root}",
            hint=f"Tables are files named {', '.join(sorted(TABLE_SUFFIXES))}.",
        )
    raise DatasetError(
        f"{listing.root} holds several tables: {name_some(listing.tables, limit=10)}",
        hint="Give the path of one of them, or --format folder to read none.",
    )


def _without_unread_tables(listing: Listing, *, read: str) -> Listing:
    """Return the listing with a note about the tables that lie there and are not read."""
    unread = [table for table in listing.tables if table != read]
    if not unread:
        return listing
    note = f"Tables that were not read: {name_some(unread, limit=10)}; --format table reads one."
    return replace(listing, notes=(*listing.notes, note))
