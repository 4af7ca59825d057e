"""Runs that are killed where they are told to: one process imports everything, and forks each run.

Started by test_kill.py as a process of its own, with small shards: see `START`.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_svg  # noqa: F401 - as below

import fer_audit.audit.findings
import fer_audit.audit.run
import fer_audit.report.render.html
import fer_audit.report.report  # noqa: F401 - the same
from fer_audit.config import AuditConfig, Resources
from fer_audit.pack.types import SHARD_ROWS
from fer_audit.pipeline import run_audit
from fer_audit.progress import Silent
from fer_audit.store.stage import TEMPORARY, StageFolder
from tests.drawings import draw_face

START = """
import sys
import fer_audit.pack.types as types
types.SHARD_ROWS = 16
from tests.faults.kills import main
main(*sys.argv[1:])
"""

ALL = bool(os.environ.get("ALL"))
RANDOM_KILLS = 20 if ALL else 5


def draw_classes(folder: Path) -> Path:
    """Draw 40 faces in two class folders: three small shards, and few charts, because drawing those takes longest."""
    for number in range(40):
        group = folder / "ab"[number % 2]
        group.mkdir(parents=True, exist_ok=True)
        draw_face(number, side=40).save(group / f"{number:02}.jpg", quality=90)
    return folder


class Place:
    """A cache and a run directory, and what is written there."""

    def __init__(self, folder: Path, faces: Path, model: Path) -> None:
        self.folder = folder
        self.out = folder / "run"
        self.cache = folder / "cache"
        self._faces = faces
        self._model = model

    def walk(self, progress: Silent) -> None:
        """Run the whole audit."""
        config = AuditConfig.of(
            model=str(self._model),
            k=2,
            starts=1,
            sweep_max=2,
            permutations=20,
            bootstraps=10,
            replay=0,
        )
        resources = Resources(cache_dir=self.cache, threads=1, workers=1)
        run_audit(self._faces, self.out, config=config, resources=resources, progress=progress)

    def key(self, path: str) -> str:
        """Return a file's name without the fingerprint, e.g. "embed/vectors-00001.json" or "run/DONE.json"."""
        parts = Path(path).relative_to(self.folder).parts
        return f"{parts[1] if parts[0] == 'cache' else parts[0]}/{parts[-1]}"

    def find(self, key: str) -> Path | None:
        """Return the file of a key, if it is there."""
        stage, name = key.split("/")
        folders = [self.out] if stage == "run" else self.cache.glob(f"{stage}/*")
        return next((path for folder in folders if (path := folder / name).exists()), None)

    def manifests(self) -> dict[str, Path]:
        """Return the finished parts of the cache."""
        folders = (path for path in self.cache.glob("*") if path.name != "libraries")
        return {
            self.key(str(path)): path for folder in folders for path in folder.glob("*/*.json")
        }

    def refuse_half_files(self) -> None:
        """I3: what has its final name is whole. Checked on a place whose run was just killed."""
        for key, path in self.manifests().items():
            fingerprint = json.loads(path.read_text())["fingerprint"]
            found = StageFolder(path.parent, fingerprint).read_part(path.stem)
            assert not isinstance(found, str), f"{key}: {found}"
        for path in [*self.out.glob("*.json"), self.out / "report.html"]:
            if path.exists():
                text = path.read_text(encoding="utf-8")
                assert text.endswith(("}\n", "]\n", "</html>\n")), f"{path} is half a file"
        if (self.out / "DONE.json").exists():
            assert (self.out / "result.json").exists()


class Counting(Silent):
    """A progress that leaves on the disk how many vectors were made: SIGKILL takes everything else."""

    def __init__(self, log: Path) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)

    def advance(self, stage: str, amount: int = 1) -> None:
        """Write the number down."""
        if stage == "embed":
            os.write(self._log, b"%d\n" % amount)


def fork(work: Callable[[], None]) -> int:
    """Return the id of a child that works and exits with 0, or with 1 and its error on stdout."""
    process = os.fork()
    if process == 0:
        try:
            work()
            os._exit(0)
        except BaseException as exc:  # noqa: BLE001 - a child must not go on as its parent
            os.write(1, f"{type(exc).__name__}: {exc}\n".encode())
            os._exit(1)
    return process


def ended(process: int) -> int:
    """Return the exit status of a child, minus the signal's number when one killed it."""
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in (0, -signal.SIGKILL), f"a run ended with {code}"
    return code


def watch(place: Place, on_step: Callable[[str, bool], None]) -> None:
    """Call `on_step(name, done)` when a file is about to get or to lose its final name, and when it has.

    The names of temporary files do not count.
    """
    doing: dict[int, str] = {}

    def hook(event: str, args: tuple[Any, ...]) -> None:
        me = threading.get_ident()
        if me in doing:  # the next thing that this thread does
            on_step(doing.pop(me), True)
        if event in ("os.rename", "os.remove"):
            path = str(os.fspath(args[1 if event == "os.rename" else 0]))
            if not path.startswith(str(place.folder)) or TEMPORARY in path:
                return
            if event == "os.remove" and not os.path.lexists(path):
                return
            doing[me] = ("-" if event == "os.remove" else "") + place.key(path)
            on_step(doing[me], False)

    sys.addaudithook(hook)


