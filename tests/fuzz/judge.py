"""Feed one input and say what was wrong with the answer, if anything was."""

from __future__ import annotations

import hashlib
import resource
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import MAX_BYTES, MAX_SECONDS, Target


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that brought out what must not come out."""

    words: str
    """The exception and where in our code it came from, or the limit that was passed: findings with equal words are one."""
    trace: str

    @property
    def name(self) -> str:
        """Return a short name for files."""
        return hashlib.sha256(self.words.encode()).hexdigest()[:8]


def judge(target: Target, data: bytes, folder: Path) -> Finding | None:
    """Feed `data`; None when a value or a refusal came out, in time and in memory."""
    before = peak_bytes()
    start = time.process_time()  # a busy machine makes nothing slow
    try:
        target.feed(data, folder)
    except target.refusals as exc:
        str(exc).encode("utf-8", "surrogateescape")
    except Exception as exc:  # noqa: BLE001 - whatever else comes out is what we look for
        return Finding(_words(exc), traceback.format_exc())
    seconds = time.process_time() - start
    if seconds > MAX_SECONDS:
        return Finding("slow", f"{seconds:.1f} s")
    if MAX_BYTES < peak_bytes() > before:
        return Finding("large", f"{peak_bytes():,} bytes of memory")
    return None


def peak_bytes() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _words(exc: BaseException) -> str:
    frames = [x for x in traceback.extract_tb(exc.__traceback__) if "fer_audit" in x.filename]
    frames = frames or list(traceback.extract_tb(exc.__traceback__))
    last = frames[-1]
    return f"{type(exc).__name__} in {Path(last.filename).name}:{last.name}"
