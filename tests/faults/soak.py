"""Hours of faults in a row: whole runs killed again and again in little memory, a huge folder, a folder that changes.

    python -m tests.faults.soak --dataset ~/faces --model tiny.onnx --rounds 3 --kills 20

Prints one JSON. Exit 1 when a run did not survive, an image was lost, or two rounds differ.
`--model mean-colour` is a network that costs nothing: then the files, the shards and the audit are what is tested.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pyarrow import parquet

from fer_audit.dataset.listing import IMAGE_SUFFIXES
from tests.drawings import draw_face, utkface_name
from tests.faults.conftest import clean_environment, command
from tests.graphs import mean_colour_graph, save

ARTEFACTS = ("embeddings.npy", "result.json", "rows.parquet", "pictures.json")
PICTURES = 500
"""Different pictures of the huge folder; the rest are copies of them."""
PAUSE = 0.002
"""Seconds between two changes of the changing folder."""


@dataclass
class Stretch:
    """What one stretch of the soak did and found."""

    name: str
    seconds: float = 0.0
    kills: int = 0
    """SIGKILLs that hit a living run."""
    changes: int = 0
    """Files added, deleted and rewritten under a run."""
    runs_survived: int = 0
    """Runs that ended by themselves with exit 0."""
    runs_failed: list[str] = field(default_factory=list)
    """The last words of the others."""
    rows_expected: int = 0
    rows_found: int = 0
    images_lost: int = 0
    """Files without exactly one row; in the changing folder those that nobody touched and that are not ok."""
    failed_rows: dict[str, int] = field(default_factory=dict)
    """Rows by the reason why they are not ok."""
    peak_memory_mb: int = 0
    """Resident, of the largest process."""
    artefacts: dict[str, str] = field(default_factory=dict)
    """sha256 of each."""


class Soak:
    """Runs with one model under one limit of memory, in a folder of their own."""

    def __init__(self, place: Path, model: Path, memory_mb: int, options: list[str]) -> None:
        self.place = place
        self._model = model
        self._limit = memory_mb * 1_000_000
        self._options = options

    def words(self, dataset: Path, name: str) -> list[str]:
        """Return the command line of a whole run."""
        places = {"--out": f"{name}-run", "--cache-dir": f"{name}-cache"}
        words = ["run", str(dataset), "--model", str(self._model), "--max-errors", "1"]
        for option, folder in places.items():
            words += [option, str(self.place / folder)]
        return [*command(*words), *self._options]

    def run(self, stretch: Stretch, words: list[str], kill_after: float | None = None) -> bool:
        """Run to the end, or until it is killed. True = it ended with exit 0."""
        log = self.place / "stderr.txt"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                words,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=clean_environment(),
                preexec_fn=self._limit_memory,
            )
        timer = threading.Timer(kill_after, process.kill) if kill_after is not None else None
        if timer is not None:
            timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if timer is not None:
            timer.cancel()
        stretch.peak_memory_mb = max(stretch.peak_memory_mb, usage.ru_maxrss // 1000)
        if process.returncode == -signal.SIGKILL and timer is not None:
            stretch.kills += 1
            return False
        if process.returncode == 0:
            stretch.runs_survived += 1
            return True
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        stretch.runs_failed.append(f"exit {process.returncode}: {tail}")
        return False

    def _limit_memory(self) -> None:
        if self._limit:
            resource.setrlimit(resource.RLIMIT_AS, (self._limit, self._limit))

    def look(self, stretch: Stretch, name: str, files: list[str], touched: set[str]) -> None:
        """Compare the rows of a finished run with the files that were there."""
        out = self.place / f"{name}-run"
        if not (out / "DONE.json").exists():
            stretch.images_lost = len(files)
            return
        table = parquet.read_table(out / "rows.parquet", columns=["id", "ok", "reason"])
        found = table["id"].to_pylist()
        ok = dict(zip(found, table["ok"].to_pylist(), strict=True))
        stretch.rows_expected, stretch.rows_found = len(files), len(found)
        left_alone = [file for file in files if file not in touched]
        lost = [
            file for file in left_alone if not (ok.get(file, False) if touched else file in ok)
        ]
        stretch.images_lost = len(lost) + len(found) - len(ok)  # or in two rows
        for reason in table["reason"].to_pylist():
            if reason:
                stretch.failed_rows[reason] = stretch.failed_rows.get(reason, 0) + 1
        stretch.artefacts = {
            each: hashlib.sha256((out / each).read_bytes()).hexdigest() for each in ARTEFACTS
        }

    def forget(self, name: str) -> None:
        """Give the disk back."""
        for folder in (f"{name}-run", f"{name}-cache"):
            shutil.rmtree(self.place / folder, ignore_errors=True)


def image_files(dataset: Path) -> list[str]:
    """Return the images of a folder as rows.parquet names them."""
    found = []
    for folder, _, names in os.walk(dataset):
        at = Path(folder)
        found += [
            (at / name).relative_to(dataset).as_posix()
            for name in names
            if Path(name).suffix.lower() in IMAGE_SUFFIXES
        ]
    return found


@contextlib.contextmanager
def timed(stretch: Stretch) -> Iterator[None]:
    """Note how long a stretch took, and tell of it."""
    started = time.monotonic()
    yield
    stretch.seconds = round(time.monotonic() - started, 1)
    sys.stderr.write(
        f"{stretch.name}: {stretch.seconds} s, {stretch.kills} kills, {stretch.changes} changes, "
        f"{stretch.rows_found} rows, {stretch.images_lost} lost, {stretch.peak_memory_mb} MB\n"
    )


def killed_rounds(soak: Soak, dataset: Path, rounds: int, kills: int, seed: int) -> list[Stretch]:
    """Run a set undisturbed once, then again with every run killed at a random moment until the kills are used up."""
    rng = random.Random(seed)
    files = image_files(dataset)
    stretches: list[Stretch] = []
    for number in range(rounds + 1):
        name = f"round-{number}" if number else "undisturbed"
        stretch = Stretch(name)
        with timed(stretch):
            words = soak.words(dataset, name)
            while number and stretch.kills < kills and not stretch.runs_failed:
                # a third of the time of a whole run: some kills come early, and the run gets further each time
                if soak.run(stretch, words, rng.uniform(0.3, stretches[0].seconds / 3)):
                    soak.forget(name)  # it was done before the kills were: begin anew
            soak.run(stretch, words)
            soak.look(stretch, name, files, set())
        soak.forget(name)
        stretches.append(stretch)
        if stretch.runs_failed:
            break
    return stretches


def huge_folder(soak: Soak, count: int) -> Stretch:
    """Run on so many small files in one folder."""
    stretch = Stretch("huge")
    folder = soak.place / "huge"
    folder.mkdir()
    for number in range(min(count, PICTURES)):
        draw_face(number, side=16).save(folder / utkface_name(number), "JPEG")
    pictures = [path.read_bytes() for path in sorted(folder.iterdir())]
    for number in range(PICTURES, count):
        (folder / utkface_name(number)).write_bytes(pictures[number % len(pictures)])
    with timed(stretch):
        soak.run(stretch, soak.words(folder, "huge"))
        soak.look(stretch, "huge", image_files(folder), set())
    soak.forget("huge")
    shutil.rmtree(folder)
    return stretch


class Restless(threading.Thread):
    """Adds, deletes and rewrites files of a folder until it is told to stop; half of the files it leaves alone."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        super().__init__(name="restless")
        self._folder = folder
        self._rng = rng
        listed = sorted(path.name for path in folder.iterdir())
        self.targets = set(listed[::2])
        self.changes = 0
        self._stopped = threading.Event()

    def run(self) -> None:
        """Change one file at a time."""
        targets = sorted(self.targets)
        while not self._stopped.wait(PAUSE):
            path = self._folder / self._rng.choice(targets)
            what = self._rng.randrange(3)
            if what == 0:
                path.unlink(missing_ok=True)
            elif what == 1:
                draw_face(self._rng.randrange(1000), side=32).save(path, "JPEG")
            else:
                new = utkface_name(10_000_000 + self.changes)
                self.targets.add(new)
                draw_face(self._rng.randrange(1000), side=32).save(self._folder / new, "JPEG")
            self.changes += 1

    def stop(self) -> None:
        """Let it end."""
        self._stopped.set()
        self.join()


