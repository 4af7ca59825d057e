"""Model files: written and read with a sidecar, a JSON file that holds the model's hash and description, and checked before onnxruntime loads them.

A model that passes can still ask for more time and memory than a machine has: a graph can make large tensors of small
numbers. That is a reason to run models of people one trusts, and no reason to run the others.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fer_audit.encoders.catalog import CATALOG
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
IMPORT_HINT = "A model of another shape is made ours with: fer-audit models add {}"
MOST_PARTS = 100_000
"""Nodes, and tensors, of a graph and the graphs inside it. ResNet50 has 126 nodes and 107 tensors, a large
transformer some thousands."""
MOST_NUMBERS = 2_000_000_000
"""That one tensor may declare: with a byte each it would fill the largest file. Declared is not yet there: a file of
40 bytes can declare more than any memory holds."""


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

    if spec.padded:  # bytes of their own: the same network fed otherwise is another model
        onnx.helper.set_model_props(model, {"padded": "true"})
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
    fields = {"padded": _is_padded(fields["name"])} | fields
    spec = ModelSpec(**{**fields, "mean": mean, "scale": scale, "heads": heads})
    if spec.task not in TASKS or spec.colour not in CHANNELS:
        raise ValueError(f"task must be one of {TASKS}, colour one of {tuple(CHANNELS)}")
    channels = CHANNELS[spec.colour]
    if {len(mean), len(scale)} != {channels} or not all(map(_is_number, (*mean, *scale))):
        raise ValueError(f"mean and scale must be {channels} numbers each")
    batch = 1 if spec.batch is None else spec.batch
    sizes = {"size": (spec.size, LARGEST_SIDE), "dim": (spec.dim, LARGEST_DIM)}
    for name, (value, most) in (sizes | {"batch": (batch, LARGEST_BATCH)}).items():
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
    if not isinstance(spec.padded, bool):
        raise TypeError("padded must be true or false")
    for name in ("weights", "licence", "citation", "caveat", "trained_on"):
        if not isinstance(getattr(spec, name), str):
            raise TypeError(f"{name} must be a text")
    if not isinstance(spec.name, str) or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", spec.name):
        raise ValueError("name must be a plain word: letters, digits, '.', '_' and '-'")
    return spec


def _is_padded(name: str) -> bool:
    """Whether a model wants its images padded whose sidecar is older than the question."""
    return any(entry.spec.padded for entry in CATALOG if entry.spec.name == name)


def _is_number(value: object) -> bool:
    """Whether a value is a finite number; JSON as Python reads it has NaN and infinity."""
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf
    )


def check_graph(model: ExportedModel) -> onnx.ModelProto:
    """Return the graph of a file whose bytes are those that `load_model` found, and hold nothing but a plain graph.

    Plain: no data in other files, no operators or functions of its own, no more parts than a network needs, and the
    input and output that the sidecar promises. Everything else is a ModelError.
    onnxruntime is not needed, and gets the same bytes (`EmbedSession`).
    """
    graph = parsed(model.read(), model.path)
    refuse_foreign_parts(graph, model.path)
    _refuse_other_signature(graph.graph, model.path, model.spec)
    return graph


def parsed(data: bytes, path: Path) -> onnx.ModelProto:
    """Return what an ONNX file holds; ModelError for bytes that are none."""
    import onnx

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as exc:  # protobuf's DecodeError has no typed home
        raise ModelError(f"{path} is not an ONNX file: {exc}") from exc
    return model


def refuse_foreign_parts(model: onnx.ModelProto, path: Path) -> None:
    """Raise ModelError for anything but a plain graph of standard operators that holds its own weights."""
    import onnx

    if model.functions:
        raise ModelError(f"{path} brings functions of its own, which are refused")
    graphs = [model.graph]
    nodes = tensors = 0
    while graphs:
        graph = graphs.pop()
        nodes += len(graph.node)
        for tensor in _tensors(graph):
            tensors += 1
            if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
                raise ModelError(f"{path} keeps {tensor.name!r} in another file, which is refused")
            _refuse_large(tensor.name, tensor.dims, path)
        for sparse in graph.sparse_initializer:
            _refuse_large(sparse.values.name, sparse.dims, path)
        for node in graph.node:
            if node.domain not in {"", "ai.onnx"}:
                raise ModelError(
                    f"{path} uses the custom operator {node.domain}::{node.op_type}",
                    hint="Only standard ONNX operators are run.",
                )
            for attribute in node.attribute:
                graphs += [attribute.g] if attribute.HasField("g") else []
                graphs += attribute.graphs
        if max(nodes, tensors) > MOST_PARTS:
            raise ModelError(f"{path} has more than {MOST_PARTS:,} nodes or tensors")
    if not model.graph.node:
        raise ModelError(f"{path} holds no graph")


def _refuse_large(name: str, dims: Iterable[int], path: Path) -> None:
    shape = tuple(dims)
    if any(side < 0 for side in shape) or math.prod(shape) > MOST_NUMBERS:
        raise ModelError(
            f"{path} declares {name!r} with the shape {list(shape)}, which is refused"
        )


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


def _refuse_other_signature(graph: onnx.GraphProto, path: Path, spec: ModelSpec) -> None:
    """Refuse an input or output that is declared otherwise; `EmbedSession` compares what onnxruntime infers."""
    import onnx

    weights = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    size, dim = spec.size, spec.dim
    if (
        len(inputs) != 1
        or inputs[0].type.tensor_type.elem_type != onnx.TensorProto.UINT8
        or sides_of(inputs[0]) not in (None, [spec.batch, size, size, 3])
    ):
        raise ModelError(
            f"{path} takes {words_of(inputs)}; it must take one uint8 ({spec.batch or 'batch'}, {size}, {size}, 3)"
            + ("" if spec.batch else ", the batch of any size"),
            hint=IMPORT_HINT.format(path),
        )
    outputs = list(graph.output)
    sides = sides_of(outputs[0]) if outputs else None
    if (
        not outputs
        or outputs[0].type.tensor_type.elem_type not in (0, onnx.TensorProto.FLOAT)
        or (sides is not None and (len(sides) != 2 or sides[1] not in (None, dim)))
    ):
        raise ModelError(
            f"{path} gives {words_of(outputs[:1])}; the sidecar says float (batch, {dim})",
            hint="Export it again with: fer-audit export --force",
        )


def sides_of(value: onnx.ValueInfoProto) -> list[int | None] | None:
    """Return the declared shape, None for a side of any length; None when no shape is declared."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [side.dim_value if side.HasField("dim_value") else None for side in tensor.shape.dim]


def words_of(values: Sequence[onnx.ValueInfoProto]) -> str:
    """Return e.g. 'images' UINT8 [None, 224, 224, 3]."""
    import onnx

    named = {number: name for name, number in onnx.TensorProto.DataType.items()}
    declared = []
    for value in values:
        kind = named.get(value.type.tensor_type.elem_type, "of no known type")
        declared.append(f"{value.name!r} {kind} {sides_of(value) or ''}".rstrip())
    return ", ".join(declared) or "nothing"
