"""Threads and processes make the same rows, and whatever happens to a run, nothing of it stays behind."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, StoreError
from fer_audit.pack.build import ShardMaker, concatenate_rows, decode_files, pack_fingerprint
from fer_audit.pack.read import ListedFiles
from fer_audit.pack.types import SHARD_ROWS, PackRows, PackShard
from fer_audit.pack.workers import (
    CHUNK_ROWS,
    WORTH_PROCESSES,
    ProcessDecoders,
    ThreadDecoders,
    want_processes,
)
from fer_audit.store import TEMPORARY, StageFolder
from tests.pack.files import checker, dataset_of, encoded

SIZE = 16
N_FILES = SHARD_ROWS + 20
"""Two shards, the second neither a whole shard nor whole chunks."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> FaceDataset:
    """Give pictures of many shapes; every seventh is broken."""
    root = tmp_path_factory.mktemp("pictures")
    names = [f"{i:03d}.jpg" for i in range(N_FILES)]
    for i, name in enumerate(names):
        picture = checker(48).crop((0, 0, 8 + i % 30, 8 + i % 11))
        data = encoded(picture, "PNG" if i % 5 == 0 else "JPEG")
        (root / name).write_bytes(data[:-30] if i % 7 == 0 else data)
    return dataset_of(root, *names)


def maker_of(dataset: FaceDataset, cache: Path, *, processes: bool) -> ShardMaker:
    folder = StageFolder.open(cache, "pack", pack_fingerprint(dataset, SIZE))
    return ShardMaker(dataset, folder, size=SIZE, keep=False, workers=2, processes=processes)


def listed(dataset: FaceDataset) -> ListedFiles:
    return ListedFiles(dataset.root, dataset.ids, dataset.sizes, dataset.mtimes)


def left_behind(folder: Path) -> list[Path]:
    return list(folder.rglob(f"{TEMPORARY}*"))


def same(one: list[PackShard], two: list[PackShard]) -> bool:
    rows = [concatenate_rows([shard.rows for shard in shards]) for shards in (one, two)]
    columns = [
        np.array_equal(getattr(rows[0], name), getattr(rows[1], name))
        for name in PackRows.__slots__
    ]
    pixels = [
        np.array_equal(a.pixels, b.pixels) and (a.start, a.stop) == (b.start, b.stop)
        for a, b in zip(one, two, strict=True)
    ]
    return all(columns) and all(pixels)


