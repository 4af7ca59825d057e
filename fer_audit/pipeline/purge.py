"""Purge a run: remove what shows or identifies faces (pixels, vectors, pictures) and keep the numbers.

A run notes the folders of the cache it uses in STARTED.json before it writes to them, so a killed run can be purged too.
The vectors of the run directory go first: DONE.json still names them, so the run no longer counts as finished, and the
same `fer-audit run` makes everything again. An interrupted purge is finished by the next one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from fer_audit.config import refuse_min_cell
from fer_audit.errors import ConfigError, StoreError
from fer_audit.pipeline import run_folder
from fer_audit.report.files.document import read_result
from fer_audit.report.files.pictures import Pictures, pictures_json, read_pictures, shared_pictures
from fer_audit.report.files.timings import read_timings
from fer_audit.store.locks import LOCK, folder_lock, remove
from fer_audit.store.stage import TEMPORARY, write_text

REASON = "removed by fer-audit purge"
"""Why a purged report shows no faces; a part of `Pictures.missing` and of the page."""

CACHED = {
    "pack": "packed pixels and what was measured on them",
    "embed": "vectors",
    "cluster": "clusters and principal coordinates",
    "audit": "numbers and charts of audits",
}
"""Stage -> what its folder in the cache holds."""

_UNREADABLE = (StoreError, ConfigError, ValueError, KeyError, TypeError, AttributeError)
_FACE = b"data:image/webp"
"""How every face on a page begins; maps are PNG."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Files that were removed, or one that was written again without its faces."""

    what: str
    place: Literal["run", "cache"]
    path: str
    """Below the run directory or the cache."""
    files: int
    """0 = a file that stays, without its faces."""
    size_bytes: int
    """Bytes of a file with two names count once."""


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge removed, did not find, and kept."""

    removed: tuple[Removed, ...]
    not_found: tuple[tuple[str, str], ...]
    """(what, path) of folders of the cache that the run has used and that are not there."""
    kept: tuple[str, ...]
    """Files of the run directory that stay."""
    other_names: int
    """Names elsewhere of the vectors' bytes, those of other runs on the same vectors: the bytes live on under them."""

    @property
    def size_bytes(self) -> int:
        """All bytes removed."""
        return sum(each.size_bytes for each in self.removed)


def purge_run(run: Path, cache: Path, *, rows: bool = False, dry_run: bool = False) -> Purge:
    """Remove the pixels, vectors and pictures of `run` from its directory and from `cache`, and return what that was.

    `rows` removes the table of all files too; `dry_run` removes nothing and says what would be removed.
    Raises StoreError, before anything is removed, for a folder that is no run, a link, or a place that cannot be written to;
    LockedError while another process works in one of the folders.
    """
    names = (*run_folder.FILES, LOCK, run_folder.LISTS_FOLDER)
    remedies = [each for kind in run_folder.REMEDIES for each in sorted(run.glob(kind))]
    _refuse_links([run, *(run / name for name in names), *(x.parent for x in remedies), *remedies])
    stages = [(stage, cache / stage / name) for stage, name in run_folder.used_stages(run)]
    if not stages:
        raise StoreError(
            f"{run} is no run directory; nothing was removed",
            hint="Give a folder that fer-audit run has written. If its STARTED.json is damaged, "
            "run the same command once more, then purge.",
        )
    _refuse_links([path for _, stage in stages for path in (stage.parent, stage, stage / LOCK)])
    there = [(stage, folder) for stage, folder in stages if folder.is_dir()]
    purging = _Purging(run, cache, dry_run, run_folder.is_as_marked(run, run_folder.PAGE))
    with ExitStack() as locks:
        for folder in () if dry_run else (run, *(folder for _, folder in there)):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise StoreError(f"The folder {folder} is not writable; nothing was removed")
            locks.enter_context(folder_lock(folder, wait_seconds=0))
        purging.remove_own("vectors", run_folder.VECTORS)
        for left in (f"{TEMPORARY}*", f"{run_folder.LISTS_FOLDER}/{TEMPORARY}*"):
            purging.remove("unfinished files", run / left, sorted(run.glob(left)))
        if rows:
            for name in (run_folder.ROWS, run_folder.ROWS_CSV):
                purging.remove_own("table of all files", name)
            purging.remove_own("predictions", run_folder.PREDICTIONS)
            for name in run_folder.LIST_PATHS:
                purging.remove_own("list", name)
            for folder in remedies:
                files = [folder / name for name in run_folder.REMEDY_FILES]
                purging.remove("balanced subset or split", folder, files)
        for stage, folder in there:
            files = [path for path in folder.iterdir() if path.name != LOCK]
            # manifests first: a part without one does not exist
            files.sort(key=lambda path: (path.suffix != ".json", path.name))
            purging.remove(CACHED[stage], folder, files, place="cache")
        purging.remove_faces()
        kept = [name for name in run_folder.FILES if (run / name).exists()]
    return Purge(
        tuple(purging.removed),
        tuple(
            (CACHED[stage], folder.relative_to(cache).as_posix())
            for stage, folder in stages
            if (stage, folder) not in there and stage != "audit"  # not every run gets that far
        ),
        tuple(name for name in kept if run / name not in purging.gone),
        sum(purging.names_left.values()),
    )


