"""Processes make the rows that this one would make, and whatever happens to one costs a file its row at most."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.dataset.sources.files import Files
from fer_audit.dataset.sources.source import ImageSource
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, StoreError
from fer_audit.pack import workers
from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.pack.rows import decode_images, empty_rows
from fer_audit.pack.types import SHARD_ROWS, PackRows
from fer_audit.pack.worker import CHUNK_ROWS
from fer_audit.pack.workers import DecoderBug, Decoders, Stopped, worth_starting
from fer_audit.store.stage import TEMPORARY, StageFolder
from tests.pack.files import checker, dataset_of, encoded, plain_png
from tests.processes import children, is_decoder, resident_bytes, session, wait_until

SIZE = 16
N_FILES = SHARD_ROWS + 20
"""Two shards, the second neither a whole shard nor whole chunks."""

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

AMPLE = 60.0
"""Seconds for a file that takes none."""


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


@pytest.fixture(scope="module")
def with_a_slow_one(tmp_path_factory: pytest.TempPathFactory) -> FaceDataset:
    """Give twenty small pictures, and among them one that takes half a second: 30 megapixels of half-transparent red."""
    root = tmp_path_factory.mktemp("slow")
    names = [f"{i:02d}.png" for i in range(20)]
    for name in names:
        (root / name).write_bytes(encoded(checker(20), "PNG"))
    (root / names[SLOW]).write_bytes(plain_png(5_500, 5_500, b"\xff\0\0\x80", colour=6))
    return dataset_of(root, *names)


SLOW = 11


def listed(dataset: FaceDataset) -> ImageSource:
    return dataset.source


def zeros(n: int) -> NDArray[np.uint8]:
    return np.zeros((n, SIZE, SIZE, 3), np.uint8)


def filled(
    dataset: FaceDataset,
    folder: Path,
    *,
    crew: int = 2,
    padded: bool = False,
    limit: float = AMPLE,
) -> tuple[NDArray[np.uint8], PackRows]:
    pixels = zeros(len(dataset))
    with Decoders(crew, folder, SIZE, padded=padded, limit=limit) as decoders:
        rows = decoders.fill(listed(dataset), pixels)
    return pixels, rows


def left_behind(folder: Path) -> list[Path]:
    return list(folder.rglob(f"{TEMPORARY}*"))


@pytest.mark.parametrize(("crew", "padded"), [(1, False), (3, False), (2, True)])
def test_processes_make_the_rows_that_one_function_makes(
    pictures: FaceDataset, tmp_path: Path, crew: int, padded: bool
) -> None:
    here, rows_here = zeros(N_FILES), empty_rows(N_FILES)
    decode_images(listed(pictures), here, rows_here, padded=padded)

    pixels, rows = filled(pictures, tmp_path, crew=crew, padded=padded)

    assert np.array_equal(pixels, here)
    for name in PackRows.__slots__:
        assert np.array_equal(getattr(rows, name), getattr(rows_here, name)), name
    assert 0 < rows.ok.sum() < N_FILES
    assert not left_behind(tmp_path)


def test_a_file_over_its_time_fails_and_no_other(
    with_a_slow_one: FaceDataset, tmp_path: Path
) -> None:
    pixels, rows = filled(with_a_slow_one, tmp_path, limit=0.2)

    assert rows.reasons[SLOW] == "timeout"
    assert not pixels[SLOW].any()
    assert np.flatnonzero(~rows.ok).tolist() == [SLOW]
    assert all(pixels[i].any() for i in range(20) if i != SLOW)


def test_time_enough_is_all_that_a_slow_file_needs(
    with_a_slow_one: FaceDataset, tmp_path: Path
) -> None:
    _, rows = filled(with_a_slow_one, tmp_path)

    assert rows.ok.all()


@LINUX
@pytest.mark.parametrize(("kills", "reason"), [(1, ""), (2, "worker_crashed")])
def test_a_file_whose_process_dies_is_tried_once_more(
    with_a_slow_one: FaceDataset, tmp_path: Path, kills: int, reason: str
) -> None:
    """What ran out of memory once may have had a greedy neighbour."""
    before = children(os.getpid())
    killed: list[int] = []

    def kill() -> None:
        while len(killed) < kills:
            for pid in children(os.getpid()) - before - set(killed):
                if (
                    is_decoder(pid) and resident_bytes(pid) > 150_000_000
                ):  # it holds the large picture
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    _, rows = filled(with_a_slow_one, tmp_path)

    killer.join(10)
    assert len(killed) == kills
    assert rows.reasons[SLOW] == reason
    assert (~rows.ok).sum() == (1 if reason else 0)


@LINUX
def test_a_process_that_stands_still_is_replaced_and_no_file_lost(
    pictures: FaceDataset, tmp_path: Path
) -> None:
    before = children(os.getpid())
    first = listed(pictures).take(np.arange(CHUNK_ROWS))
    with Decoders(1, tmp_path, SIZE, limit=0.5) as decoders:
        decoders.fill(first, zeros(CHUNK_ROWS))
        (pid,) = children(os.getpid()) - before
        os.kill(pid, signal.SIGSTOP)

        rows = decoders.fill(first, zeros(CHUNK_ROWS))

        assert children(os.getpid()) - before != {pid}
    assert "timeout" not in rows.reasons.tolist()
    assert rows.ok.any()


@LINUX
def test_a_walk_that_is_broken_off_leaves_no_file_and_no_process(
    pictures: FaceDataset, tmp_path: Path
) -> None:
    before = children(os.getpid())
    folder = StageFolder.open(tmp_path, "pack", pack_fingerprint(pictures, SIZE))
    walk = ShardMaker(pictures, folder, size=SIZE, keep=False, workers=2).iterate([0, 1])
    next(walk)
    assert len(children(os.getpid()) - before) == 2

    walk.close()

    assert not left_behind(tmp_path)
    assert children(os.getpid()) <= before


def test_closing_does_not_wait_for_a_slow_file(
    with_a_slow_one: FaceDataset, tmp_path: Path
) -> None:
    seen: list[BaseException] = []

    def fill() -> None:
        try:
            decoders.fill(listed(with_a_slow_one).take(np.array([SLOW])), zeros(1))
        except BaseException as exc:  # noqa: BLE001 - it is what is asked for
            seen.append(exc)

    with Decoders(1, tmp_path, SIZE, limit=AMPLE) as decoders:
        decoders.fill(
            listed(with_a_slow_one).take(np.array([0])), zeros(1)
        )  # the process stands ready
        waiting = threading.Thread(target=fill)
        waiting.start()
        time.sleep(0.1)
        began = time.monotonic()
    waiting.join()

    assert time.monotonic() - began < 0.5
    assert [type(exc) for exc in seen] == [Stopped]


def test_a_process_that_cannot_start_is_an_error_with_its_own_words(
    pictures: FaceDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(workers, "_START", "import fer_audit_that_is_not_there")

    with pytest.raises(ConfigError, match="could not start") as caught:
        filled(pictures, tmp_path)

    assert "stderr" in caught.value.hint
    assert "fer_audit_that_is_not_there" in capfd.readouterr().err
    assert not left_behind(tmp_path)


def test_a_bug_in_a_process_is_raised_here_with_its_traceback(tmp_path: Path) -> None:
    """A size that is no number stands for what only a mistake of ours can bring about."""
    files = Files(str(tmp_path), ("a.jpg",), np.array([None]), np.array([0]))

    with (
        Decoders(1, tmp_path, SIZE, limit=AMPLE) as decoders,
        pytest.raises(DecoderBug, match="Traceback") as caught,
    ):
        decoders.fill(files, zeros(1))

    assert "TypeError" in str(caught.value)
    assert not left_behind(tmp_path)


@LINUX
def test_memory_is_one_chunk_a_process_however_many_files_there_are(tmp_path: Path) -> None:
    with Decoders(3, tmp_path, SIZE, limit=AMPLE):
        handles = [
            path for path in Path("/proc/self/fd").iterdir() if "decode-" in str(target(path))
        ]
        (shared,) = {handle.stat().st_ino: handle.stat() for handle in handles}.values()

        assert 0 < shared.st_size - 3 * CHUNK_ROWS * SIZE * SIZE * 3 < 3 * CHUNK_ROWS * 1000
        assert shared.st_mode & 0o777 == 0o600
        assert not left_behind(tmp_path), "it has no name that could stay"


def target(link: Path) -> Path | None:
    try:
        return link.readlink()
    except OSError:  # the descriptor of the listing itself
        return None


def test_a_folder_that_cannot_hold_the_shared_pixels_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot write"):
        Decoders(1, tmp_path / "nowhere", SIZE, limit=AMPLE)


@pytest.mark.parametrize(
    ("crew", "n_images", "wanted"), [(8, 24, 1), (8, 256, 2), (2, 10**6, 2), (1, 10**6, 1)]
)
def test_few_images_start_few_processes(crew: int, n_images: int, wanted: int) -> None:
    assert worth_starting(crew, n_images) == wanted


SCRIPT_WITHOUT_A_GUARD = """
import signal, sys, time
from pathlib import Path

