"""Files that are whole or not there, parts that are believed only with their checksums, and locks."""

from __future__ import annotations

import ast
import hashlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from numpy.typing import NDArray

import fer_audit
from fer_audit.errors import LockedError, StoreError
from fer_audit.store.fingerprint import canonical_json, stage_fingerprint
from fer_audit.store.locks import LOCK, folder_lock, remove
from fer_audit.store.stage import (
    TEMPORARY,
    ArrayBlocks,
    StageFolder,
    array_writer,
    cache_folder,
    file_sha256,
    make_folder,
    sweep_temporaries,
    write_atomically,
    write_text,
)

PRINT = "0123456789abcdef" * 4
MANIFEST = {"fingerprint": PRINT, "facts": {}, "facts_sha256": hashlib.sha256(b"{}").hexdigest()}


@pytest.fixture
def folder(cache_dir: Path) -> StageFolder:
    """Give an empty stage folder."""
    return StageFolder.open(cache_dir, "pack", PRINT)


@pytest.fixture
def part(folder: StageFolder) -> StageFolder:
    """Give a stage folder with one part of two arrays."""
    folder.write_part("p", {"n": 3}, a=np.arange(3), b=np.array(["x", "yy"]))
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def flip_byte(path: Path, position: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


def test_a_written_file_is_whole_private_and_its_hash_is_told(tmp_path: Path) -> None:
    digest = write_text(tmp_path / "a.txt", "grüß")

    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "grüß"
    assert digest == file_sha256(tmp_path / "a.txt")
    assert mode(tmp_path / "a.txt") == 0o600
    assert visible(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    write_text(tmp_path / "a.txt", "old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half of the n")
        raise error

    with pytest.raises((StoreError, KeyboardInterrupt)):
        write_atomically(tmp_path / "a.txt", fail)

    assert (tmp_path / "a.txt").read_text() == "old"
    assert visible(tmp_path) == ["a.txt"]


def test_a_device_that_is_full_is_a_store_error_that_says_so(tmp_path: Path) -> None:
    def fill(file: BinaryIO) -> None:
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        file.write(b"x" * 100_000)

    with pytest.raises(StoreError, match="No space left") as caught:
        write_atomically(tmp_path / "a.bin", fill)

    assert "finished work is kept" in caught.value.hint
    assert visible(tmp_path) == []


FILE_LIMIT = """
import resource, sys
from pathlib import Path
import numpy as np
from fer_audit.errors import StoreError
from fer_audit.store.stage import StageFolder

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
folder = StageFolder.open(Path(sys.argv[1]), "pack", "f" * 64)
folder.write_part("small", {}, a=np.arange(10))
try:
    folder.write_part("large", {}, a=np.arange(10), b=np.zeros(10_000))
except StoreError as exc:
    print(exc)
"""


def test_a_disk_that_fills_up_leaves_the_earlier_parts_and_no_half_one(cache_dir: Path) -> None:
    """The limit on a file's size is the one full disk that needs no root."""
    command = [sys.executable, "-c", FILE_LIMIT, str(cache_dir)]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.startswith("Cannot write ")
    assert done.stderr == ""
    folder = StageFolder.open(cache_dir, "pack", "f" * 64)
    small = folder.read_part("small")
    assert not isinstance(small, str)
    assert folder.read_part("large") == ""
    assert not list(folder.path.glob(f"{TEMPORARY}*"))


def test_nothing_is_written_through_a_map_but_the_decoders_file() -> None:
    """On a full disk such a write is a SIGBUS. That one file has its bytes allocated before it is mapped."""
    package = Path(fer_audit.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            where, name = f"{path.name}:{node.lineno}", ast.unparse(node.func)
            assert not name.endswith(("memmap", "mmap.mmap")) or path.name == "worker.py", where
            for option in node.keywords:
                if option.arg == "mmap_mode":
                    assert ast.unparse(option.value) == "'r'", where


def test_folders_are_private_and_made_with_their_parents(tmp_path: Path) -> None:
    cache = cache_folder(tmp_path / "a" / "b")
    folder = StageFolder.open(cache, "embed", PRINT)
    folder.write_part("p", {}, a=np.arange(3))

    assert mode(cache.parent) == 0o700
    assert mode(cache) == 0o700
    assert mode(folder.path.parent) == 0o700
    assert mode(folder.path) == 0o700
    assert {mode(path) for path in folder.path.iterdir()} == {0o600}


def test_a_file_in_the_way_of_a_folder_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("I was here first")

    for path in (tmp_path / "taken", tmp_path / "taken" / "deeper"):
        with pytest.raises(StoreError, match="Cannot make the folder"):
            make_folder(path)


def test_a_place_nobody_can_write_to_is_a_store_error() -> None:
    with pytest.raises(StoreError):
        make_folder(Path("/proc/self/fer-audit"))


def test_a_part_comes_back_as_it_was_written_and_cannot_be_written_to(part: StageFolder) -> None:
    found = part.read_part("p")

    assert not isinstance(found, str)
    facts, arrays = found
    assert facts == {"n": 3}
    assert arrays["a"].tolist() == [0, 1, 2]
    assert arrays["b"].tolist() == ["x", "yy"]
    with pytest.raises(ValueError, match="read-only"):
        arrays["a"][0] = 1


@pytest.mark.parametrize(("wrote", "flipped"), [('"n":3', '"n":2'), ('"n":3', '"m":3')])
def test_a_flipped_fact_is_noticed(part: StageFolder, wrote: str, flipped: str) -> None:
    """A manifest holds numbers of the result, e.g. an inertia: it vouches for them too."""
    manifest = part.path / "p.json"
    manifest.write_text(manifest.read_text().replace(wrote, flipped))

    assert part.read_part("p") == "p.json is damaged"


def test_an_array_without_its_manifest_does_not_exist(part: StageFolder) -> None:
    (part.path / "p.json").unlink()

    assert part.read_part("p") == part.read_part("never written") == ""


@pytest.mark.parametrize("position", [0, 60, -1])
def test_one_flipped_byte_anywhere_is_noticed(part: StageFolder, position: int) -> None:
    flip_byte(part.path / "p.a.npy", position)

    assert part.read_part("p") == "p.a.npy is damaged"


@pytest.mark.parametrize("keep", [0, 10, 130])
def test_a_shortened_or_missing_array_is_noticed(part: StageFolder, keep: int) -> None:
    path = part.path / "p.a.npy"
    path.write_bytes(path.read_bytes()[:keep])

    assert part.read_part("p") == "p.a.npy is damaged"
    path.unlink()
    assert part.read_part("p") == "p.a.npy cannot be read (StoreError)"


def test_a_manifest_of_other_inputs_is_not_believed(part: StageFolder) -> None:
    """Two fingerprints that share their first half meet in one folder; the whole one decides."""
    twin = StageFolder(part.path, PRINT[:32] + "f" * 32)

    assert twin.read_part("p") == "p.json belongs to other inputs"


@pytest.mark.parametrize(
    "garbage",
    [
        *(b"", b"{", b"null", b"[]", b"7", b'"text"', b"\xff\xfe\x00", b"<html></html>"),
        *(b"{}", b'{"fingerprint": "x"}'),
        canonical_json(MANIFEST | {"sha256": []}).encode(),
        canonical_json(MANIFEST | {"sha256": {"a": 3}}).encode(),
        canonical_json(MANIFEST | {"sha256": {"../p": "0"}}).encode(),
        canonical_json(MANIFEST | {"facts": {"n": 3}, "sha256": {}}).encode(),
    ],
)
def test_a_garbage_manifest_is_a_complaint_and_no_crash(part: StageFolder, garbage: bytes) -> None:
    (part.path / "p.json").write_bytes(garbage)

    found = part.read_part("p")

    assert isinstance(found, str)
    assert found != ""


def vouch_for(folder: StageFolder, name: str) -> None:
    """Write the manifest that an attacker would write for his array."""
    manifest = MANIFEST | {"sha256": {"a": file_sha256(folder.path / f"{name}.a.npy")}}
    (folder.path / f"{name}.json").write_text(canonical_json(manifest))


def test_an_array_of_objects_is_never_unpickled(folder: StageFolder, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)  # type: ignore[return-value]

    np.save(folder.path / "p.a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    vouch_for(folder, "p")

    assert folder.read_part("p") == "p.a.npy cannot be read (ValueError)"
    assert not (tmp_path / "sprung").exists()


def test_an_archive_or_a_text_under_the_name_of_an_array_is_a_complaint(
    folder: StageFolder,
) -> None:
    for write in (
        lambda file: np.savez(file, a=np.arange(3)),
        lambda file: file.write(b"not an array"),
        lambda file: file.write(b""),
    ):
        with (folder.path / "p.a.npy").open("wb") as file:
            write(file)
        vouch_for(folder, "p")

        found = folder.read_part("p")

        assert isinstance(found, str)
        assert found.startswith("p.a.npy cannot be read")


def test_an_array_in_blocks_is_the_array_in_one(folder: StageFolder) -> None:
    whole = np.arange(60, dtype=np.float32).reshape(20, 3)

    def blocks() -> Iterator[NDArray[np.float32]]:
        yield from (whole[start : start + 7] for start in range(0, 20, 7))

    in_one = write_atomically(folder.path / "one.npy", array_writer(whole))
    in_blocks = write_atomically(
        folder.path / "blocks.npy",
        array_writer(ArrayBlocks((20, 3), np.dtype(np.float32), blocks())),
    )

    assert in_one == in_blocks
    assert np.array_equal(np.load(folder.path / "blocks.npy", allow_pickle=False), whole)


def test_an_empty_array_survives(folder: StageFolder) -> None:
    folder.write_part("p", {}, a=np.zeros((0, 4), np.float32))

    found = folder.read_part("p")

    assert not isinstance(found, str)
    assert found[1]["a"].shape == (0, 4)


def test_all_parts_but_one_are_removed_and_the_lock_stays(part: StageFolder) -> None:
    for name in ("p2", "p2-00001", "p3"):
        part.write_part(name, {}, a=np.arange(4))

    with part.locked():
        part.clear(but="p2")
        assert visible(part.path) == [LOCK, "p2.a.npy", "p2.json"]
        assert part.has_part("p2")
        assert not part.has_part("p3")
        part.clear()

    assert visible(part.path) == [LOCK]


def test_what_killed_writers_left_is_swept_by_the_next_holder(part: StageFolder) -> None:
    (part.path / f"{TEMPORARY}k2j3").write_bytes(b"half")

    with part.locked():
        names = visible(part.path)

    assert names == [LOCK, "p.a.npy", "p.b.npy", "p.json"]


def test_arrays_whose_writer_was_killed_before_the_manifest_are_swept(part: StageFolder) -> None:
    part.write_part("q", {}, a=np.arange(3), b=np.arange(4))
    (part.path / "q.json").unlink()

    with part.locked():
        names = visible(part.path)

    assert names == [LOCK, "p.a.npy", "p.b.npy", "p.json"]
    assert not isinstance(part.read_part("p"), str)


def test_a_file_that_cannot_be_removed_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "DONE.json").mkdir()

    with pytest.raises(StoreError, match=r"Cannot remove .*DONE\.json"):
        remove(tmp_path / "DONE.json")


def test_sweeping_touches_nothing_else(tmp_path: Path) -> None:
    for name in (f"{TEMPORARY}x", "result.json", LOCK, ".tmpfile"):
        (tmp_path / name).write_text("x")
    (tmp_path / f"{TEMPORARY}folder").mkdir()

    sweep_temporaries(tmp_path)

    assert visible(tmp_path) == [LOCK, ".tmp-folder", ".tmpfile", "result.json"]


HOLDER = """
import sys, time
from pathlib import Path
from fer_audit.store.locks import folder_lock

with folder_lock(Path(sys.argv[1]), wait_seconds=0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Give another process that holds the lock of tmp_path."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_held_folder_is_locked_for_others_until_its_holder_dies(
    holder: subprocess.Popen[str], tmp_path: Path
) -> None:
    """An advisory lock belongs to the process: SIGKILL leaves a file, and no lock."""
    with (
        pytest.raises(LockedError, match="Another fer-audit process") as caught,
        folder_lock(tmp_path, wait_seconds=0),
    ):
        pytest.fail("two holders of one lock")
    assert caught.value.exit_code == 5

    holder.send_signal(signal.SIGKILL)
    holder.wait()

    with folder_lock(tmp_path, wait_seconds=0):
        assert mode(tmp_path / LOCK) == 0o600


def test_the_lock_is_given_back_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), folder_lock(tmp_path, wait_seconds=0):
        raise RuntimeError
    with folder_lock(tmp_path, wait_seconds=0):
        pass


def test_a_fingerprint_knows_its_inputs_and_not_their_order() -> None:
    one = stage_fingerprint("pack", {"a": 1, "b": [1, 2]})

    assert one == stage_fingerprint("pack", {"b": [1, 2], "a": 1})
    assert one != stage_fingerprint("embed", {"a": 1, "b": [1, 2]})
    assert one != stage_fingerprint("pack", {"a": 1, "b": [2, 1]})
    with pytest.raises(ValueError, match="JSON"):
        stage_fingerprint("pack", {"a": float("nan")})