def _refuse_links(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_symlink():
            raise StoreError(
                f"{path} is a link, and nothing is removed through a link",
                hint="Give the folder it points to; or delete what it points to yourself, then the link, and purge again.",
            )


@dataclass(slots=True)
class _Purging:
    run: Path
    cache: Path
    dry_run: bool
    page_is_as_marked: bool
    """Whether the page is the one that the finished run was marked with: DONE.json then says its --min-cell."""
    removed: list[Removed] = field(default_factory=list)
    gone: set[Path] = field(default_factory=set)
    """Every path that was removed, or would be."""
    names_left: dict[tuple[int, int], int] = field(default_factory=dict)
    """(device, inode) of what was removed -> names it still has."""

    def remove_own(self, what: str, name: str) -> None:
        self.remove(what, self.run / name, [self.run / name])

    def remove(
        self, what: str, path: Path, files: Iterable[Path], place: Literal["run", "cache"] = "run"
    ) -> None:
        """Remove the files that are there, `path` in the report. A link goes, not what it points to."""
        count = size = 0
        for file in files:
            try:
                facts = file.lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISDIR(facts.st_mode):
                continue
            inode = (facts.st_dev, facts.st_ino)
            count, size = count + 1, size + (0 if inode in self.names_left else facts.st_size)
            self.names_left[inode] = self.names_left.get(inode, facts.st_nlink) - 1
            self.gone.add(file)
            if not self.dry_run:
                remove(file)
        if count:
            below = path.relative_to(self.run if place == "run" else self.cache).as_posix()
            self.removed.append(Removed(what, place, below, count, size))

    def remove_faces(self) -> None:
        """Write the pictures and the page again without faces. One that cannot be written again as it was is removed."""
        path, page = self.run / run_folder.PICTURES, self.run / run_folder.PAGE
        try:
            pictures = read_pictures(path)
        except StoreError:
            self.remove_own("pictures that could not be read", path.name)
            pictures = None
        if pictures is not None and (pictures.faces or pictures.sheets):
            pictures = without_faces(pictures)
            self._rewrite(path, pictures_json(pictures))
        if not page.is_file() or _FACE not in page.read_bytes():
            return
        try:
            if not self.page_is_as_marked:  # nobody knows what --min-cell hid in it
                raise StoreError(f"{page} is of no finished run")
            prints, _ = run_folder.read_done(self.run)
            min_cell = run_folder.min_cell_of_page(prints["pictures"])
            refuse_min_cell(min_cell)
            result = read_result(self.run / run_folder.RESULT)
        except _UNREADABLE:
            self.remove_own("a page that cannot be drawn again", page.name)
            return
        from fer_audit.audit.suppression import withhold
        from fer_audit.report.report import report_page  # jinja2: only where it is needed

        shared = withhold(result, min_cell)
        pictures = shared_pictures(pictures, shared, min_cell)
        timings = read_timings(self.run / run_folder.TIMINGS)
        self._rewrite(page, report_page(shared, pictures, timings))

    def _rewrite(self, path: Path, text: str) -> None:
        size = max(0, path.lstat().st_size - len(text.encode()))
        self.removed.append(Removed("mean faces and contact sheets", "run", path.name, 0, size))
        if not self.dry_run:
            write_text(path, text)


def without_faces(pictures: Pictures) -> Pictures:
    """Return the pictures without mean faces and contact sheets, the reason in `missing`; a run never takes them for its own."""
    gone = {"mean faces": pictures.faces, "contact sheets": pictures.sheets}
    reasons = dict(pictures.missing) | {what: REASON for what, shown in gone.items() if shown}
    return replace(pictures, faces=(), sheets=(), missing=tuple(reasons.items()), fingerprint="")
