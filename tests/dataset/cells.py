"""Archives, parquet files and tables that hold the images themselves, written by code."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tests.drawings import draw_face
from tests.pack.files import encoded

GENDERS = ("Male", "Female")
RACES = ("East Asian", "Indian", "Black")


def face(number: int, *, side: int = 32) -> bytes:
    """Return a drawn face as a JPEG."""
    return encoded(draw_face(number, side=side), "JPEG", quality=90)


def labels(number: int) -> dict[str, Any]:
    """Return what is said of a face."""
    return {"gender": GENDERS[number % 2], "race": RACES[number % 3], "age": 20 + number % 60}


def write_tar(
    path: Path, members: Iterable[tuple[str, bytes]], *, form: int = tarfile.PAX_FORMAT
) -> Path:
    """Write an archive with these members, in this order."""
    with tarfile.open(path, "w", format=form) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def sample(key: str, number: int) -> list[tuple[str, bytes]]:
    """Return the two members of a face."""
    return [(f"{key}.jpg", face(number)), (f"{key}.json", json.dumps(labels(number)).encode())]


def samples(numbers: Iterable[int]) -> list[tuple[str, bytes]]:
    """Return the members of some faces."""
    return [member for number in numbers for member in sample(f"{number:05d}", number)]


def write_parquet(
    path: Path,
    images: Sequence[Any],
    columns: Mapping[str, Sequence[Any]],
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    group: int = 1_000,
) -> Path:
    """Write rows of images, records {bytes, path} or plain bytes, and labels, with names of codes as Hugging Face has them."""
    kind = pa.binary()
    if isinstance(images[0], dict):
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(images, kind), **columns})
    if names is not None:
        features = {each: {"_type": "ClassLabel", "names": [*n]} for each, n in names.items()}
        info = json.dumps({"info": {"features": {"image": {"_type": "Image"}, **features}}})
        table = table.replace_schema_metadata({"huggingface": info})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=group, compression="none", use_dictionary=False)
    return path


def records(numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Return some faces as Hugging Face stores them."""
    return [{"bytes": face(number), "path": f"{number}.jpg"} for number in numbers]


def grey_words(pixels: NDArray[np.uint8]) -> str:
    """Return a picture as fer2013.csv writes it."""
    return " ".join(map(str, pixels.ravel().tolist()))


def grey(number: int, *, side: int = 12) -> NDArray[np.uint8]:
    """Return (side, side) grey levels of a drawn face."""
    return np.asarray(draw_face(number, side=side).convert("L"))


def fer2013_lines(numbers: Iterable[int]) -> list[str]:
    """Return a header and a line for each face."""
    usages = ("Training", "PublicTest", "PrivateTest")
    rows = [f"{n % 7},{grey_words(grey(n))},{usages[n % 3]}" for n in numbers]
    return ["emotion,pixels,Usage", *rows]
