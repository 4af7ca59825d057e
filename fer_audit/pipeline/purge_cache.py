"""Which folders of the cache a run has used: those its DONE.json names, or, without one, those that hold the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import refuse_min_cell
from fer_audit.errors import ConfigError, StoreError
from fer_audit.pack.types import SHARD_ROWS
from fer_audit.pipeline import run_folder
from fer_audit.pipeline.finish import least_on_page
from fer_audit.store.stage import file_sha256, open_plain

CACHED = {
    "pack": "packed pixels and what was measured on them",
    "embed": "vectors",
    "cluster": "clusters and principal coordinates",
}
"""Stage -> what its folder holds of every image."""
KEPT = {**CACHED, "audit": "numbers and charts of audits"}
"""The same, and what was computed from them; its folder has the name of the pack's."""

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_FOLDER = re.compile(r"[0-9a-f]{32}")

_COLUMNS: dict[str, tuple[Any, np.dtype[Any]]] = {
    "sha256": ("", np.dtype("S64")),
    "cluster": (-1, np.dtype(np.int32)),
    "distance": (0.0, np.dtype(np.float32)),
}
"""Column of rows.parquet -> what stands for null in the cache, and the type there."""


@dataclass(frozen=True, slots=True)
class CachedStage:
    """One stage's folder in the cache."""

    stage: str
    path: Path


@dataclass(frozen=True, slots=True)
class DoneMark:
    """What a finished run's DONE.json says of it."""

    fingerprints: Mapping[str, str]
    """By stage of `CACHED`."""
    least_on_page: int
    """The --min-cell its page was made with; 0 = none."""


def read_done_mark(run: Path) -> DoneMark | None:
    """Return the mark of a finished run; None when it has no DONE.json that can be read.

    Only plain hexadecimal is taken for a fingerprint: a name from a file never leads out of the cache.
    """
    try:
        with open_plain(run / run_folder.DONE) as file:
            prints = json.load(file)["fingerprints"]
        found = {stage: prints[stage] for stage in CACHED}
        least = least_on_page(prints["pictures"])
        refuse_min_cell(least)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError):
        return None
    if all(isinstance(text, str) and _FINGERPRINT.fullmatch(text) for text in found.values()):
        return DoneMark(found, least)
    return None


def named_stages(cache: Path, fingerprints: Mapping[str, str]) -> list[CachedStage]:
    """Return where the stages of a finished run lie, whether they are there or not."""
    found = [CachedStage(stage, cache / stage / fingerprints[stage][:32]) for stage in CACHED]
    return [*found, *_audits(cache, found)]


def matching_stages(cache: Path, run: Path) -> list[CachedStage]:
    """Return the folders that hold what an unfinished run has in its files.

    Vectors are known by their bytes, pixels by the sha256 of every image, clusters by label and distance of every image.
    What a killed run had begun and not put into its run directory is not among them.
    """
    columns = _columns(run / run_folder.ROWS)
    found = [
        CachedStage("pack", folder)
        for folder in _folders(cache / "pack")
        if "sha256" in columns and _has_images(folder, columns["sha256"])
    ]
    found += [CachedStage("embed", folder) for folder in _vectors(cache / "embed", run)]
    found += [
        CachedStage("cluster", folder)
        for folder in _folders(cache / "cluster")
        if _has_clusters(folder, columns)
    ]
    return [*found, *_audits(cache, found)]


def _audits(cache: Path, found: list[CachedStage]) -> list[CachedStage]:
    """Return the folders, where there are any, of what was computed from packs."""
    folders = [cache / "audit" / each.path.name for each in found if each.stage == "pack"]
    return [CachedStage("audit", folder) for folder in folders if folder.is_dir()]


def is_told_apart_by(path: Path) -> bool:
    """Whether `matching_stages` reads a file of a stage folder."""
    key = path.name.split(".")[1:2]
    return key in (["sha256"], ["vectors"], ["distances"])


def _folders(place: Path) -> Iterator[Path]:
    """Yield the stage folders of a place that is no link, none of them a link."""
    if place.is_symlink() or not place.is_dir():
        return
    for folder in sorted(place.iterdir()):
        if _FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
            yield folder


def _vectors(place: Path, run: Path) -> Iterator[Path]:
    """Yield the folders whose vectors are the run's: the same file, or another one with the same bytes."""
    own = run / run_folder.VECTORS
    if own.is_symlink() or not own.is_file():
        return
    digest = ""
    for folder in _folders(place):
        kept = folder / "vectors.vectors.npy"
        if kept.is_symlink() or not kept.is_file() or kept.stat().st_size != own.stat().st_size:
            continue
        if kept.samefile(own):
            yield folder
            continue
        digest = digest or file_sha256(own)
        if file_sha256(kept) == digest:
            yield folder


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    """Return what tells a run's images apart, as the cache keeps it; nothing when there is no such table."""
    if path.is_symlink() or not path.is_file():
        return {}
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = sorted(_COLUMNS.keys() & set(file.schema_arrow.names))
            table = file.read(columns=names)
    except (OSError, pa.ArrowException):
        return {}
    found: dict[str, NDArray[Any]] = {}
    for name in names:
        null, kind = _COLUMNS[name]
        values = [null if value is None else value for value in table[name].to_pylist()]
        try:
            found[name] = np.array(values, kind)
        except (ValueError, TypeError, OverflowError):  # not a table that we wrote
            return {}
    return found


def _has_images(folder: Path, digests: NDArray[Any]) -> bool:
    """Whether a pack folder is of these images, or what a killed purge left of one is: its manifests go first."""
    count, known = 0, False
    for path in sorted(folder.glob("rows-*.sha256.npy")):
        part, number = _array(path), path.name[len("rows-") :].partition(".")[0]
        if part is None or not number.isdecimal():
            return False
        start = int(number) * SHARD_ROWS
        if not _same(part, digests[start : start + len(part)]):
            return False
        count += len(part)
        known = known or bool((part != b"").any())  # images that could not be read have none
    is_begun = not any(folder.glob("rows-*.json"))
    return known and (is_begun or count == len(digests))


def _has_clusters(folder: Path, columns: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a cluster folder has the distance of every image, and its label as far as that is left."""
    distances = _array(folder / "clustering.distances.npy")
    if not {"cluster", "distance"} <= columns.keys() or not _same(distances, columns["distance"]):
        return False
    labels = _array(folder / "clustering.labels.npy")
    return labels is None or _same(labels, columns["cluster"])


def _array(path: Path) -> NDArray[Any] | None:
    if path.is_symlink():
        return None
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if isinstance(found, np.ndarray) and found.ndim else None


def _same(found: NDArray[Any] | None, own: NDArray[Any]) -> bool:
    return found is not None and found.shape == own.shape and bool((found == own).all())


def refuse_links(cache: Path, stages: list[CachedStage]) -> None:
    """Raise StoreError when a stage's folder, or the one it lies in, is a link: nothing is removed through one."""
    for each in stages:
        for path in (cache / each.stage, each.path):
            if path.is_symlink():
                raise StoreError(
                    f"{path} is a link, and nothing is removed through a link",
                    hint="Delete what it points to yourself, then the link, and purge again.",
                )