import numpy as np

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it

from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.store.stage import StageFolder
from tests.pack.files import dataset_of

print("started", flush=True)
root, cache = Path(sys.argv[1]), Path(sys.argv[2])
dataset = dataset_of(root, *sorted(path.name for path in root.iterdir()))
folder = StageFolder.open(cache, "pack", pack_fingerprint(dataset, 16))
maker = ShardMaker(dataset, folder, size=16, keep=False, workers=2)
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


@LINUX
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_a_run_that_was_stopped(
    pictures: FaceDataset, tmp_path: Path, how: signal.Signals
) -> None:
    """Ctrl-C reaches the whole group, as from a terminal; a kill reaches the parent alone."""
    running = script(tmp_path, pictures, "and wait")
    assert running.stdout is not None
    assert [running.stdout.readline().split()[0] for _ in range(2)] == ["started", "shard"]
    assert len(session(running.pid)) >= 3

    if how == signal.SIGINT:
        os.killpg(running.pid, how)
    else:
        running.kill()
    _, err = running.communicate(timeout=60)

    wait_until(lambda: not session(running.pid))
    assert err.count("Traceback") == (1 if how == signal.SIGINT else 0), err
    if how == signal.SIGINT:
        assert not left_behind(tmp_path)
    else:
        swept(pictures, tmp_path / "cache")


def swept(pictures: FaceDataset, cache: Path) -> None:
    """See what a killed run left, and that the next one removes it."""
    folder = StageFolder.open(cache, "pack", pack_fingerprint(pictures, SIZE))
    assert not list(cache.rglob(f"{TEMPORARY}decode-*"))  # it may have been writing a part
    with folder.locked():
        assert not left_behind(cache)