def test_processes_make_the_rows_that_threads_make(pictures: FaceDataset, tmp_path: Path) -> None:
    threads = list(maker_of(pictures, tmp_path / "1", processes=False).iterate([0, 1]))
    processes = list(maker_of(pictures, tmp_path / "2", processes=True).iterate([0, 1]))

    assert same(threads, processes)
    assert not all(shard.rows.ok.all() for shard in threads)
    assert not left_behind(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_walk_that_is_broken_off_leaves_no_file_and_no_process(
    pictures: FaceDataset, tmp_path: Path
) -> None:
    before = children()
    walk = maker_of(pictures, tmp_path, processes=True).iterate([0, 1])
    next(walk)
    assert len(children() - before) >= 2

    walk.close()

    assert not left_behind(tmp_path)
    assert len(children() - before) <= 1  # multiprocessing's own tracker may stay


def children() -> set[int]:
    """Return the process ids of this process's children."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    return {
        int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()
    }


def kill_itself(files: ListedFiles, _: NDArray[np.uint8]) -> PackRows:
    """Stand for a process that ran out of memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return decode_files(files, np.zeros((len(files), SIZE, SIZE, 3), np.uint8))


def raise_an_error(*_: object) -> PackRows:
    """Stand for a bug of ours."""
    raise ZeroDivisionError("a bug")


def test_a_process_that_dies_ends_the_run_with_a_reason(
    pictures: FaceDataset, tmp_path: Path
) -> None:
    files = listed(pictures)
    pixels = np.zeros((len(files), SIZE, SIZE, 3), np.uint8)

    with (
        pytest.raises(ConfigError, match="ended before its work was done") as caught,
        ProcessDecoders(kill_itself, 2, tmp_path, SIZE) as decoders,
    ):
        decoders.fill(files, pixels)

    assert "--workers" in caught.value.hint
    assert "could not start" in caught.value.hint
    assert not left_behind(tmp_path)


class MissingWhereItArrives:
    """Stands for a module that a fresh process cannot import."""

    def __call__(self, *_: object) -> PackRows:
        raise NotImplementedError

    def __reduce__(self) -> tuple[object, ...]:
        return importlib.import_module, ("fer_audit.no_such_module",)


def test_a_process_that_cannot_start_is_not_said_to_have_run_out_of_memory(
    pictures: FaceDataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = listed(pictures)
    pixels = np.zeros((len(files), SIZE, SIZE, 3), np.uint8)

    with (
        pytest.raises(ConfigError, match="ended before its work was done") as caught,
        ProcessDecoders(MissingWhereItArrives(), 1, tmp_path, SIZE) as decoders,
    ):
        decoders.fill(files, pixels)

    assert "could not start: then its own words on stderr say why" in caught.value.hint
    assert "fer_audit.no_such_module" in capfd.readouterr().err
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_bug_in_a_worker_is_raised_and_the_others_are_not_waited_for_for_ever(
    pictures: FaceDataset, tmp_path: Path, kind: str
) -> None:
    files = listed(pictures)
    pixels = np.zeros((len(files), SIZE, SIZE, 3), np.uint8)
    decoders: ThreadDecoders | ProcessDecoders = (
        ThreadDecoders(raise_an_error, 2)
        if kind == "threads"
        else ProcessDecoders(raise_an_error, 2, tmp_path, SIZE)
    )

    with decoders, pytest.raises(ZeroDivisionError):
        decoders.fill(files, pixels)

    assert not left_behind(tmp_path)


def test_memory_is_two_chunks_a_process_however_many_files_there_are(tmp_path: Path) -> None:
    with ProcessDecoders(decode_files, 3, tmp_path, SIZE):
        (shared,) = left_behind(tmp_path)

        assert shared.stat().st_size == 2 * 3 * CHUNK_ROWS * SIZE * SIZE * 3
        assert shared.stat().st_mode & 0o777 == 0o600


def test_two_containers_with_one_process_id_do_not_share_their_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 7)

    one = ProcessDecoders(decode_files, 1, tmp_path, SIZE)
    other = ProcessDecoders(decode_files, 1, tmp_path, SIZE)

    with one:
        with other:
            assert len(left_behind(tmp_path)) == 2
        assert len(left_behind(tmp_path)) == 1
    assert not left_behind(tmp_path)


def test_a_folder_that_cannot_hold_the_shared_pixels_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot write"):
        ProcessDecoders(decode_files, 1, tmp_path / "nowhere", SIZE)


SCRIPT_WITHOUT_A_GUARD = """
import sys, time
from pathlib import Path

import numpy as np

from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.store import StageFolder
from tests.pack.files import dataset_of

print("started", flush=True)
root, cache = Path(sys.argv[1]), Path(sys.argv[2])
dataset = dataset_of(root, *sorted(path.name for path in root.iterdir()))
folder = StageFolder.open(cache, "pack", pack_fingerprint(dataset, 16))
maker = ShardMaker(dataset, folder, size=16, keep=False, workers=2, processes=True)
for shard in maker.iterate([0, 1]):
    print("shard", int(shard.rows.ok.sum()), flush=True)
    if len(sys.argv) > 3:
        time.sleep(600)
"""


def script(tmp_path: Path, pictures: FaceDataset, *more: str) -> subprocess.Popen[str]:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT_WITHOUT_A_GUARD)
    (tmp_path / "cache").mkdir()
    return subprocess.Popen(
        [sys.executable, str(path), str(pictures.root), str(tmp_path / "cache"), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )


def test_a_script_without_a_guard_is_not_run_again_in_every_process(
    pictures: FaceDataset, tmp_path: Path
) -> None:
    running = script(tmp_path, pictures)
    out, err = running.communicate(timeout=120)

    assert err == ""
    assert running.returncode == 0
    assert out.count("started") == 1
    assert out.count("shard") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_a_run_that_was_stopped(
    pictures: FaceDataset, tmp_path: Path, how: signal.Signals
) -> None:
    """Ctrl-C reaches the whole group, as from a terminal; a kill reaches the parent alone."""
    running = script(tmp_path, pictures, "and wait")
    assert running.stdout is not None
    assert [running.stdout.readline().split()[0] for _ in range(2)] == ["started", "shard"]
    assert len(group(running.pid)) >= 3

    if how == signal.SIGINT:
        os.killpg(running.pid, how)
    else:
        running.kill()
    _, err = running.communicate(timeout=60)

    wait_until(lambda: not group(running.pid))
    assert err.count("Traceback") == (1 if how == signal.SIGINT else 0), err
    if how == signal.SIGINT:
        assert not left_behind(tmp_path)
    else:
        swept(pictures, tmp_path / "cache")


def swept(pictures: FaceDataset, cache: Path) -> None:
    """See what a killed run left, and that the next one removes it."""
    folder = StageFolder.open(cache, "pack", pack_fingerprint(pictures, SIZE))
    # it may have been writing a part as well
    assert len(list(cache.rglob(f"{TEMPORARY}decode-*"))) == 1
    with folder.locked():
        assert not left_behind(cache)


def group(leader: int) -> list[int]:
    """Return the living processes of a group."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue  # no process, or gone by now
        if int(fields[2]) == leader and fields[0] != "Z":
            found.append(int(path.name))
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen in 30 seconds")


@pytest.mark.parametrize(
    ("on_gpu", "workers", "n_images", "wanted"),
    [
        (True, 2, WORTH_PROCESSES, True),
        (True, 1, 10**6, False),
        (True, 16, WORTH_PROCESSES - 1, False),
        (False, 16, 10**6, False),
    ],
)
def test_processes_are_for_a_gpu_and_enough_images(
    *, on_gpu: bool, workers: int, n_images: int, wanted: bool
) -> None:
    assert want_processes(on_gpu=on_gpu, workers=workers, n_images=n_images) is wanted
