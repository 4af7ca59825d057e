"""Images that are members of tar archives: read by place and length, nothing is extracted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import FileFacts, ImageBytes, Rows, read_part


@dataclass(frozen=True, slots=True, eq=False)
class TarMembers:
    """Some plain members of some archives."""

    archives: tuple[FileFacts, ...]
    names: Sequence[str]
    """n ids: each ends as its name in the archive does."""
    archive: NDArray[np.int32]
    """(n,) index into `archives`."""
    offsets: NDArray[np.int64]
    """(n,) first byte of the data in the archive."""
    lengths: NDArray[np.int64]
    """(n,) bytes"""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return (n,) True: a member that is listed lies in its archive."""
        return np.ones(len(self), np.bool_)

    def take(self, rows: Rows) -> TarMembers:
        """Return the members of those rows, and the archives that they lie in."""
        used, archive = np.unique(self.archive[rows], return_inverse=True)
        return TarMembers(
            tuple(self.archives[i] for i in used.tolist()),
            tuple(self.names[row] for row in rows.tolist()),
            archive.astype(np.int32),
            self.offsets[rows],
            self.lengths[rows],
        )

    def read(self, row: int) -> ImageBytes:
        """Return a member, if its archive is still as it was listed."""
        facts = self.archives[self.archive[row]]
        data = read_part(facts, int(self.offsets[row]), int(self.lengths[row]))
        return ImageBytes(data, self.names[row])

    def state(self) -> Iterator[bytes]:
        """Yield each archive's name, size and time, and the places in it."""
        for archive in self.archives:
            yield archive.state()
        for array in (self.archive, self.offsets, self.lengths):
            yield array.astype("<i8").tobytes()

    def folders(self) -> frozenset[Path]:
        """Return the folders that the archives lie in."""
        return frozenset(Path(archive.path).parent for archive in self.archives)

    def facts(self) -> dict[str, Any]:
        """Return the members as JSON."""
        return {
            "kind": "tar",
            "archives": self.archives,
            "names": list(self.names),
            "archive": self.archive.tolist(),
            "offsets": self.offsets.tolist(),
            "lengths": self.lengths.tolist(),
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> TarMembers:
        """Return the members that `facts` describes."""
        return cls(
            tuple(FileFacts(*archive) for archive in facts["archives"]),
            facts["names"],
            np.array(facts["archive"], np.int32),
            np.array(facts["offsets"], np.int64),
            np.array(facts["lengths"], np.int64),
        )
