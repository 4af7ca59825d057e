"""AffectNet as its eight-class download has it: `train_set/images/N.jpg` and `train_set/annotations/N_exp.npy`."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import Literal

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.maps import CODES
from fer_audit.dataset.sources.source import read_small_file
from fer_audit.dataset.table.words import encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Reject
from fer_audit.text import counted, name_some

_NAMES = tuple(CODES["expression", "affectnet"].values())
EXPRESSIONS, NO_EXPRESSIONS = _NAMES[:8], _NAMES[8:]
"""By the set's code; the last three are no expressions."""
_CODES = {str(code): code for code in range(len(EXPRESSIONS) + len(NO_EXPRESSIONS))}
MAX_NPY_BYTES = 1_000
LABEL_SOURCE = "Each image was given its expression by one of twelve annotators (Mollahosseini, Hasani and Mahoor 2019)."

_LABEL = re.compile(r"((?:.*/)?(?:train|val)_set/)annotations/([0-9]+)_exp\.npy")
_IMAGE = re.compile(r"((?:.*/)?((?:train|val)_set)/)images/([0-9]+)\.[^/]+")
_NPY = re.compile(
    rb"\x93NUMPY\x01\0(..)\{'descr': '([<>|])([USiu])([1-9][0-9]?)', "
    rb"'fortran_order': False, 'shape': \((?:1,)?\), \} *\n",
    re.DOTALL,
)
"""The header that numpy writes for one word or whole number: order, kind, size of the value.
np.load would make room for whatever a header claims, and takes nine times as long."""


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with a label file of that name in that place."""
    fits = given.is_folder and any(map(_LABEL.fullmatch, given.listing.others))
    return Match.CERTAIN if fits else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the images and label files. Attributes: expression, split.

    An image without a label that can be read keeps its row.
    """
    listing = given.images_without_columns(settings)
    found = map(_LABEL.fullmatch, given.listing.others)
    files = {match[1] + match[2]: match[0] for match in found if match}
    images = [_IMAGE.fullmatch(file_id) for file_id in listing.ids]
    codes = np.full(len(images), -1, np.int16)
    unsaid: Counter[str] = Counter()
    rejects: list[Reject] = []
    read: list[str] = []
    for row, image in enumerate(images):
        file = files.pop(image[1] + image[3], None) if image else None
        if file is None:
            rejects.append(Reject(listing.ids[row], "label_missing"))
            continue
        read.append(file)
        code = parse_npy(read_small_file(f"{given.root}/{file}", limit=MAX_NPY_BYTES) or b"")
        if code is None:
            rejects.append(Reject(listing.ids[row], "label_unreadable"))
        elif code < len(EXPRESSIONS):
            codes[row] = code
        else:
            unsaid[NO_EXPRESSIONS[code - len(EXPRESSIONS)]] += 1
    left = [*files.values()]
    count = counted(len(left), "label file has", "label files have")
    return make_dataset(
        given,
        listing.source(),
        listing.ids,
        (
            Attribute(
                *("expression", EXPRESSIONS, codes, "label"),
                unsaid=tuple((word, unsaid[word]) for word in NO_EXPRESSIONS if unsaid[word]),
            ),
            encode_attribute("split", [image and image[2] for image in images], "split"),
        ),
        rejects=(*rejects, *(Reject(file, "image_missing") for file in left)),
        notes=[f"{count} no image: {name_some(left)}."] if left else (),
        label_source=LABEL_SOURCE,
        read=(*read, *left),
    )


@lru_cache(maxsize=1_024)  # 290,000 files hold one of a dozen codes
def parse_npy(data: bytes) -> int | None:
    """Return the code 0-10 in a .npy file of one text or whole number; None when it holds anything else."""
    header = _NPY.match(data)
    if header is None or header.end() - 10 != int.from_bytes(header[1], "little"):
        return None
    order: Literal["big", "little"] = "big" if header[2] == b">" else "little"
    kind, size, body = header[3], int(header[4]), data[header.end() :]
    if len(body) != size * (4 if kind == b"U" else 1):
        return None
    if kind in b"iu":
        return _CODES.get(str(int.from_bytes(body, order, signed=kind == b"i")))
    try:
        word = body.decode("ascii" if kind == b"S" else f"utf-32-{order[0]}e")
    except UnicodeDecodeError:
        return None
    return _CODES.get(word.rstrip("\0").strip())
