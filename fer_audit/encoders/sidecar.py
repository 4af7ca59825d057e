"""An exported model and the JSON beside it: written together, believed only together."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fer_audit.encoders.types import Agreement, ExportedModel, ModelSpec
from fer_audit.errors import ModelError
from fer_audit.store import file_sha256, make_folder, write_atomically, write_text

if TYPE_CHECKING:
    import onnx

SIDECAR_SCHEMA = "fer-audit/model/1"
TASKS = ("embed", "classify")
COLOURS = ("RGB", "BGR")
PRECISIONS = ("fp32", "fp16", "int8")
MAX_MODEL_BYTES = 2_000_000_000
"""protobuf cannot hold more; larger models need external data, which we refuse."""


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


def load_model(path: Path) -> ExportedModel:
    """Return a model whose bytes are those its sidecar names, and that carries nothing foreign.

    A model file is code. It is refused here, before onnxruntime sees it: wrong hash, external data, custom operators.
    """
    document = _read_sidecar(path)
    try:
        if not path.is_file():
            raise ModelError(f"Cannot read the model {path}: it is no file")
        if path.stat().st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path} is larger than 2 GB")
    except OSError as exc:
        raise ModelError(f"Cannot read the model {path}: {exc.strerror}") from exc
    try:
        spec = _spec(document["spec"])
        pinned, precision = document["sha256"], document["precision"]
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


def refuse_foreign_parts(path: Path) -> None:
    """Refuse a graph with external data, custom operators or functions of its own."""
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as exc:  # protobuf's DecodeError has no typed home
        raise ModelError(f"{path} is not an ONNX file: {exc}") from exc
    if model.functions:
        raise ModelError(f"{path} brings functions of its own, which are refused")
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        for tensor in _tensors(graph):
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                raise ModelError(f"{path} keeps {tensor.name!r} in another file, which is refused")
        for node in graph.node:
            if node.domain not in {"", "ai.onnx"}:
                raise ModelError(
                    f"{path} uses the custom operator {node.domain}::{node.op_type}",
                    hint="Only standard ONNX operators are run.",
                )
            for attribute in node.attribute:
                graphs += [attribute.g] if attribute.HasField("g") else []
                graphs += attribute.graphs
    if not model.graph.node:
        raise ModelError(f"{path} holds no graph")


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor a graph carries: weights, sparse weights, and those in attributes."""
    yield from graph.initializer
    sparse = list(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            sparse += [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
            sparse += attribute.sparse_tensors
    for tensor in sparse:
        yield tensor.values
        yield tensor.indices


def _read_sidecar(path: Path) -> dict[str, Any]:
    sidecar = sidecar_path(path)
    try:
        document = json.loads(sidecar.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"{path} has no sidecar {sidecar.name}",
            hint="It pins the model's sha256 and says how to feed it; see models/README.md.",
        ) from None
    except (OSError, ValueError) as exc:
        raise ModelError(f"Cannot read {sidecar}: {exc}") from exc
    if not isinstance(document, dict) or document.get("schema") != SIDECAR_SCHEMA:
        raise ModelError(f"{sidecar} is not a {SIDECAR_SCHEMA} document")
    return document


def _spec(fields: dict[str, Any]) -> ModelSpec:
    """Build the spec; KeyError, TypeError or ValueError for one that describes no model."""
    values = {**fields, "mean": tuple(fields["mean"]), "scale": tuple(fields["scale"])}
    spec = ModelSpec(**values)
    numbers = (*spec.mean, *spec.scale)
    if len(spec.mean) != 3 or len(spec.scale) != 3 or not all(map(_is_number, numbers)):
        raise ValueError("mean and scale must be three numbers each")
    if not all(isinstance(x, int) and x >= 1 for x in (spec.size, spec.dim)):
        raise ValueError("size and dim must be whole numbers of at least 1")
    if not isinstance(spec.name, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", spec.name):
        raise ValueError("name must be a plain word: letters, digits, '.', '_' and '-'")
    if spec.task not in TASKS or spec.colour not in COLOURS:
        raise ValueError(f"task must be one of {TASKS}, colour one of {COLOURS}")
    return spec


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
