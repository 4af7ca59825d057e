"""Atomic writes, and the stage folders of the cache: checksummed arrays named by a fingerprint.

A file is written under a temporary name -> fsync -> rename -> fsync of the folder, so it is whole or not there; file systems
without fsync are tolerated. A stage folder holds parts. Each part is a few arrays and, written last, a manifest with their
checksums. A part without a manifest that fits does not exist, and is made again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import StoreError
from fer_audit.store.fingerprint import canonical_json
from fer_audit.store.locks import folder_lock, remove, sync_file, sync_folder


@dataclass(frozen=True, slots=True, eq=False)
class ArrayBlocks:
    """An array that never has to fit in memory: an iterator of blocks of its rows."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    blocks: Iterator[NDArray[Any]]


def array_writer(array: NDArray[Any] | ArrayBlocks) -> Callable[[BinaryIO], None]:
    """Return what fills an open file with an array, for `write_atomically`."""

    def write(file: BinaryIO) -> None:
        if not isinstance(array, ArrayBlocks):
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
            return
        kind = np.lib.format.dtype_to_descr(array.dtype)
        header = {"descr": kind, "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in array.blocks:
            file.write(np.ascontiguousarray(block, dtype=array.dtype).data)

    return write


def map_array(path: Path) -> NDArray[Any]:
    """Map a file read-only. Raises OSError, ValueError or TypeError for anything but a plain array; nothing is unpickled.

    Nothing is ever written through a map: on a full disk that is a SIGBUS, which kills the process. So is reading a file that
    was shortened while it is mapped.
    """
    if path.stat().st_size == 0:
        raise ValueError("empty file")
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):  # an .npz archive under the name of an array
        array.close()
        raise TypeError(f"{path} holds no single array")
    return array


TEMPORARY = ".tmp-"

NAME_LENGTH = 32
"""Characters of its fingerprint in the name of a stage folder."""

_MORE_DISK = "Free some disk, or choose another place; finished work is kept."

_MAX_SWEEPS = 20
"""Times in a row that other runs may remove a temporary file before it is renamed; a run sweeps a folder once."""


def cache_place(chosen: Path | None) -> Path:
    """Return the path of the folder that keeps pixels, vectors and weights between runs."""
    if chosen is not None:
        return chosen
    import platformdirs

    return Path(platformdirs.user_cache_dir("fer-audit", appauthor=False))


def cache_folder(chosen: Path | None) -> Path:
    """Return the same folder, made with mode 0700."""
    folder = cache_place(chosen)
    make_folder(folder)
    return folder


def make_folder(path: Path) -> None:
    """Make a folder and its missing parents, all with mode 0700; StoreError when that fails or it is not writable."""
    try:
        for place in reversed([each for each in path.parents if not each.exists()]):
            place.mkdir(mode=0o700, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"Cannot make the folder {path}: {exc.strerror}",
            hint="Choose another place with --out or --cache-dir.",
        ) from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise StoreError(f"The folder {path} is not writable", hint="Choose another place.")


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Let `write` fill a private file (mode 0600) that gets its name only when it is whole; return its sha256.

    A full or failing disk is a StoreError and leaves nothing behind; a file system without fsync is a `CannotSync` warning.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    except OSError as exc:
        raise StoreError(f"Cannot write {path}: {exc.strerror or exc}", hint=_MORE_DISK) from exc
    try:
        with os.fdopen(handle, "w+b") as file:
            write(file)
            file.flush()
            sync_file(file.fileno(), path)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            temporary = _give_name(file, temporary, path)
        sync_folder(path.parent)
    except OSError as exc:
        raise StoreError(f"Cannot write {path}: {exc.strerror or exc}", hint=_MORE_DISK) from exc
    finally:
        with contextlib.suppress(OSError):  # what stays behind is swept by the next run
            Path(temporary).unlink(missing_ok=True)
    return digest


def _give_name(file: BinaryIO, temporary: str, path: Path) -> str:
    """Rename a written file, and return the last temporary name it had.

    Where locks do not work, another run may remove it before that. The open file still has its bytes.
    """
    for _ in range(_MAX_SWEEPS):
        try:
            Path(temporary).replace(path)
        except FileNotFoundError:
            file.seek(0)
            handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
            with os.fdopen(handle, "wb") as copy:
                shutil.copyfileobj(file, copy)
                copy.flush()
                sync_file(copy.fileno(), path)
        else:
            return temporary
    Path(temporary).unlink(missing_ok=True)
    raise FileNotFoundError(errno.ENOENT, "other runs keep sweeping it away")


