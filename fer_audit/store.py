"""Files that are either whole or not there: atomic writes, checksummed arrays, stage folders, locks.

A stage folder of the cache is named by its fingerprint and holds parts.
Each part is a few arrays and a manifest with their checksums, written last: unique temporary name -> write -> fsync ->
rename -> fsync of the folder. A part without a manifest that fits does not exist, and is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import LockedError, StoreError
from fer_audit.fingerprint import canonical_json

TEMPORARY = ".tmp-"

LOCK = ".fer-audit.lock"
"""Its presence also marks a folder as ours: dataset readers do not look for images in it."""


def cache_folder(chosen: Path | None) -> Path:
    """Return (and make, mode 0700) the folder that keeps pixels, vectors and weights between runs."""
    if chosen is None:
        import platformdirs

        chosen = Path(platformdirs.user_cache_dir("fer-audit", appauthor=False))
    make_folder(chosen)
    return chosen


def make_folder(path: Path) -> None:
    """Make a private folder and its parents; StoreError when something is in the way."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"Cannot make the folder {path}: {exc.strerror}",
            hint="Choose another place with --out or --cache-dir.",
        ) from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise StoreError(f"The folder {path} is not writable", hint="Choose another place.")


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Let `write` fill a file that appears under its name only when it is whole; return its sha256.

    The file is private (mode 0600). A full disk is a StoreError and leaves nothing behind.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    except OSError as exc:
        raise StoreError(f"Cannot write {path}: {exc.strerror or exc}") from exc
    try:
        with os.fdopen(handle, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        Path(temporary).replace(path)
        _sync_folder(path.parent)
    except OSError as exc:
        raise StoreError(
            f"Cannot write {path}: {exc.strerror or exc}",
            hint="Free some disk, or choose another place; finished work is kept.",
        ) from exc
    finally:
        Path(temporary).unlink(missing_ok=True)
    return digest


def write_text(path: Path, text: str) -> str:
    """Write UTF-8 text atomically; return its sha256."""
    return write_atomically(path, lambda file: file.write(text.encode()))


@dataclass(frozen=True, slots=True, eq=False)
class ArrayBlocks:
    """An array that never has to fit in memory: its rows come in blocks."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    blocks: Iterator[NDArray[Any]]


def write_array(path: Path, array: NDArray[Any] | ArrayBlocks) -> str:
    """Write an .npy file atomically; return its sha256."""
    if isinstance(array, ArrayBlocks):
        return write_atomically(path, lambda file: _write_blocks(file, array))
    return write_atomically(
        path, lambda file: np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    )


def _write_blocks(file: BinaryIO, array: ArrayBlocks) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    np.lib.format.write_array_header_1_0(file, header)
    for block in array.blocks:
        file.write(np.ascontiguousarray(block, dtype=array.dtype).data)


def _sync_folder(path: Path) -> None:
    """Make a rename survive a power cut; some network file systems cannot, and that is no reason to stop."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise StoreError(f"Cannot read {path}: {exc.strerror}") from exc


def sweep_temporaries(folder: Path) -> None:
    """Remove what killed writers left in a folder; call it only while holding the folder's lock."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class StageFolder:
    """The place of one stage's output in the cache, named by what the output depends on."""

    path: Path
    fingerprint: str

    @classmethod
    def open(cls, cache: Path, stage: str, fingerprint: str) -> StageFolder:
        """Make sure the folder is there. Two fingerprints never share one."""
        path = cache / stage / fingerprint[:32]
        make_folder(path)
        return cls(path, fingerprint)

    def write_part(
        self, name: str, facts: Mapping[str, Any], **arrays: NDArray[Any] | ArrayBlocks
    ) -> None:
        """Write arrays as `<name>.<key>.npy` and then, last, the manifest `<name>.json`."""
        digests = {
            key: write_array(self.path / f"{name}.{key}.npy", array)
            for key, array in arrays.items()
        }
        manifest = {
            "fingerprint": self.fingerprint,
            "part": name,
            "facts": dict(facts),
            "sha256": digests,
        }
        write_text(self.path / f"{name}.json", canonical_json(manifest) + "\n")

    def read_part(self, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | str:
        """Return (facts, read-only memory maps), or one line that says why the part cannot be used.

        The line is empty when the part was simply never written.
        Every byte is checked against the manifest.
        """
        manifest_path = self.path / f"{name}.json"
        try:
            manifest = json.loads(manifest_path.read_text())
            fingerprint, digests, facts = (
                manifest["fingerprint"],
                manifest["sha256"].items(),
                manifest["facts"],
            )
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            return f"the manifest {manifest_path.name} cannot be read ({type(exc).__name__})"
        if fingerprint != self.fingerprint:
            return f"{manifest_path.name} belongs to other inputs"
        arrays: dict[str, NDArray[Any]] = {}
        for key, digest in digests:
            path = self.path / f"{name}.{key}.npy"
            try:
                if file_sha256(path) != digest:
                    return f"{path.name} is damaged"
                arrays[key] = _map_array(path)
            except (StoreError, OSError, ValueError, TypeError) as exc:
                return f"{path.name} cannot be read ({type(exc).__name__})"
        return facts, arrays

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder while working in it; waits for another run that makes the same thing."""
        with folder_lock(self.path, wait_seconds=-1):
            sweep_temporaries(self.path)
            yield

    def remove_part(self, name: str) -> None:
        """Delete a part, its manifest first."""
        (self.path / f"{name}.json").unlink(missing_ok=True)
        for path in self.path.glob(f"{name}.*.npy"):
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Delete every part; call it only while holding the folder."""
        for manifest in sorted(self.path.glob("*.json")):
            self.remove_part(manifest.stem)


def _map_array(path: Path) -> NDArray[Any]:
    if path.stat().st_size == 0:
        raise ValueError("empty file")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):  # an .npz archive under the name of an array
        array.close()
        raise TypeError(f"{path} holds no single array")
    return array


@contextlib.contextmanager
def folder_lock(folder: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock file of a folder; -1 waits for ever. LockedError when somebody else keeps it.

    It is an advisory lock of the operating system: a killed process leaves no stale one.
    Correctness never rests on it, only saved work does.
    """
    import filelock

    lock = filelock.FileLock(folder / LOCK, mode=0o600)
    try:
        lock.acquire(timeout=wait_seconds)
    except filelock.Timeout:
        raise LockedError(
            f"Another fer-audit process is working in {folder}",
            hint="Wait for it, or choose another folder with --out.",
        ) from None
    try:
        yield
    finally:
        lock.release()


def free_bytes(folder: Path) -> int:
    """Return the bytes this user can still write to the disk of `folder`."""
    return shutil.disk_usage(folder).free
