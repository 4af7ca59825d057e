"""A run without what shows or identifies its faces: pixels, vectors and pictures go, the numbers stay.

The vectors of a finished run's directory go first. DONE.json still names them, so a run that is being purged is no whole
run from the first file on, and the same `fer-audit run` makes everything again. An unfinished run has no such mark: its
folders of the cache are found by what its own files hold, so these go last. Either way nothing has to be remembered:
a purge that was interrupted is finished by the next one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from fer_audit.errors import StoreError
from fer_audit.pipeline import run_folder
from fer_audit.pipeline.purge_cache import (
    KEPT,
    CachedStage,
    is_told_apart_by,
    matching_stages,
    named_stages,
    read_done_mark,
    refuse_links,
)
from fer_audit.report.files.document import read_result
from fer_audit.report.files.picture_types import Pictures
from fer_audit.report.files.pictures import pictures_json, read_pictures
from fer_audit.report.files.shared_pictures import shared_pictures
from fer_audit.report.files.timings import read_timings
from fer_audit.store.durable import remove
from fer_audit.store.locks import LOCK, folder_lock
from fer_audit.store.stage import TEMPORARY, write_text

REASON = "removed by fer-audit purge"
"""Why a purged report shows no faces; it stands in `Pictures.missing` and on the page."""

_OWN = (
    *(
        run_folder.DONE,
        run_folder.RESULT,
        run_folder.ROWS,
        run_folder.ROWS_CSV,
        run_folder.VECTORS,
    ),
    *(run_folder.TIMINGS, run_folder.PICTURES, run_folder.PAGE),
)
_TABLES = (run_folder.ROWS, run_folder.ROWS_CSV)
_FACE = b"data:image/webp"
"""What every face on a page begins with; maps are PNG."""

Place = Literal["run", "cache"]


@dataclass(frozen=True, slots=True)
class Removed:
    """Files that are gone, or one that was written again without its faces."""

    what: str
    place: Place
    path: str
    """Below the run directory or the cache."""
    files: int
    """0 = a file that stays, without its faces."""
    size_bytes: int
    """Bytes of a file with two names count once."""


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge removed, did not find, and left."""

    finished: bool
    """Whether the run was: only a finished run names all its folders of the cache."""
    removed: tuple[Removed, ...]
    not_found: tuple[tuple[str, str], ...]
    """(what, path) that the run has used and that is not there."""
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

    `rows` removes the table of all files too; `dry_run` removes nothing and says what would go.
    Raises StoreError, before anything is removed, for a folder that is no run, a link, or a place that cannot be written;
    LockedError while another process works in one of the folders.
    """
    _refuse_other_folders(run)
    mark = read_done_mark(run)
    with ExitStack() as locks:
        if not dry_run:
            _hold(locks, run)
        if mark is None:
            stages = matching_stages(cache, run)
        else:
            stages = named_stages(cache, mark.fingerprints)
        refuse_links(cache, stages)
        there = [each for each in stages if each.path.is_dir()]
        if not dry_run:
            for each in there:
                _hold(locks, each.path)
        work = _Work(run, cache, dry_run=dry_run)
        if mark is not None:
            work.remove_own(rows=rows)
        for each in there:
            work.remove_stage(each)
        if mark is None:
            work.remove_own(rows=rows)
        work.remove_faces(None if mark is None else mark.least_on_page)
        return Purge(
            mark is not None,
            tuple(work.removed),
            tuple(
                (KEPT[each.stage], _below(cache, each.path))
                for each in stages
                if each not in there
            ),
            tuple(name for name in _OWN if (run / name).exists() and not work.removes(run / name)),
            work.other_names(),
        )


def _refuse_other_folders(run: Path) -> None:
    """Raise StoreError for anything that is not a run directory of ours."""
    if run.is_symlink():
        raise StoreError(
            f"{run} is a link, and nothing is removed through a link",
            hint="Give the folder it points to.",
        )
    for name in _OWN:
        if (run / name).is_symlink():
            raise StoreError(
                f"{run / name} is a link, and nothing is removed through a link",
                hint="Delete what it points to yourself, then the link, and purge again.",
            )
    own = run / LOCK
    ours = read_done_mark(run) is not None or (own.is_file() and not own.is_symlink())
    if not ours or not any((run / name).is_file() for name in _OWN):
        raise StoreError(
            f"{run} is no run directory; nothing was removed",
            hint="Give a folder that fer-audit run has written. If a run was killed before it wrote anything there, "
            "finish it with the same command, or delete the cache.",
        )


def _hold(locks: ExitStack, folder: Path) -> None:
    """Lock a folder that may be written to until the purge is done."""
    if (folder / LOCK).is_symlink():
        raise StoreError(f"{folder / LOCK} is a link; nothing was removed")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(f"The folder {folder} is not writable; nothing was removed")
    locks.enter_context(folder_lock(folder, wait_seconds=0))


def _below(place: Path, path: Path) -> str:
    return path.relative_to(place).as_posix()


@dataclass(slots=True)
class _Work:
    """One purge: what has gone so far."""

    run: Path
    cache: Path
    dry_run: bool
    removed: list[Removed] = field(default_factory=list)
    _gone: set[Path] = field(default_factory=set)
    _names: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """(device, inode) -> names it had, names removed."""

    def remove_own(self, *, rows: bool) -> None:
        """Remove the vectors of the run directory, what killed writers left there, and on request its tables."""
        self._remove("vectors", "run", run_folder.VECTORS, [self.run / run_folder.VECTORS])
        left = [path for path in _files(self.run) if path.name.startswith(TEMPORARY)]
        self._remove("unfinished files", "run", f"{TEMPORARY}*", left)
        for name in _TABLES if rows else ():
            self._remove("table of all files", "run", name, [self.run / name])

    def remove_stage(self, stage: CachedStage) -> None:
        """Remove every file of a stage folder but its lock.

        Manifests first: a part without one does not exist. Last what tells an unfinished run whose folder it is.
        """
        files = [path for path in _files(stage.path) if path.name != LOCK]
        files.sort(key=lambda path: (path.suffix != ".json", is_told_apart_by(path), path.name))
        self._remove(KEPT[stage.stage], "cache", _below(self.cache, stage.path), files)

    def remove_faces(self, least: int | None) -> None:
        """Write the pictures and the page again without faces; `least`: the --min-cell of the page, None = nobody knows.

        A file that cannot be written again as it was is removed.
        """
        path = self.run / run_folder.PICTURES
        try:
            pictures = read_pictures(path)
        except StoreError:
            self._remove("pictures that could not be read", "run", path.name, [path])
            pictures = None
        if pictures is not None and (pictures.faces or pictures.sheets):
            pictures = without_faces(pictures)
            self._rewrite("mean faces and contact sheets", path, pictures_json(pictures))
        page = self.run / run_folder.PAGE
        if not page.is_file() or _FACE not in page.read_bytes():
            return
        try:
            result = read_result(self.run / run_folder.RESULT)
        except StoreError:
            least = None
        if least is None:
            self._remove("a page that cannot be drawn again", "run", page.name, [page])
            return
        from fer_audit.audit.suppression.run import withhold
        from fer_audit.report.page.report import report_page  # matplotlib: only where it is needed

        shared = withhold(result, least)
        shown = shared_pictures(pictures, shared, least)
        text = report_page(shared, shown, read_timings(self.run / run_folder.TIMINGS))
        self._rewrite("mean faces and contact sheets", page, text)

    def removes(self, path: Path) -> bool:
        """Whether a path is gone, or would be."""
        return path in self._gone

    def other_names(self) -> int:
        """Return how many names the removed files have elsewhere."""
        return sum(had - gone for had, gone in self._names.values())

    def _remove(self, what: str, place: Place, path: str, files: Iterable[Path]) -> None:
        count = size = 0
        for file in files:
            try:
                facts = file.lstat()
            except FileNotFoundError:
                continue
            if not stat.S_ISDIR(facts.st_mode):
                count, size = count + 1, size + self._unlink(file, facts)
        if count:
            self.removed.append(Removed(what, place, path, count, size))

    def _unlink(self, file: Path, facts: os.stat_result) -> int:
        """Remove one name; return the bytes it stood for, 0 for a second name of the same ones. A link goes, not its target."""
        names = self._names.setdefault((facts.st_dev, facts.st_ino), [facts.st_nlink, 0])
        names[1] += 1
        self._gone.add(file)
        if not self.dry_run:
            remove(file)
        return facts.st_size if names[1] == 1 else 0

    def _rewrite(self, what: str, path: Path, text: str) -> None:
        before = path.lstat().st_size
        if not self.dry_run:
            write_text(path, text)
        size = max(0, before - len(text.encode()))
        self.removed.append(Removed(what, "run", path.name, 0, size))


def _files(folder: Path) -> Iterator[Path]:
    """Yield what is no folder in `folder`, in the order of the names."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not path.is_dir():
            yield path


def without_faces(pictures: Pictures) -> Pictures:
    """Return the pictures without mean faces and contact sheets, the reason in `missing`; a run never takes them for its own."""
    reasons = dict(pictures.missing)
    if pictures.faces:
        reasons["mean faces"] = REASON
    if pictures.sheets:
        reasons["contact sheets"] = REASON
    return replace(pictures, faces=(), sheets=(), missing=tuple(reasons.items()), fingerprint="")
