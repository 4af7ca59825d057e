"""JAFFE: the labels are in the file name, `KA.AN1.39.tiff` = subject, expression and take, index."""

from __future__ import annotations

import re

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.table.words import encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Reject
from fer_audit.text import counted, name_some

EXPRESSIONS = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
FACTS = (("gender", "Female"), ("race", "Japanese (ten women, by the set's paper)"))
"""True of every image."""
MIN_SHARE = 0.5
"""Share of image names from which on a folder is taken for JAFFE."""
LABEL_SOURCE = (
    "The file names say which expression each woman was asked to pose (Lyons et al. 1998); "
    "how viewers rated the images is not read."
)

_NAME = re.compile(
    rf"([A-Z]{{2}})\.({'|'.join(EXPRESSIONS)})[0-9]\.[0-9]{{1,4}}(?:\.tiff)?\.[a-z]+",
    re.IGNORECASE,
)


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder in which at least every second image is named as in JAFFE."""
    fits = given.is_folder and given.listing.share_named(_NAME) >= MIN_SHARE
    return Match.CERTAIN if fits else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that the file names describe, at any depth of folders.

    Attributes: expression, subject. Every two letters name a subject: "NA" is a person, too.
    A name that cannot be read keeps its row.
    """
    listing = given.images_without_columns(settings)
    found = [_NAME.fullmatch(name) for name in listing.names()]
    order = list(EXPRESSIONS)
    codes = np.array([order.index(m[2].upper()) if m else -1 for m in found], dtype=np.int16)
    subjects = [m[1].upper() if m else None for m in found]
    other = [file_id for file_id, match in zip(listing.ids, found, strict=True) if not match]
    carry = counted(len(other), "file name is", "file names are")
    return make_dataset(
        given,
        listing.source(),
        listing.ids,
        (
            Attribute("expression", tuple(EXPRESSIONS.values()), codes, "label"),
            encode_attribute("subject", subjects, "subject"),
        ),
        rejects=[Reject(file_id, "name_not_jaffe") for file_id in other],
        notes=[f"{carry} none of JAFFE's and not annotated: {name_some(other)}."] if other else (),
        facts=FACTS,
        label_source=LABEL_SOURCE,
    )
