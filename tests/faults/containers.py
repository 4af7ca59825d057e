"""Sets whose images lie inside of files: tar archives, parquet files, pixels in a CSV; and the answer for each image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from fer_audit.pack.decode import decode_image
from tests.dataset.cells import (
    face,
    fer2013_lines,
    grey,
    grey_words,
    labels,
    records,
    samples,
    write_parquet,
    write_tar,
)
from tests.graphs import SIZE
from tests.pack.files import encoded

GROUP_ROWS = 8
"""Rows of a row group."""


class Kind(NamedTuple):
    """One way to keep images inside of a file."""

    suffix: str
    write: Callable[[Path, Sequence[int]], Path]
    """Writes a file with some drawn faces."""
    item: Callable[[int, int], str]
    """(row in the file, number of the face) -> the end of an id."""
    image: Callable[[int], bytes]
    """Number of a face -> an image file of its pixels."""
    stored: Callable[[int], bytes]
    """Number of a face -> how the file holds it."""

    def ids(self, path: Path, numbers: Sequence[int]) -> list[str]:
        """Return the ids of a file's images, in order."""
        return [path.name + self.item(row, number) for row, number in enumerate(numbers)]

    def vectors(self, numbers: Sequence[int]) -> NDArray[np.float64]:
        """Return (n, 3) the vectors that the tiny model gives of faces: their mean colours."""
        images = [decode_image(self.image(number), "", SIZE).pixels for number in numbers]
        return np.array([each.mean(axis=(0, 1)) for each in images])


def _write_tar(path: Path, numbers: Sequence[int]) -> Path:
    return write_tar(path, samples(numbers))


def _write_parquet(path: Path, numbers: Sequence[int]) -> Path:
    columns = {name: [labels(n)[name] for n in numbers] for name in labels(0)}
    return write_parquet(path, records(numbers), columns, group=GROUP_ROWS)


def _write_pixels(path: Path, numbers: Sequence[int]) -> Path:
    path.write_text("\n".join(fer2013_lines(numbers)) + "\n")
    return path


def _grey_png(number: int) -> bytes:
    return encoded(Image.fromarray(grey(number)), "PNG")


TAR = Kind(".tar", _write_tar, lambda _, number: f"!{number:05d}.jpg", face, face)
PARQUET = Kind(".parquet", _write_parquet, lambda row, _: f"#{row}", face, face)
PIXELS = Kind(
    *(".csv", _write_pixels, lambda row, _: f"#{row}", _grey_png),
    lambda number: grey_words(grey(number)).encode(),
)

EVERY_KIND = pytest.mark.parametrize("kind", [TAR, PARQUET, PIXELS], ids=lambda k: k.suffix[1:])
SEVERAL_FILES = pytest.mark.parametrize("kind", [TAR, PARQUET], ids=lambda k: k.suffix[1:])
"""A set of pixels is one file."""


def reasons(run_dir: Path) -> dict[str, str | None]:
    """Return the reason of each image by id, None where it is ok."""
    table = parquet.read_table(run_dir / "rows.parquet", columns=["id", "reason"])
    return dict(zip(table["id"].to_pylist(), table["reason"].to_pylist(), strict=True))


def are_those_of(run_dir: Path, expected: NDArray[np.float64]) -> list[bool]:
    """Return for each row of a run whether its vector is the one expected there."""
    vectors = np.load(run_dir / "embeddings.npy", allow_pickle=False)
    assert vectors.shape == expected.shape
    found: list[bool] = np.isclose(vectors, expected, rtol=1e-3).all(axis=1).tolist()
    return found
