"""The threads that `bench --autotune` found, remembered in the cache for exactly the machine and model they were found on.

The batch is not remembered: another one changes last bits of the vectors, so it is for a person to choose.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_audit.bench.machine import cpu_name
from fer_audit.config import Precision
from fer_audit.cores import usable_cores
from fer_audit.embed.session import runtime_version
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import StoreError
from fer_audit.store.locks import folder_lock
from fer_audit.store.stage import write_text

TUNING = "tuning.json"
TUNING_SCHEMA = "fer-audit/tuning/1"


@dataclass(frozen=True, slots=True)
class TuningKey:
    """What a tuning holds for; with anything else changed it is not read."""

    source_sha256: str
    """Of the fp32 model that an int8 one is made from, so that it holds for every set's; else of the model itself."""
    provider: str
    precision: Precision
    onnxruntime: str
    cpu: str
    """The processor alone: another GPU in the same machine is not noticed."""
    usable_cores: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """The fastest setting found."""

    key: TuningKey
    threads: int
    images_per_second: float
    """What they reached when they were found, at the best batch; for people."""


def tuning_key(source: ExportedModel, precision: Precision, provider: str) -> TuningKey:
    """Return what a tuning of this model on this machine is kept under.

    `source` is the model itself, or the fp32 one that it was made from for a set; `precision` is the model's.
    """
    return TuningKey(
        source_sha256=source.sha256,
        provider=provider,
        precision=precision,
        onnxruntime=runtime_version(),
        cpu=cpu_name(),
        usable_cores=usable_cores(),
    )


def find_tuning(cache: Path, key: TuningKey) -> Tuning | None:
    """Return the tuning of exactly this key, None when there is none; StoreError when the file is damaged."""
    return next((each for each in read_tunings(cache) if each.key == key), None)


def remember_tuning(cache: Path, tuning: Tuning) -> Path:
    """Write a tuning beside those of other keys; a damaged file is replaced."""
    with folder_lock(cache, wait_seconds=-1):
        try:
            others = [each for each in read_tunings(cache) if each.key != tuning.key]
        except StoreError:
            others = []
        document = {"schema": TUNING_SCHEMA, "tunings": [asdict(x) for x in [*others, tuning]]}
        path = cache / TUNING
        write_text(path, json.dumps(document, indent=2) + "\n")
    return path


def read_tunings(cache: Path) -> tuple[Tuning, ...]:
    """Return every tuning that was remembered; StoreError when the file is not as we write it."""
    path = cache / TUNING
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != TUNING_SCHEMA:
            raise ValueError(f"its schema is {document['schema']!r}")  # noqa: TRY301 - one way out
        return tuple(_tuning(fields) for fields in document["tunings"])
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as exc:
        raise StoreError(
            f"{path} cannot be read: {exc or type(exc).__name__}",
            hint="Delete it, or write it anew with: fer-audit bench --autotune",
        ) from exc


def _tuning(fields: dict[str, Any]) -> Tuning:
    found = Tuning(**{**fields, "key": TuningKey(**fields["key"])})
    threads = found.threads
    if isinstance(threads, bool) or not isinstance(threads, int) or not 1 <= threads <= 9_999:
        raise ValueError("threads must be a whole number from 1 to 9,999")
    return found
