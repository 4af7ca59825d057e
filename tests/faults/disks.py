"""Small disks: runs of the program on tmpfs mounts of a mount namespace of their own, forked from one process.

Started by test_disk.py behind `unshare`, with small shards: see `START`. A disk is filled by a real file.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_svg  # noqa: F401 - as below

import fer_audit.audit.findings
import fer_audit.audit.run
import fer_audit.report.render.html
import fer_audit.report.report  # noqa: F401 - the same
from fer_audit.cli import main as program
from fer_audit.store.locks import LOCK
from fer_audit.store.stage import TEMPORARY
from tests.faults.conftest import QUICK
from tests.faults.kills import Place, undo_shard, watch

START = """
import sys
import fer_audit.pack.types as types
types.SHARD_ROWS = 16
from tests.faults.disks import main
main(*sys.argv[1:])
"""

FILLER = "filler"

HANGS_AFTER = 120
"""Seconds after which a run is taken to hang."""


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    code: int
    """Exit status, or minus the number of the signal that killed it."""
    err: str
    out: str


class Disks:
    """The set and the model of every run, and a folder for its mounts."""

    def __init__(self, folder: Path, faces: Path, model: Path) -> None:
        self.folder = folder
        self._faces = faces
        self._model = model

    def place(self, name: str) -> Place:
        """Return a place whose cache and run directory lie side by side."""
        return Place(self.folder / name, self._faces, self._model)

    def words(self, place: Place, *more: str) -> list[str]:
        """Return the command line of a run."""
        places = ("--model", self._model, "--cache-dir", place.cache, "--out", place.out)
        shared = ("--workers", "1", "--threads", "1")
        return ["run", str(self._faces), *map(str, places), *shared, *QUICK, "--pack", "on", *more]

    def run(self, place: Place, *more: str, before: Callable[[], None] = lambda: None) -> Ended:
        """Run the program in a fork; `before` is called there first."""
        told = [self.folder / f"{name}.txt" for name in ("out", "err")]
        process = os.fork()
        if process == 0:
            for number, path in enumerate(told, start=1):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
            sys.argv = ["fer-audit", *self.words(place, *more)]
            before()
            signal.alarm(HANGS_AFTER)
            try:
                program()
            except SystemExit as exc:  # a fork must not unwind what its parent has mounted
                os._exit(exc.code if isinstance(exc.code, int) else 1)
            except BaseException:  # noqa: BLE001 - likewise; the traceback is what a test looks for
                traceback.print_exc()
                sys.stderr.flush()
            os._exit(70)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        out, err = (path.read_text(encoding="utf-8") for path in told)
        return Ended(code, err, out)


@contextlib.contextmanager
def disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount an empty tmpfs, e.g. with "size=8m", for the length of a block."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path, *, leave: int = 0) -> None:
    """Write until the disk of a folder is full, then give `leave` bytes back."""
    handle = os.open(folder / FILLER, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with contextlib.suppress(OSError):  # that is what it is for
        while True:
            os.write(handle, bytes(1 << 16))
    with contextlib.suppress(OSError):
        while True:
            os.write(handle, bytes(4096))
    os.ftruncate(handle, max(0, os.fstat(handle).st_size - leave))
    os.close(handle)


def fill_at(place: Place, step: str, *, leave: int) -> Callable[[], None]:
    """Return what fills the disk in a run when a file is about to get its name: the next write finds it full."""

    def on_step(name: str, done: bool) -> None:
        if name == step and not done:
            fill(place.folder, leave=leave)

    return lambda: watch(place, on_step)


def temporaries(folder: Path) -> list[str]:
    """Return what writers left behind."""
    return [str(path) for path in folder.rglob(f"{TEMPORARY}*")]


_ALL_FULL_AT = (
    ("pack/pixels-00000.pixels.npy", 0, False),
    ("pack/files-00000.files.npy", 5000, True),
    ("pack/files-00001.json", 0, False),
    ("embed/vectors-00000.json", 0, False),
    ("embed/vectors-00002.vectors.npy", 0, True),
    ("embed/vectors.vectors.npy", 0, True),
    ("run/embeddings.npy", 4096, False),
    ("cluster/clustering.coordinates.npy", 0, True),
    ("run/rows.parquet", 0, False),
    ("run/result.json", 0, True),
    ("run/DONE.json", 8192, False),
    ("run/pictures.json", 40_000, True),
)
FULL_AT = {step: leave for step, leave, always in _ALL_FULL_AT if always or os.environ.get("ALL")}
"""Names at which the disk becomes full, and the bytes that are left: the next file then ends in the middle."""


def filling_up(disks: Disks) -> dict[str, object]:
    """One run directory, continued again and again on a disk that fills up at another moment each time."""
    found: dict[str, object] = {}
    with disk(disks.folder / "filling", "size=40m"):
        place = disks.place("filling")
        for step, leave in FULL_AT.items():
            undo_shard(place, step)
            before = set(place.manifests())
            ended = disks.run(place, before=fill_at(place, step, leave=leave))
            reached = (place.folder / FILLER).exists()
            (place.folder / FILLER).unlink(missing_ok=True)
            place.refuse_half_files()
            lost = sorted(before - set(place.manifests()))
            found[step] = {
                **asdict(ended),
                "reached": reached,
                "lost": [] if place.find("embed/vectors.json") else lost,
                "left": temporaries(place.folder),
            }
        log = disks.folder / "made.txt"
        log.touch()

        def note(name: str, done: bool) -> None:
            if not done:
                with log.open("a") as file:
                    file.write(f"{name}\n")

        ended = disks.run(place, before=lambda: watch(place, note))
        made = log.read_text().split()
        straight = disks.place("straight")
        plain = disks.run(straight)
        found["with room again"] = {
            **asdict(ended),
            "straight": plain.code,
            "cache": [name for name in made if not name.startswith("run/")],
            "equal": [
                name
                for name in ("embeddings.npy", "rows.parquet", "result.json", "pictures.json")
                if (place.out / name).read_bytes() == (straight.out / name).read_bytes()
            ],
            "left": temporaries(place.folder),
        }
    return found


def growing(disks: Disks) -> list[dict[str, object]]:
    """Run on disks of growing size; the last is as large as the refusals asked for."""
    found = []
    sizes = [4, 1024, 6 * 1024]
    while sizes:
        size = sizes.pop(0)
        with disk(disks.folder / "growing", f"size={size}k"):
            place = disks.place("growing")
            ended = disks.run(place)
            found.append({"size": size * 1024, **asdict(ended), "files": files(place.folder)})
        if not sizes and ended.code == 3 and len(found) < 5:
            sizes = [
                round(needed(ended.err) / 1000)
            ]  # what it asked for, 2.4 % more than kilobytes of 1024
    return found


def needed(text: str) -> float:
    """Return the bytes after the word "need"."""
    number, unit = text.split("need ")[1].split()[:2]
    return float(number) * {"MB": 1e6, "GB": 1e9}[unit.rstrip(",")]


def files(folder: Path) -> list[str]:
    """Return what lies in a folder, locks aside."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and path.name != LOCK]


