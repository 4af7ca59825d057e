"""What a process asks of the kernel, seen by strace: its sockets, and every path it writes to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_CALLS = (
    *("openat", "open", "creat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "link"),
    *("linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir", "truncate", "chmod"),
    *("fchmodat", "fchmodat2"),
    *("chown", "lchown", "fchownat", "utimensat", "mknod", "mknodat", "setxattr", "lsetxattr"),
)
_CALL = re.compile(r"(?P<name>\w+)\((?P<words>.*)\)\s+= (?P<answer>-?\d+|\?)(?:<(?P<opened>.*)>)?")
_WRITES = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC)")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<(?P<at>[^>]*)>, )?"(?P<path>(?:[^"\\]|\\.)*)"')
_SOCKETS = re.compile(
    r"(?:socket|socketpair|connect|bind|listen|accept4?|send\w*|recv\w*|getsockname|getpeername)\("
)


@dataclass(frozen=True)
class Trace:
    """One finished process and all it started."""

    code: int
    out: str
    err: str
    sockets: tuple[str, ...]
    """Every call about a socket, as strace writes it."""
    written: frozenset[Path]
    """Every path that was made, opened for writing, renamed, linked, changed or removed."""

    def outside(self, *places: Path) -> list[Path]:
        """Return what was written under none of the places. /dev/null is nowhere."""
        allowed = [*(place.resolve() for place in places), Path("/dev/null")]
        return sorted(
            path
            for path in self.written
            if not any(path.is_relative_to(place) for place in allowed)
        )


def need(*tools: str) -> None:
    """Skip a test whose tools this machine lacks."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def traced(
    words: Sequence[str], folder: Path, *, cwd: Path, env: Mapping[str, str], timeout: float = 240
) -> Trace:
    """Run a command under strace, its records in `folder`, one file a thread."""
    folder.mkdir()
    strace = ["strace", "-ff", "-qq", "-y", "--seccomp-bpf", "-e", "signal=none"]
    calls = ",".join(f"?{name}" for name in _CALLS)  # ?: no processor has all of them
    strace += ["-s", "4096", "-e", f"trace=%network,{calls}", "-o", str(folder / "calls")]
    done = subprocess.run(
        [*strace, *words],
        cwd=cwd,
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    lines = [
        line
        for file in sorted(folder.iterdir())
        for line in file.read_text(errors="surrogateescape").splitlines()
    ]
    assert lines, f"strace saw nothing: {done.stderr}"
    return Trace(
        done.returncode,
        done.stdout,
        done.stderr,
        tuple(line for line in lines if _SOCKETS.match(line)),
        frozenset(path for line in lines for path in _written(line, cwd)),
    )


def _written(line: str, cwd: Path) -> Iterator[Path]:
    """Yield the paths that one successful call writes to."""
    call = _CALL.match(line)
    if call is None or _SOCKETS.match(line) or call["answer"].startswith("-"):
        return
    if call["name"] in ("open", "openat") and not _WRITES.search(call["words"]):
        return
    found = list(_PATH.finditer(call["words"]))
    if call["name"].startswith("symlink"):
        found = found[1:]  # what a new link says is written nowhere
    for each in found:
        raw = each["path"].encode("latin-1", "surrogateescape").decode("unicode_escape")
        path = raw.encode("latin-1", "surrogateescape").decode(errors="surrogateescape")
        yield Path(os.path.normpath(Path(each["at"] or cwd) / path))
