"""The demo set on disk: faces/, labels.csv, dataset.json, and truth.json, which is written last: what was planted."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from fer_audit.errors import StoreError
from fer_audit.store.locks import folder_lock
from fer_audit.store.stage import TEMPORARY, cache_folder, make_folder
from fer_audit.synth.draw import copied, draw_face
from fer_audit.synth.plant import ABOUT, SEED, Row, describe, plant_rows

N_FACES = 600
VERSION = 2
"""Part of the folder's name: raised by hand when other labels or other pictures are drawn."""
LABELS = "labels.csv"
TRUTH = "truth.json"
CARD = "dataset.json"

LABEL_SOURCE = "The labels were invented with the drawings; no person is shown."

_COLUMNS = ("file", "subject", "group", "gender", "age", "expression", "emotion", "session")
_QUALITY, _COPY_QUALITY = 90, 80
_MTIME_NS = 1_577_836_800 * 10**9
"""2020-01-01. A dataset's fingerprint holds its files' times: with one time for ever, a set that was drawn again is
known to be the same, and nothing is embedded twice."""


def demo_dataset(cache_dir: Path | None, *, n: int = N_FACES) -> Path:
    """Return the folder of the demo set in the cache (None = the user's), drawing it if it is not whole.

    It takes some seconds the first time; later calls check every byte against truth.json.
    Raises StoreError when the cache cannot be written.
    """
    home = cache_folder(cache_dir) / "demo"
    make_folder(home)
    folder = home / f"drawn-faces-{n}-v{VERSION}"
    with folder_lock(home, wait_seconds=-1), _disk_errors(folder):
        if not is_whole(folder, n):
            staging = home / f"{TEMPORARY}{folder.name}"
            for leftover in (staging, folder):
                if leftover.exists():
                    shutil.rmtree(leftover)
            write_demo(staging, n)
            staging.replace(folder)
    return folder


def write_demo(folder: Path, n: int = N_FACES) -> None:
    """Draw n faces into `folder`, with their labels and the truth; the same n gives the same bytes.

    Labels and pixels are the same on every machine; the JPEG bytes depend on Pillow's encoder.
    """
    make_folder(folder)
    with _disk_errors(folder):
        (folder / TRUTH).unlink(missing_ok=True)
        (folder / "faces").mkdir(exist_ok=True)
        digests = {}
        rows = plant_rows(n)
        for name, data in _files(rows):
            _write(folder / name, data)
            digests[name] = hashlib.sha256(data).hexdigest()
        truth = {**describe(rows), "sha256": digests}
        _write(folder / TRUTH, _json(truth))


def is_whole(folder: Path, n: int) -> bool:
    """Whether a folder holds the demo set of n faces, every byte as it was written."""
    rows = plant_rows(n)
    try:
        truth = json.loads((folder / TRUTH).read_bytes())
        digests = truth.pop("sha256")
        if truth != describe(rows) or list(digests) != _names(rows):
            return False
        return all(
            hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
            for name, digest in digests.items()
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return False


def _files(rows: Sequence[Row]) -> Iterator[tuple[str, bytes]]:
    """Yield the relative name and the bytes of every file but truth.json."""
    *faces, labels, card = _names(rows)
    for name, row in zip(faces, rows, strict=True):
        buffer = io.BytesIO()
        drawn(row).save(buffer, "JPEG", quality=_COPY_QUALITY if row.is_copy else _QUALITY)
        yield name, buffer.getvalue()
    lines: list[Sequence[Any]] = [_COLUMNS]
    for name, row in zip(faces, rows, strict=True):
        said = (row.group, row.gender, row.age, row.expression, row.emotion, row.session)
        lines.append((name, f"p{row.person:03}", *said))  # no value needs a quote
    yield labels, "".join(",".join(map(str, line)) + "\n" for line in lines).encode()
    yield card, _json({"label_source": LABEL_SOURCE, "notes": [ABOUT]})


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()


def _names(rows: Sequence[Row]) -> list[str]:
    width = len(str(len(rows)))
    return [*(f"faces/{number:0{width}}.jpg" for number in range(1, len(rows) + 1)), LABELS, CARD]


def drawn(row: Row) -> Image.Image:
    """Return the picture of a row, 200 x 200 RGB."""
    image = draw_face(
        row.picture,
        person=row.face,
        place=row.place,
        hair=row.hair,
        expression=row.drawn,
        seed=SEED,
    )
    return copied(image, row.picture, seed=SEED) if row.is_copy else image


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    os.utime(path, ns=(_MTIME_NS, _MTIME_NS))


@contextlib.contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise StoreError(
            f"Cannot write the demo set to {folder}: {exc.strerror or exc}",
            hint="Free some disk, or choose another place with --cache-dir.",
        ) from exc
