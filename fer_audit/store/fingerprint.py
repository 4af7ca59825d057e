"""Fingerprints: a sha256 of everything that a stage's output depends on. Same fingerprint, same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA_VERSIONS = {
    "dataset": 1,
    "pack": 1,
    "quantize": 2,
    "embed": 1,
    "predictions": 1,  # of a table, and of what was fitted here; those of a network are its vectors
    "cluster": 2,
    "audit": 2,
    "map": 1,
    "pictures": 2,
}
"""Stage -> version, raised by hand when its code changes what the parts it writes hold; parts of another form get another name."""


@cache
def source_digest(*places: str) -> str:
    """Return the sha256 (hex) of the source of these files and folders of the package, e.g. "audit", "text.py".

    What is kept between runs under such a digest is made again by any change of the code that made it.
    """
    package = Path(__file__).parents[1]
    content = hashlib.sha256()
    for place in places:
        files = sorted((package / place).rglob("*.py")) or [package / place]
        for file in files:
            content.update(f"{file.relative_to(package)}\0".encode() + file.read_bytes())
    return content.hexdigest()


def canonical_json(value: Any) -> str:  # noqa: ANN401 - anything json can write
    """Return the one JSON text of a value: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
    )


def stage_fingerprint(stage: str, inputs: Mapping[str, Any]) -> str:
    """Return the sha256 (hex) of everything a stage's output depends on.

    `inputs` holds the fingerprints of the stages before it and the settings it reads, nothing about speed.
    """
    text = canonical_json({"stage": stage, "schema": SCHEMA_VERSIONS[stage], "inputs": inputs})
    return hashlib.sha256(text.encode()).hexdigest()