def write_text(path: Path, text: str) -> str:
    """Write UTF-8 text atomically; return its sha256."""
    return write_atomically(path, lambda file: file.write(text.encode()))


def open_plain(path: Path) -> BufferedReader:
    """Open a plain file for reading; OSError for anything else, e.g. a pipe, which would wait for a writer for ever."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no plain file")
    return os.fdopen(handle, "rb")


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    try:
        with open_plain(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise StoreError(f"Cannot read {path}: {exc.strerror}") from exc


def sweep_temporaries(folder: Path) -> None:
    """Remove the temporary files of killed writers; call it only while holding the folder's lock."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if not path.is_dir():  # we make no such folders
            remove(path)


@dataclass(frozen=True, slots=True)
class StageFolder:
    """The folder of one stage's output in the cache, named by what the output depends on."""

    path: Path
    fingerprint: str

    @classmethod
    def open(cls, cache: Path, stage: str, fingerprint: str) -> StageFolder:
        """Make the folder if it is not there."""
        path = cache / stage / fingerprint[:NAME_LENGTH]
        make_folder(path)
        return cls(path, fingerprint)

    def write_part(
        self, name: str, facts: Mapping[str, Any], **arrays: NDArray[Any] | ArrayBlocks
    ) -> None:
        """Write arrays as `<name>.<key>.npy` and then, last, the manifest `<name>.json`. Names have no dots."""
        digests = {
            key: write_atomically(self.path / f"{name}.{key}.npy", array_writer(array))
            for key, array in arrays.items()
        }
        manifest = {
            "fingerprint": self.fingerprint,
            "part": name,
            "facts": dict(facts),
            "facts_sha256": _facts_digest(facts),
            "sha256": digests,
        }
        write_text(self.path / f"{name}.json", canonical_json(manifest) + "\n")

    def read_part(self, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | str:
        """Return (facts, read-only memory maps) after checking every byte, or one line that says why the part cannot be used.

        The line is empty when the part was never written.
        """
        manifest_path = self.path / f"{name}.json"
        try:
            with open_plain(manifest_path) as file:
                manifest = json.load(file)
            fingerprint, digests = manifest["fingerprint"], manifest["sha256"].items()
            facts = dict(manifest["facts"])
            facts_digest = manifest["facts_sha256"]
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            return f"the manifest {manifest_path.name} cannot be read ({type(exc).__name__})"
        if fingerprint != self.fingerprint:
            return f"{manifest_path.name} belongs to other inputs"
        if facts_digest != _facts_digest(facts):
            return f"{manifest_path.name} is damaged"
        arrays: dict[str, NDArray[Any]] = {}
        for key, digest in digests:
            path = self.path / f"{name}.{key}.npy"
            try:
                if file_sha256(path) != digest:
                    return f"{path.name} is damaged"
                arrays[key] = map_array(path)
            except (StoreError, OSError, ValueError, TypeError) as exc:
                return f"{path.name} cannot be read ({type(exc).__name__})"
        return facts, arrays

    @contextlib.contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the folder's lock during a block, after any other run; gives whether there is a lock, see `folder_lock`."""
        with folder_lock(self.path, wait_seconds=-1) as held:
            sweep_temporaries(self.path)
            for path in self.path.glob("*.npy") if held else ():
                if not self.has_part(path.name.partition(".")[0]):
                    remove(path)  # its writer was killed before the manifest
            yield held

    def has_part(self, name: str) -> bool:
        """Whether a part has a manifest; only `read_part` says whether it can be used."""
        return (self.path / f"{name}.json").is_file()

    def clear(self, *, but: str = "") -> None:
        """Delete every part, or all but one; call it only while holding the folder."""
        for pattern in ("*.json", "*.npy"):  # manifests first
            for path in self.path.glob(pattern):
                if path.name.partition(".")[0] != but:
                    remove(path)


def _facts_digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(dict(facts)).encode()).hexdigest()


def free_bytes(folder: Path) -> int:
    """Return the bytes any user may still write to the disk of `folder`; sys.maxsize where a network disk says it has 0 in all."""
    usage = shutil.disk_usage(folder)
    return usage.free if usage.total else sys.maxsize
