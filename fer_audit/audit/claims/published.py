"""What the origin study says of UTKFace, from the counts it prints."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.stats.tables import v_and_p
from fer_audit.audit.types.claims import PublishedValue
from fer_audit.dataset.types import FaceDataset

SOURCE = "The origin study: 500 UTKFace images, K-Means k = 4, its Table I"
TABLE = ((117, 6, 28, 26, 22), (51, 3, 20, 14, 12), (7, 0, 7, 4, 1), (96, 4, 29, 34, 19))
"""Clusters 0-3 x (White, Black, Asian, Indian, Other)."""


def published_values(dataset: FaceDataset) -> tuple[PublishedValue, ...]:
    """Return what is published on a dataset: something on the race in UTKFace, nothing on any other set."""
    if dataset.format != "utkface" or all(each.name != "race" for each in dataset.attributes):
        return ()
    table = np.array(TABLE, dtype=np.int64)
    v, corrected, p = v_and_p(table)
    return (PublishedValue(SOURCE, "race", int(table.sum()), len(table), v, corrected, p),)
