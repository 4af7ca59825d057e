"""Write and load an exported model with its sidecar, a JSON file that holds the model's hash and description."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fer_audit.encoders.types import MAX_MODEL_BYTES, Agreement, ExportedModel, Head, ModelSpec
from fer_audit.errors import ModelError
from fer_audit.store.stage import file_sha256, make_folder, write_atomically, write_text

if TYPE_CHECKING:
    import onnx

SIDECAR_SCHEMA = "fer-audit/model/1"
TASKS = ("embed", "classify")
CHANNELS = {"RGB": 3, "BGR": 3, "grey": 1}
PRECISIONS = ("fp32", "fp16", "int8")
MOST_SIDECAR_BYTES = 100_000
"""Ours have one thousand."""
LARGEST_SIDE = 4_096
"""Pixels of an image a model may ask for: a batch of 32 of them is 1.6 GB."""
LARGEST_DIM = 1_000_000
"""Numbers a model may give for an image."""
LARGEST_BATCH = 1_024
"""Images a graph may insist on taking at a time."""


def sidecar_path(model_path: Path) -> Path:
    """Return the path of the JSON that vouches for a model file."""
    return model_path.with_suffix(".json")


def is_saved(model_path: Path) -> bool:
    """Whether a model file and its sidecar are both there; `load_model` says whether they belong together."""
    return model_path.exists() and sidecar_path(model_path).exists()


def save_model(
    model: onnx.ModelProto,
    spec: ModelSpec,
    precision: Literal["fp32", "fp16", "int8"],
    path: Path,
    *,
    reduced_range: bool = False,
    agreement: Agreement | None = None,
) -> ExportedModel:
    """Write the graph, then its sidecar with the hash of what was written."""
    import onnx

    make_folder(path.parent)
    digest = write_atomically(path, lambda file: file.write(model.SerializeToString()))
    document: dict[str, Any] = {
        "schema": SIDECAR_SCHEMA,
        "sha256": digest,
        "precision": precision,
        "spec": dataclasses.asdict(spec),
        "onnx": onnx.__version__,
    }
    if precision == "int8":
        document["reduced_range"] = reduced_range
    if agreement is not None:
        document["agreement"] = dataclasses.asdict(agreement)
    write_text(sidecar_path(path), json.dumps(document, indent=2) + "\n")
    return ExportedModel(spec, path, digest, precision, reduced_range)


def described(path: Path) -> ModelSpec:
    """Return what the sidecar of a model file says it is, its bytes unread; ModelError when it says nothing."""
    try:
        return _spec(_read_sidecar(path)["spec"])
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelError(f"{sidecar_path(path)} does not describe a model: {exc!r}") from exc


def load_model(path: Path) -> ExportedModel:
    """Return a model whose bytes are those its sidecar names.

    A model file is code. `check_graph` looks into it; here only its bytes are compared, which needs no library.
    """
    document = _read_sidecar(path)
    try:
        if not path.is_file():
            raise ModelError(f"Cannot read the model {path}: it is no file")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path} is larger than {MAX_MODEL_BYTES / 1e9:g} GB")
    except OSError as exc:
        raise ModelError(f"Cannot read the model {path}: {exc.strerror}") from exc
    try:
        spec = _spec(document["spec"])
        pinned, precision = document["sha256"], document["precision"]
        if not isinstance(pinned, str) or not re.fullmatch("[0-9a-f]{64}", pinned):
            raise ValueError("sha256 must be 64 digits")  # noqa: TRY301 - one way out
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {PRECISIONS}")  # noqa: TRY301 - one way out
        reduced_range = document.get("reduced_range", False)
        if not isinstance(reduced_range, bool):
            raise TypeError("reduced_range must be true or false")  # noqa: TRY301 - one way out
    except (KeyError, TypeError, ValueError) as exc:
        raise ModelError(
            f"{sidecar_path(path)} does not describe a model: {exc!r}",
            hint="Write it as fer-audit export does; see models/README.md.",
        ) from exc
    found = file_sha256(path)
    if found != pinned:
        raise ModelError(
            f"{path} was changed: its sha256 is {found}, its sidecar says {pinned}",
            hint="If you did not change it, export it again: fer-audit export --force",
        )
    return ExportedModel(spec, path, found, precision, reduced_range)


def _read_sidecar(path: Path) -> dict[str, Any]:
    sidecar = sidecar_path(path)
    try:
        with sidecar.open("rb") as file:
            data = file.read(MOST_SIDECAR_BYTES + 1)
        if len(data) > MOST_SIDECAR_BYTES:
            raise ModelError(f"{sidecar} is larger than {MOST_SIDECAR_BYTES:,} bytes")
        document = json.loads(data.decode("utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{path} has no sidecar {sidecar.name}",
            hint=f"It says how to feed the model. Write one with: fer-audit models add {path}",
        ) from None
    except (OSError, ValueError, RecursionError) as exc:
        raise ModelError(f"Cannot read {sidecar}: {exc}") from exc
    if not isinstance(document, dict) or document.get("schema") != SIDECAR_SCHEMA:
        raise ModelError(f"{sidecar} is not a {SIDECAR_SCHEMA} document")
    return document


def _spec(fields: dict[str, Any]) -> ModelSpec:
    """Build the spec; KeyError, TypeError or ValueError for one that describes no model."""
    mean, scale = tuple(fields["mean"]), tuple(fields["scale"])
    heads = tuple(Head(head["name"], tuple(head["classes"])) for head in fields.get("heads", ()))
    spec = ModelSpec(**{**fields, "mean": mean, "scale": scale, "heads": heads})
    if spec.task not in TASKS or spec.colour not in CHANNELS:
        raise ValueError(f"task must be one of {TASKS}, colour one of {tuple(CHANNELS)}")
    channels = CHANNELS[spec.colour]
    if {len(mean), len(scale)} != {channels} or not all(map(_is_number, (*mean, *scale))):
        raise ValueError(f"mean and scale must be {channels} numbers each")
    for name, value, most in (
        ("size", spec.size, LARGEST_SIDE),
        ("dim", spec.dim, LARGEST_DIM),
        ("batch", 1 if spec.batch is None else spec.batch, LARGEST_BATCH),
    ):
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise ValueError(f"{name} must be a whole number from 1 to {most:,}")
    words = [word for head in heads for word in (head.name, *head.classes)]
    if not all(isinstance(word, str) and word.strip() for word in words):
        raise ValueError("heads must have names, and so must their classes")
    if any(len(set(head.classes)) != len(head.classes) for head in heads):
        raise ValueError("two classes of a head have the same name")
    if (spec.task == "classify") != bool(heads) or (
        heads and sum(head.width for head in heads) != spec.dim
    ):
        raise ValueError(
            "the heads of a classifier must be dim numbers together; an encoder has none"
        )
    for name in ("weights", "licence", "citation", "caveat", "trained_on"):
        if not isinstance(getattr(spec, name), str):
            raise TypeError(f"{name} must be a text")
    if not isinstance(spec.name, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", spec.name):
        raise ValueError("name must be a plain word: letters, digits, '.', '_' and '-'")
    return spec


def _is_number(value: object) -> bool:
    """Whether a value is a finite number; JSON as Python reads it has NaN and infinity."""
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf
    )