def apart(disks: Disks) -> dict[str, object]:
    """Cache and run directory on disks of their own, of which one is too small, read-only, or has no inodes."""
    found: dict[str, object] = {}
    place = disks.place("apart")
    for name, cache, out in (
        ("small out", "size=40m", "size=1m"),
        ("small cache", "size=100k", "size=40m"),
        ("read-only out", "size=40m", "size=40m,ro"),
        ("read-only cache", "size=40m,ro", "size=40m"),
        ("no inodes", "size=40m,nr_inodes=25", "size=40m"),
        ("room", "size=40m", "size=40m"),
    ):
        with disk(place.cache, cache), disk(place.out, out):
            ended = disks.run(place)
            kept = place.find("embed/vectors.vectors.npy")
            copy = place.out / "embeddings.npy"
            found[name] = {
                **asdict(ended),
                "files": files(place.folder),
                "same": kept is not None
                and copy.exists()
                and copy.read_bytes() == kept.read_bytes(),
                "mode": copy.stat().st_mode & 0o777 if copy.exists() else 0,
            }
    return found


def full_temporary_folder(disks: Disks) -> dict[str, object]:
    """Run with a TMPDIR on which nothing can be written."""
    with disk(disks.folder / "tmp", "size=64k") as folder:
        fill(folder)
        os.environ["TMPDIR"] = str(folder)
        ended = disks.run(disks.place("tmpdir"))
        return {**asdict(ended), "files": files(folder)}


def main(faces: str, model: str, folder: str) -> None:
    """Try every disk; write on the last line how the runs ended."""
    gc.freeze()  # the forks share what they do not touch
    disks = Disks(Path(folder), Path(faces), Path(model))
    facts = {
        "filling": filling_up(disks),
        "growing": growing(disks),
        "apart": apart(disks),
        "tmpdir": full_temporary_folder(disks),
    }
    sys.stdout.write(json.dumps(facts) + "\n")
