"""What a case is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SMOKE_IMAGES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One call of the runner."""

    images: int
    repeats: int
    dataset: Path | None
    """None = drawn faces, seeded blobs."""
    smoke: bool
    """A tiny set, a narrow network, one repeat, nobody else's environment, nothing written."""
    work: Path
    """A folder that is deleted afterwards."""
    environments: Path
    say: Callable[[str], None]

    def command(self, case: str) -> str:
        """Return the command that measures a case, without anybody's folders."""
        words = [
            f"python -m benchmarks run {case}",
            f"--images {self.images}",
            f"--repeats {self.repeats}",
        ]
        if self.dataset is not None:
            words.append(f"--dataset path/to/{self.dataset.name}")
        return " ".join(words)
