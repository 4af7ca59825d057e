"""Parquet files that hold the images themselves, as Hugging Face stores a set."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import plain_file_facts, suffix_of
from fer_audit.dataset.parquet_images import Shard, open_shard
from fer_audit.dataset.sources.files import Files
from fer_audit.dataset.sources.parquet import ParquetCells
from fer_audit.dataset.table.columns import assign_roles
from fer_audit.dataset.table.reading import dataset_of_fields
from fer_audit.dataset.table.words import JoinedWords, encode_attribute
from fer_audit.dataset.types import FaceDataset, Reject
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some, whole

MAX_ROWS = 20_000_000
"""Parquet packs a billion equal cells into a few kilobytes; its footer says so before they are unpacked."""

_SPLIT = re.compile(
    r"(?:^|[-_.])(train|training|validation|valid|val|dev|test)(?=[-_.]|$)", re.IGNORECASE
)
_SHARD = re.compile(r"(.*)-([0-9]{5,})-of-([0-9]{5,})\.parquet", re.IGNORECASE)


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for parquet files with a column of images, REQUIRED when columns are asked for.

    Reads the first footer that can be read: a broken file of a set does not make the others tables. Where every one is
    broken and no other table is there, `read` says so.
    """
    names = _names(given)
    if not all(suffix_of(name) == ".parquet" for name in names):
        return Match.NO
    required = given.is_folder and settings.names_columns
    for name in names:
        with contextlib.suppress(DatasetError):
            if open_shard(given.root / name, settings.path_column) is None:
                return Match.NO
            return Match.REQUIRED if required else Match.CERTAIN
    others = set(given.listing.tables if given.is_folder else ()) - set(names)
    if not names or others:
        return Match.NO
    return Match.REQUIRED if required else Match.POSSIBLE


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset in one parquet file or several; ids are `x.parquet#17`, in the order of the files.

    Codes get names only from the file's own metadata. An image that is only named is looked for next to its file, or
    under --images. Raises ConfigError when the files are no parts of one set, DatasetError when there is no image.
    """
    names = _names(given)
    shards = _open_shards(given, names, settings)
    _refuse_strangers(names, shards)
    total = sum(shard.rows for shard in shards)
    if not 0 < total <= MAX_ROWS:
        raise DatasetError(
            f"{given.path} has {whole(total)} rows, 1 to {whole(MAX_ROWS)} are read",
            hint="Give a part of it." if total else "",
        )
    ids = [
        f"{name}#{row}"
        for name, shard in zip(names, shards, strict=True)
        for row in range(shard.rows)
    ]
    table = encodable(names[0]) if len(names) == 1 else "the parquet files"
    roles = assign_roles(shards[0].labels, settings, table=table, path=None)
    columns = {column: JoinedWords() for column in roles.label_columns()}
    rejects: list[Reject] = []
    for name, shard in zip(names, shards, strict=True):
        rejects += shard.read_labels(name, columns)
    words = {column: columns.pop(column).words() for column in list(columns)}
    splits = [split_of(name) for name in names]
    split = np.repeat(np.array(splits, object), [shard.rows for shard in shards]).tolist()
    missing = _missing_shards(names) if given.is_folder else []
    return dataset_of_fields(
        given,
        settings,
        _source(given, names, shards, settings),
        ids,
        words,
        roles,
        table=table,
        more=(encode_attribute("split", split, "split"),) if any(splits) else (),
        rejects=rejects,
        notes=(*missing, *_notes(table, shards[0])),
        label_source=f"Columns of {table}; who made the labels is not stated.",
        read=names,
        is_whole=not missing,
    )


def split_of(name: str) -> str | None:
    """Return the part of a benchmark that a file belongs to, by its name or that of its folder, as it is written."""
    for part in reversed(PurePosixPath(name).parts[-2:]):
        if found := _SPLIT.search(part):
            return found[1]
    return None


def _names(given: DatasetPath) -> list[str]:
    """Return the POSIX paths of the files below the root."""
    if not given.is_folder:
        return [file.name for file in given.files if file.is_file()]
    return [each for each in given.listing.others if suffix_of(each) == ".parquet"]


def _open_shards(
    given: DatasetPath, names: Sequence[str], settings: DatasetSettings
) -> list[Shard]:
    """Return what the footers say. Raises DatasetError when one cannot be read or names no column of images."""
    shards, broken = [], []
    for name in names:
        try:
            shard = open_shard(given.root / name, settings.path_column)
        except DatasetError as exc:
            broken.append(exc)
            continue
        if shard is None:
            raise DatasetError(
                f"{given.root / name} has no column of images",
                hint="Give the files that hold images, or --layout table.",
            )
        shards.append(shard)
    if broken and (shards or len(broken) == 1):
        raise broken[0]
    if broken:
        raise DatasetError(
            f"None of the {counted(len(broken), 'parquet file')} at {given.path} can be read. {broken[0]}",
            hint="Fetch them again: a download that stopped leaves a file without its end.",
        )
    return shards


def _refuse_strangers(names: Sequence[str], shards: Sequence[Shard]) -> None:
    """Raise ConfigError when the files are not parts of one set: other columns, other class names, other folders."""
    sets = []
    for name in names:  # their folders, but for a last one that is a split
        *folders, _ = PurePosixPath(name).parts
        sets.append(folders[:-1] if folders and _SPLIT.fullmatch(folders[-1]) else folders)
    for name, shard, folder in zip(names, shards, sets, strict=True):
        kinds = [(each.image, each.labels, each.names) for each in (shard, shards[0])]
        same = kinds[0] == kinds[1]
        if not same or folder != sets[0]:
            raise ConfigError(
                f"{name_some([names[0], name])} are not parts of one set: "
                + ("they lie in different folders" if same else "their columns or classes differ"),
                hint="Give the path of one file or folder.",
            )


def _missing_shards(names: Sequence[str]) -> list[str]:
    """Return a note about files `train-00001-of-00003.parquet` that are not there, if there are any."""
    shards = filter(None, map(_SHARD.fullmatch, names))
    there = Counter((found[1], int(found[3])) for found in shards)
    lacking = [f"{name} ({whole(total - n)})" for (name, total), n in there.items() if n < total]
    return [f"Not every shard is there; missing: {name_some(lacking)}."] if lacking else []


def _source(
    given: DatasetPath, names: Sequence[str], shards: Sequence[Shard], settings: DatasetSettings
) -> ParquetCells | Files:
    """Return the cells, or the files that are named there when not one cell holds an image."""
    if not all(shard.is_empty and shard.has_paths for shard in shards):
        counts = [shard.rows for shard in shards]
        return ParquetCells(
            tuple(shard.facts for shard in shards),
            f"{shards[0].image}.bytes" if shards[0].is_struct else shards[0].image,
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            np.concatenate([np.arange(n, dtype=np.int64) for n in counts]),
        )
    root = (given.images or given.root).resolve()
    files: list[str] = []
    for name, shard in zip(names, shards, strict=True):
        beside = "" if given.images else f"{PurePosixPath(name).parent}/"
        files += [f"{beside}{path}".removeprefix("./") for path in shard.read_paths()]
    folders: dict[str, bool] = {}
    facts = [
        (-1, -1)
        if ".." in (parts := file.split("/")) or "" in parts
        else plain_file_facts(root, file, folders)
        for file in files
    ]
    source = Files(str(root), files, *np.array(facts, np.int64).T.copy())
    if not source.there.any():
        raise DatasetError(
            f"The {counted(len(files), 'row')} of {given.path} hold no image, and none names a file under {root}; "
            f"the first path is {name_some(files[:1])}",
            hint="Name the folder of the images with --images.",
        )
    return source


def _notes(table: str, shard: Shard) -> list[str]:
    others = f"Other columns of images in {table} are not read"
    nested = f"Columns of {table} that hold lists, records or bytes are no labels"
    pairs = ((others, shard.others), (nested, shard.nested))
    return [f"{about}: {name_some(names)}." for about, names in pairs if names]
