"""Images that are files of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import FileFacts, ImageBytes, Rows, read_part


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """Some files below a folder, as they were when they were listed."""

    root: Path
    """Absolute."""
    names: Sequence[str]
    """n POSIX paths below `root`; undecodable bytes as surrogate escapes."""
    sizes: NDArray[np.int64]
    """(n,) bytes; -1 = there never was a plain file of that name (missing, a link, a pipe)."""
    mtimes: NDArray[np.int64]
    """(n,) nanoseconds, -1 where the size is."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return the (n,) mask of plain files."""
        return self.sizes >= 0

    def take(self, rows: Rows) -> Files:
        """Return the files of those rows."""
        names = tuple(self.names[row] for row in rows.tolist())
        return Files(self.root, names, self.sizes[rows], self.mtimes[rows])

    def read(self, row: int) -> ImageBytes:
        """Return the bytes of a plain file that is still as it was listed."""
        name = self.names[row]
        size = int(self.sizes[row])
        facts = FileFacts(str(self.root / name), size, int(self.mtimes[row]))
        return ImageBytes(read_part(facts, 0, size), name)

    def state(self) -> Iterator[bytes]:
        """Yield sizes and times."""
        yield self.sizes.astype("<i8").tobytes()
        yield self.mtimes.astype("<i8").tobytes()

    def folders(self) -> frozenset[Path]:
        """Return the folders that hold the files."""
        parents = {name.rpartition("/")[0] for name in self.names}
        return frozenset(self.root / parent for parent in parents)

    def facts(self) -> dict[str, Any]:
        """Return the files as JSON."""
        return {
            "kind": "files",
            "root": str(self.root),
            "names": list(self.names),
            "sizes": self.sizes.tolist(),
            "mtimes": self.mtimes.tolist(),
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Files:
        """Return the files that `facts` describes."""
        sizes, mtimes = (np.array(facts[name], np.int64) for name in ("sizes", "mtimes"))
        return cls(Path(facts["root"]), facts["names"], sizes, mtimes)