def changing_folder(soak: Soak, count: int, rounds: int, seed: int) -> Stretch:
    """Run on a folder while somebody works in it, a few times; what nobody touched is whole in each."""
    stretch = Stretch("changing")
    folder = soak.place / "changing"
    lost = 0
    with timed(stretch):
        for number in range(rounds):
            folder.mkdir()
            for image in range(count):
                draw_face(image, side=32).save(folder / utkface_name(image), "JPEG")
            before = image_files(folder)
            restless = Restless(folder, random.Random(seed + number))
            restless.start()
            try:
                soak.run(stretch, soak.words(folder, "changing"))
            finally:
                restless.stop()
            stretch.changes += restless.changes
            soak.look(stretch, "changing", before, restless.targets)
            lost += stretch.images_lost
            soak.forget("changing")
            shutil.rmtree(folder)
    stretch.images_lost = lost
    stretch.artefacts = {}  # of a set that is never the same twice
    return stretch


def options() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", type=Path, required=True, help="folder of images; only read")
    parser.add_argument("--model", default="mean-colour", help=".onnx with its sidecar")
    parser.add_argument(
        "--rounds", type=int, default=3, help="killed runs from nothing to the end"
    )
    parser.add_argument("--kills", type=int, default=20, help="SIGKILLs a round")
    parser.add_argument("--small-files", type=int, default=100_000, help="in the huge folder")
    parser.add_argument("--changing-files", type=int, default=3_000, help="in the changing folder")
    parser.add_argument(
        "--memory-mb", type=int, default=0, help="RLIMIT_AS of every run; 0 = no limit"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="folder for caches and runs; default: a new one")
    parser.add_argument("rest", nargs="*", help="after --: options of fer-audit run")
    return parser