def steps_of(place: Place) -> list[str]:
    """Return what one undisturbed run names and removes, in order."""
    log = place.folder / "steps.txt"

    def work() -> None:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        watch(place, lambda name, done: None if done else _note(file, name))
        place.walk(Silent())

    assert ended(fork(work)) == 0
    return log.read_text().split()


def _note(file: int, name: str) -> None:
    os.write(file, f"{name}\n".encode())


def is_killed_at(place: Place, step: str, *, after: bool) -> bool:
    """Continue a run until a step, kill it there, and look at what it left. False = the step never came."""
    undo_shard(place, step)
    before = place.manifests()
    log = place.folder / "vectors.txt"

    def die(name: str, done: bool) -> None:
        if name == step and done == after:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        watch(place, die)
        place.walk(Counting(log))

    code = ended(fork(work))
    place.refuse_half_files()
    refuse_lost_shards(place, before, made=sum(map(int, log.read_text().split())))
    return code != 0


def undo_shard(place: Place, step: str) -> None:
    """Take a shard back that an earlier run finished before it was killed: decoding runs ahead of embedding."""
    stage = step.split("/")[0]
    manifest = place.find(f"{step.split('.')[0]}.json")
    if stage in ("pack", "embed") and manifest is not None:
        manifest.unlink()


def refuse_lost_shards(place: Place, before: dict[str, Path], *, made: int) -> None:
    """At most one shard's vectors were made and not kept; what was finished before is finished still."""
    now = place.manifests()
    if "embed/vectors.json" in now:
        return  # joined: shards may be gone
    assert before.keys() <= now.keys()
    kept = sum(
        SHARD_ROWS for key in now.keys() - before.keys() if key.startswith("embed/vectors-")
    )
    assert made - kept <= SHARD_ROWS, f"{made} vectors made, {kept} kept"


def chosen(steps: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield (step, after) of the kills: before every step, and after each that finishes a part or the run.

    After an array is the same disk as before the next one. Left out is what takes longest and shows nothing new: the
    arrays of all but the middle shard of the pack stage, where a decoder starts, and all but two arrays of the
    clustering, which is made again each time. Without ALL the middle shard stands for its neighbours in every stage.
    """
    for step in steps:
        stage, name = step.removeprefix("-").split("/")
        is_array = name.endswith(".npy")
        if stage == "pack" and is_array and "-00001." not in name:
            continue
        if stage == "cluster" and is_array and not name.endswith((".labels.npy", ".half_a.npy")):
            continue
        if not ALL and ("-00000." in name or "-00002." in name):
            continue
        yield step, False
        if name == "DONE.json" or (name.endswith(".json") and stage != "run"):
            yield step, True


def kill_at_random(place: Place, rng: random.Random) -> int:
    """Kill runs at random moments, start from nothing when one ends; return how many were killed."""
    killed = 0
    longest = 1.0
    while killed < RANDOM_KILLS:
        started = time.monotonic()
        process = fork(lambda: place.walk(Silent()))
        time.sleep(rng.uniform(0.02, longest))
        os.kill(process, signal.SIGKILL)
        if ended(process) == 0:
            longest = time.monotonic() - started
            shutil.rmtree(place.folder)
            place.folder.mkdir()
            continue
        killed += 1
        place.refuse_half_files()
    return killed


def workers_left(folder: Path) -> list[int]:
    """Return the processes that still map a file under a folder: decoders whose run is gone."""
    found = []
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            if str(folder) in maps.read_text():
                found.append(int(maps.parent.name))
        except OSError:  # it ended, or is not ours to look at
            continue
    return [process for process in found if process != os.getpid()]


def all_workers_end(folder: Path, seconds: float = 5) -> bool:
    """Wait for the decoders of killed runs to notice."""
    until = time.monotonic() + seconds
    while workers_left(folder):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def main(faces: str, model: str, folder: str) -> None:
    """Kill runs at every step and at random; write on the last line what happened."""
    gc.freeze()  # the forks share what they do not touch
    places = {}
    for name in ("straight", "steps", "random"):
        places[name] = Place(Path(folder) / name, Path(faces), Path(model))
        places[name].folder.mkdir()
    steps = steps_of(places["straight"])
    kills = list(chosen(steps))
    missed = [
        f"{'after' if after else 'before'} {step}"
        for step, after in kills
        if not is_killed_at(places["steps"], step, after=after)
    ]
    killed = kill_at_random(places["random"], random.Random(1))
    for name in ("steps", "random"):
        assert ended(fork(lambda name=name: places[name].walk(Silent()))) == 0  # type: ignore[misc]  # a default argument
    facts = {
        "steps": len(steps),
        "kills": len(kills),
        "missed": missed,
        "random": killed,
        "workers_end": all_workers_end(Path(folder)),
        "left": [str(path) for path in Path(folder).rglob(f"{TEMPORARY}*")],
    }
    sys.stdout.write(json.dumps(facts) + "\n")
