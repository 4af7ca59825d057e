"""Fingerprints: a sha256 of everything that a stage's output depends on. Same fingerprint, same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SCHEMA_VERSIONS = {
    "dataset": 1,
    "pack": 1,
    "quantize": 2,
    "embed": 1,
    "cluster": 2,
    "audit": 2,
    "map": 1,
    "pictures": 2,
}
"""Stage -> version, raised by hand when its code changes what it writes for the same inputs."""


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