def main() -> int:
    """Soak, print the figures, and return whether all was well."""
    asked = options().parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-", dir=asked.work) as folder:
        place = Path(folder)
        model = Path(asked.model).resolve()
        if asked.model == "mean-colour":
            model = save(mean_colour_graph(), place / "mean-colour.onnx").path
        soak = Soak(place, model, asked.memory_mb, asked.rest)
        stretches = killed_rounds(
            soak, asked.dataset.resolve(), asked.rounds, asked.kills, asked.seed
        )
        if asked.small_files:
            stretches.append(huge_folder(soak, asked.small_files))
        if asked.changing_files:
            stretches.append(changing_folder(soak, asked.changing_files, 3, asked.seed))
    rounds = [each.artefacts for each in stretches if each.name.startswith(("round", "undist"))]
    figures = {
        "faults_injected": sum(each.kills + each.changes for each in stretches),
        "runs_survived": sum(each.runs_survived for each in stretches),
        "runs_failed": sum(len(each.runs_failed) for each in stretches),
        "images_lost": sum(each.images_lost for each in stretches),
        "artefacts_equal": all(each == rounds[0] and each for each in rounds),
        "peak_memory_mb": max(each.peak_memory_mb for each in stretches),
        "address_space_mb": asked.memory_mb,
        "seconds": round(sum(each.seconds for each in stretches), 1),
        "stretches": [asdict(each) for each in stretches],
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    well = figures["artefacts_equal"] and not figures["runs_failed"] and not figures["images_lost"]
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
